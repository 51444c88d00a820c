"""The gateway: HTTP → the log, and the registry's own HTTP."""

from collections.abc import Callable

from services.ingest.app.doors import workshop_and_doors
from services.ingest.app.entry import Door, make_intake
from services.ingest.asyncapi import asyncapi_router
from services.ingest.border.acceptance import Acceptance, Poster
from services.ingest.border.at_once import AtOnce
from services.ingest.border.gateway import Gateway
from services.ingest.border.group_commit import GroupCommit
from services.ingest.border.idempotency import Memory
from services.ingest.border.posts import Posts
from services.ingest.border.refusals import Refusals
from services.ingest.border.routes_readings import readings_router
from services.ingest.border.stream import Stream
from services.ingest.grants.repository import GrantShelf
from services.ingest.grants.routes import grants_router
from services.ingest.keys.repository import KeyShelf
from services.ingest.keys.routes import keys_router
from services.ingest.quarantine.repository import Quarantine
from services.ingest.registry.follower import Follower
from services.ingest.registry.lookup import Registry
from services.ingest.registry.registrar import Registrar
from services.ingest.registry.repository import Repository
from services.ingest.registry.routes_areas import areas_router
from services.ingest.registry.routes_catalogue import catalogue_router
from services.ingest.registry.routes_import import import_router
from services.ingest.registry.routes_sensors import sensors_router
from services.ingest.requests import BodyReader
from services.ingest.storage.classes import Classes
from services.ingest.storage.progress import Progress
from services.ingest.storage.routes_retention import retention_router
from shared.runtime import Context, Service


async def make_gateway(
    context: Context, registry: Registry, follower: Follower, door: Door
) -> Service:
    """Its routers, its hot paths and its jobs."""
    repository = Repository(context.engine)
    bodies = BodyReader(context.settings.max_body_bytes)
    identify = context.authenticator.identify
    commits = GroupCommit(context.log, door.guard.heard)
    door.guard.listen(commits.give_up)
    memory = Memory(context.engine, context.clock)
    intake = make_intake(context, registry)
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
        *workshop_and_doors(context, registry, quarantine, door, commits),
        asyncapi_router(),
        keys_router(KeyShelf(context.engine, context.clock), context.clock),
        grants_router(GrantShelf(context.engine, context.clock), context.disclosure, context.clock),
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
