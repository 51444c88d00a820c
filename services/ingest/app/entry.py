"""What every door of a process stands on: the registry, the quotas, the guard."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.ingest.border.intake import Intake
from services.ingest.border.overload import Bounds, Guard
from services.ingest.keys.last_use import LastUse
from services.ingest.keys.quotas import Defaults, Quotas
from services.ingest.keys.repository import KeyShelf
from services.ingest.quarantine.selection import Bound
from services.ingest.registry.follower import Follower
from services.ingest.registry.lookup import Registry
from services.ingest.registry.repository import Repository
from services.ingest.registry.seed import seed
from shared.contracts.topics import READINGS
from shared.runtime import Context
from shared.supervision import Job


@dataclass(frozen=True)
class Door:
    """What every door of a process shares, and the jobs that keep it true."""

    quotas: Quotas
    guard: Guard
    jobs: Mapping[str, Job]


async def open_registry(context: Context) -> tuple[Registry, Follower]:
    """Seeded, loaded, and followed from now on."""
    await seed(context.engine, context.settings, context.clock)
    registry = Registry(partitions=len(await context.log.ends(READINGS)))
    follower = Follower(context.log, Repository(context.engine), registry)
    await follower.load()
    await follower.introduce()
    return registry, follower


def open_door(context: Context) -> Door:
    """One for the whole process."""
    settings = context.settings
    quotas = Quotas(
        Defaults(
            settings.quota_readings_per_second,
            settings.quota_bytes_per_second,
            settings.quota_burst_seconds,
        )
    )
    bounds = Bounds(settings.backlog_max_records, settings.backlog_max_seconds)
    guard = Guard(context.log, bounds)
    shelf = KeyShelf(context.engine, context.clock)
    last_use = LastUse(context.authenticator.take_used, shelf)
    return Door(quotas, guard, {"ingest-backlog": guard.watch, "ingest-last-use": last_use.run})


def make_intake(context: Context, registry: Registry) -> Intake:
    """With the bound that is set."""
    return Intake(registry, context.clock, context.settings.max_batch_items)


def quarantine_bound(context: Context) -> Bound:
    """As it is set."""
    settings = context.settings
    return Bound(max_rows=settings.quarantine_max_rows, max_days=settings.quarantine_max_days)
