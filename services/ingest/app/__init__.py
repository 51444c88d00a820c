"""The composition root of ingest: the only place that wires its parts."""

from services.ingest.app.doors import make_normaliser, make_subscriber
from services.ingest.app.entry import open_door, open_registry, quarantine_bound
from services.ingest.app.gateway import make_gateway
from services.ingest.border.ticks import Ticks
from services.ingest.quarantine.announcer import Announcer
from services.ingest.quarantine.bound import Keeper
from services.ingest.quarantine.repository import Quarantine
from services.ingest.storage.classes import Classes
from services.ingest.storage.retention import Retention
from services.ingest.storage.rollups.refresher import Refresher
from services.ingest.storage.store import ReadingStore
from services.ingest.storage.writer import Writer
from shared.runtime import Context, Service
from shared.supervision import Job


async def build(context: Context) -> Service:
    """Gateway, normaliser and writer in one process, on one registry."""
    registry, follower = await open_registry(context)
    door = open_door(context)
    gateway = await make_gateway(context, registry, follower, door)
    mqtt = context.settings.mqtt_url is not None
    return Service(
        "ingest",
        routers=gateway.routers,
        raw_routes=gateway.raw_routes,
        prompts=gateway.prompts,
        jobs={
            "ingest-registry": follower.follow,
            "ingest-normaliser": make_normaliser(context, registry, door).run,
            **gateway.jobs,
            **door.jobs,
            **(await build_writer(context)).jobs,
            **({"ingest-mqtt": make_subscriber(context, registry, door).run} if mqtt else {}),
        },
    )


async def build_gateway(context: Context) -> Service:
    """HTTP → the log; and the registry's own HTTP."""
    registry, follower = await open_registry(context)
    door = open_door(context)
    gateway = await make_gateway(context, registry, follower, door)
    return Service(
        "gateway",
        routers=gateway.routers,
        raw_routes=gateway.raw_routes,
        prompts=gateway.prompts,
        jobs={
            "ingest-registry": follower.follow,
            **gateway.jobs,
            **door.jobs,
            **_ticks(context),
        },
    )


async def build_normaliser(context: Context) -> Service:
    """`city.inbox` → `city.readings`."""
    registry, follower = await open_registry(context)
    door = open_door(context)
    jobs = {
        "ingest-registry": follower.follow,
        "ingest-normaliser": make_normaliser(context, registry, door).run,
        **door.jobs,
    }
    return Service("normaliser", jobs=jobs)


async def build_writer(context: Context) -> Service:
    """`city.readings` → the database."""
    store = ReadingStore(context.database_url, await context.log.incarnation())
    writer = Writer(context.log, store, context.clock)
    quarantine = Quarantine(context.engine)
    keeper = Keeper(context.engine, quarantine, quarantine_bound(context), context.clock)
    classes = Classes(context.engine)
    jobs = {
        "ingest-writer": writer.run,
        "ingest-writer-lag": writer.watch_lag,
        "ingest-rollups": Refresher(context.database_url, context.clock).run,
        "ingest-retention": Retention(context.database_url, classes, context.clock).run,
        "ingest-quarantine-bound": keeper.run,
        "ingest-quarantine-news": Announcer(context.engine, context.log).run,
        **_ticks(context),
    }
    return Service("writer", jobs=jobs)


async def build_mqtt(context: Context) -> Service:
    """A broker's topics → `city.readings`."""
    registry, follower = await open_registry(context)
    door = open_door(context)
    subscriber = make_subscriber(context, registry, door)
    jobs = {"ingest-registry": follower.follow, "ingest-mqtt": subscriber.run, **door.jobs}
    return Service("mqtt", jobs=jobs, checks={"mqtt": subscriber.check})


def _ticks(context: Context) -> dict[str, Job]:
    """Of gateway and writer: time passes as long as one of them lives."""
    ticks = Ticks(context.log, context.clock, context.settings.tick_seconds)
    return {"ingest-ticks": ticks.run}
