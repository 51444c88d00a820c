"""The composition root of ingest: the only place that wires its parts."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter

from services.ingest.asyncapi import asyncapi_router
from services.ingest.border.acceptance import Acceptance, Poster, rights_of
from services.ingest.border.at_once import AtOnce
from services.ingest.border.decode import Items
from services.ingest.border.gateway import Gateway
from services.ingest.border.group_commit import GroupCommit
from services.ingest.border.idempotency import Memory
from services.ingest.border.intake import Intake
from services.ingest.border.judge import Rights
from services.ingest.border.normaliser import ANONYMOUS, Normaliser, Source
from services.ingest.border.overload import Bounds, Guard
from services.ingest.border.posts import Posts
from services.ingest.border.refusals import Refusals
from services.ingest.border.routes_readings import readings_router
from services.ingest.border.stream import Stream
from services.ingest.border.ticks import Ticks
from services.ingest.doors.entrance import Entrance
from services.ingest.doors.mailbox import Mailbox, dialects
from services.ingest.doors.mappings import Mappings
from services.ingest.doors.mqtt import parse_templates, read_mqtt
from services.ingest.doors.readmission import Readmission
from services.ingest.doors.routes import doors_router, readers
from services.ingest.doors.subscriber import Subscriber, broker_of
from services.ingest.keys.last_use import LastUse
from services.ingest.keys.quotas import Defaults, Quotas
from services.ingest.keys.repository import KeyShelf
from services.ingest.keys.routes import keys_router
from services.ingest.quarantine.announcer import Announcer
from services.ingest.quarantine.bound import Keeper
from services.ingest.quarantine.changes import Changes
from services.ingest.quarantine.repository import Quarantine
from services.ingest.quarantine.routes import quarantine_router
from services.ingest.quarantine.routes_mending import mending_router
from services.ingest.quarantine.selection import Bound
from services.ingest.quarantine.workshop import Workshop
from services.ingest.registry.follower import Follower
from services.ingest.registry.lookup import Registry
from services.ingest.registry.registrar import Registrar
from services.ingest.registry.repository import Repository
from services.ingest.registry.routes_areas import areas_router
from services.ingest.registry.routes_catalogue import catalogue_router
from services.ingest.registry.routes_import import import_router
from services.ingest.registry.routes_sensors import sensors_router
from services.ingest.registry.seed import seed
from services.ingest.requests import BodyReader
from services.ingest.storage.classes import Classes
from services.ingest.storage.progress import Progress
from services.ingest.storage.retention import Retention
from services.ingest.storage.rollups.refresher import Refresher
from services.ingest.storage.routes_retention import retention_router
from services.ingest.storage.store import ReadingStore
from services.ingest.storage.writer import Writer
from shared.contracts.topics import READINGS
from shared.errors import Misconfigured
from shared.runtime import Context, Job, Service
from shared.web.identity import Identity


@dataclass(frozen=True)
class Door:
    """What every door of a process shares, and the jobs that keep it true."""

    quotas: Quotas
    guard: Guard
    jobs: Mapping[str, Job]


async def build(context: Context) -> Service:
    """Gateway, normaliser and writer in one process, on one registry."""
    registry, follower = await _registry(context)
    door = _door(context)
    gateway = await _gateway(context, registry, follower, door)
    mqtt = context.settings.mqtt_url is not None
    return Service(
        "ingest",
        routers=gateway.routers,
        raw_routes=gateway.raw_routes,
        prompts=gateway.prompts,
        jobs={
            "ingest-registry": follower.follow,
            "ingest-normaliser": _normaliser(context, registry, door).run,
            **gateway.jobs,
            **door.jobs,
            **(await build_writer(context)).jobs,
            **({"ingest-mqtt": _subscriber(context, registry, door).run} if mqtt else {}),
        },
    )


async def build_gateway(context: Context) -> Service:
    """HTTP → the log; and the registry's own HTTP."""
    registry, follower = await _registry(context)
    door = _door(context)
    gateway = await _gateway(context, registry, follower, door)
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
    registry, follower = await _registry(context)
    door = _door(context)
    jobs = {
        "ingest-registry": follower.follow,
        "ingest-normaliser": _normaliser(context, registry, door).run,
        **door.jobs,
    }
    return Service("normaliser", jobs=jobs)


async def build_writer(context: Context) -> Service:
    """`city.readings` → the database."""
    store = ReadingStore(context.database_url, await context.log.incarnation())
    writer = Writer(context.log, store, context.clock)
    quarantine = Quarantine(context.engine)
    keeper = Keeper(context.engine, quarantine, _bound(context), context.clock)
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
    registry, follower = await _registry(context)
    door = _door(context)
    subscriber = _subscriber(context, registry, door)
    jobs = {"ingest-registry": follower.follow, "ingest-mqtt": subscriber.run, **door.jobs}
    return Service("mqtt", jobs=jobs, checks={"mqtt": subscriber.check})


def _ticks(context: Context) -> dict[str, Job]:
    """Of gateway and writer: time passes as long as one of them lives."""
    ticks = Ticks(context.log, context.clock, context.settings.tick_seconds)
    return {"ingest-ticks": ticks.run}


def _subscriber(context: Context, registry: Registry, door: Door) -> Subscriber:
    settings = context.settings
    if settings.mqtt_key is None:
        raise Misconfigured("YIWANG_MQTT_KEY is not set")
    publish = GroupCommit(context.log).publish
    quarantine = Quarantine(context.engine)
    entrance = Entrance(_intake(context, registry), publish, quarantine, door.guard.check)
    identify = partial(context.authenticator.identify, settings.mqtt_key)
    templates = parse_templates(settings.mqtt_topics)
    mailbox = Mailbox(
        entrance, Mappings(context.engine), door.quotas, identify, templates, context.clock
    )
    return Subscriber(broker_of(settings), templates, mailbox.take)


async def _registry(context: Context) -> tuple[Registry, Follower]:
    await seed(context.engine, context.settings, context.clock)
    registry = Registry(partitions=len(await context.log.ends(READINGS)))
    follower = Follower(context.log, Repository(context.engine), registry)
    await follower.load()
    await follower.introduce()
    return registry, follower


async def _gateway(context: Context, registry: Registry, follower: Follower, door: Door) -> Service:
    repository = Repository(context.engine)
    bodies = BodyReader(context.settings.max_body_bytes)
    identify = context.authenticator.identify
    commits = GroupCommit(context.log)
    memory = Memory(context.engine, context.clock)
    intake = _intake(context, registry)
    acceptance = Acceptance(intake, commits, door.guard)
    posts = Posts(acceptance, _streams(context, acceptance), bodies, memory)
    refusals = Refusals()
    gateway = Gateway(acceptance, posts, identify, door.quotas, refusals, bodies, door.guard)
    remembered = context.authenticator.remembered
    at_once = AtOnce(intake, commits, remembered, door.quotas, refusals, door.guard)
    registrar = Registrar(repository, registry, context.log, context.clock)
    await registrar.load_areas()
    follower.listen(registrar.load_areas)
    quarantine = Quarantine(context.engine)
    routers = [
        readings_router(gateway, Progress(context.engine), quarantine, context.log.incarnation),
        # Before `/v1/sensors/{sensor_id}`, which would take `export` for an id.
        import_router(repository, registrar, bodies),
        sensors_router(repository, registrar, bodies),
        catalogue_router(repository, registrar),
        areas_router(repository, registrar, bodies),
        *_work_and_doors(context, registry, quarantine, door, commits),
        asyncapi_router(),
        keys_router(KeyShelf(context.engine, context.clock), context.clock),
        retention_router(Classes(context.engine)),
    ]
    return Service(
        "gateway",
        routers=routers,
        raw_routes={("POST", "/v1/readings"): gateway},
        prompts={(b"POST", b"/v1/readings"): at_once},
        jobs={"ingest-idempotency": memory.sweep},
    )


def _streams(context: Context, acceptance: Acceptance) -> Callable[[Poster], Stream]:
    most = context.settings.max_batch_items
    return lambda poster: Stream(acceptance, poster, most)


def _work_and_doors(
    context: Context,
    registry: Registry,
    quarantine: Quarantine,
    door: Door,
    commits: GroupCommit,
) -> list[APIRouter]:
    unbounded = Intake(registry, context.clock, sys.maxsize)
    mappings = Mappings(context.engine)
    templates = parse_templates(context.settings.mqtt_topics)

    async def from_mqtt(item: Any) -> Items:
        return read_mqtt(item, templates, await dialects(mappings))

    formats = {**readers(mappings), "mqtt": from_mqtt}
    readmission = Readmission(unbounded, door.quotas, commits.publish, formats)
    intake = _intake(context, registry)
    entrance = Entrance(intake, commits.publish, quarantine, door.guard.check)
    return [
        doors_router(entrance, mappings, door.quotas),
        quarantine_router(quarantine, _bound(context)),
        mending_router(Workshop(Changes(context.engine), readmission)),
    ]


def _bound(context: Context) -> Bound:
    settings = context.settings
    return Bound(max_rows=settings.quarantine_max_rows, max_days=settings.quarantine_max_days)


def _normaliser(context: Context, registry: Registry, door: Door) -> Normaliser:
    async def source_of(token: str) -> Source | None:
        identity = await context.authenticator.identify(token)
        if identity is None:
            return None
        may_post = "post" in identity.scopes or identity.role == "admin"
        account = door.quotas.account(identity)
        return Source(identity.name, may_post, rights_of(identity), account)

    nameless = Identity("key", ANONYMOUS, "", frozenset(["post"]), f"topic:{ANONYMOUS}")
    anonymous = Source(ANONYMOUS, True, Rights(), door.quotas.account(nameless))
    intake = _intake(context, registry)
    quarantine = Quarantine(context.engine)
    return Normaliser(context.log, intake, source_of, anonymous, quarantine, door.guard,
        context.settings.max_body_bytes,
    )  # fmt: skip


def _door(context: Context) -> Door:
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


def _intake(context: Context, registry: Registry) -> Intake:
    return Intake(registry, context.clock, context.settings.max_batch_items)
