"""ops_center's composition root."""

from functools import partial

from fastapi import APIRouter

from services.ops_center.accounts import Accounts
from services.ops_center.catalogue.desk import Desk as CatalogueDesk
from services.ops_center.catalogue.recorder import Recorder as QualityRecorder
from services.ops_center.catalogue.repository import Shelf as CatalogueShelf
from services.ops_center.catalogue.routes import catalogue_router
from services.ops_center.exchange.desk import Desk as ExportDesk
from services.ops_center.exchange.repository import Exports
from services.ops_center.exchange.routes import exports_router
from services.ops_center.exchange.spool import Spool
from services.ops_center.feed import Feed
from services.ops_center.history.archive import Archive
from services.ops_center.history.routes import Desk as HistoryDesk
from services.ops_center.history.routes import history_router
from services.ops_center.hub import Hub
from services.ops_center.login import Login
from services.ops_center.neighbourhood import Watch
from services.ops_center.pages import DIST, Assets, pages_router
from services.ops_center.people.oidc import Oidc, Provider, roles_of
from services.ops_center.people.routes_account import account_router
from services.ops_center.people.routes_audit import audit_router
from services.ops_center.people.routes_oidc import oidc_router
from services.ops_center.people.routes_users import users_router
from services.ops_center.people.trail import Trail
from services.ops_center.people.users import Users
from services.ops_center.registry import Registry
from services.ops_center.replay.past import Past
from services.ops_center.replay.routes_replay import replay_router
from services.ops_center.repository import Repository
from services.ops_center.routes_live import READY_SECONDS, live_socket
from services.ops_center.routes_map import map_router
from services.ops_center.routes_session import session_router
from services.ops_center.screens.assignments import Assignments
from services.ops_center.screens.repository import Shelf
from services.ops_center.screens.routes_screens import screens_router
from services.ops_center.screens.routes_views import views_router
from services.ops_center.sensorthings.routes import sensorthings_router
from services.ops_center.sensorthings.store import Store
from services.ops_center.vital_signs.desk import Desk
from services.ops_center.vital_signs.hours import Hours
from services.ops_center.vital_signs.recorder import Learner, Recorder
from services.ops_center.vital_signs.records import Records
from services.ops_center.vital_signs.routes_hours import hours_router
from services.ops_center.vital_signs.routes_vital import vital_router
from services.ops_center.vital_signs.surveyor import Surveyor
from shared.errors import Misconfigured
from shared.runtime import Context, Service
from shared.web.auth import new_token
from shared.web.clearances import clearance_of


def _provider(context: Context) -> Oidc | None:
    """Where people may log in besides, if the settings say so. Raises `Misconfigured`."""
    settings = context.settings
    if not settings.oidc_issuer:
        return None
    if not settings.public_url:
        raise Misconfigured("YIWANG_PUBLIC_URL: OIDC needs the address that people reach us at")
    try:
        roles = roles_of(settings.oidc_roles)
    except ValueError as error:
        raise Misconfigured(f"YIWANG_OIDC_…: {error}") from error
    back = f"{settings.public_url.rstrip('/')}/v1/oidc/callback"
    claim, secret = settings.oidc_groups_claim, settings.oidc_client_secret.get_secret_value()
    provider = Provider(settings.oidc_issuer, settings.oidc_client_id, secret, claim, roles, back)
    return Oidc(provider, context.clock)


def _people(context: Context, oidc: Oidc | None) -> list[APIRouter]:
    """Accounts, sessions and passwords."""
    engine, clock = context.engine, context.clock
    accounts, users = Accounts(engine, clock), Users(engine, clock)
    secret = context.settings.oidc_client_secret.get_secret_value() or new_token("oidc")
    login = Login(accounts)
    return [
        session_router(accounts, login, clock),
        account_router(users, accounts, login, clock),
        users_router(users, accounts, login, clock),
        audit_router(Trail(engine)),
        oidc_router(oidc, secret, users, accounts, clock),
    ]


def _exchange(context: Context) -> APIRouter:
    """Data in bulk."""
    exports = Exports(context.engine, context.clock)
    spool = Spool(context.settings.data_dir / "exports")
    desk = ExportDesk(context.engine, exports, context.disclosure, spool)
    return exports_router(desk, exports, partial(clearance_of, context.disclosure))


def _catalogue(context: Context, shelf: CatalogueShelf) -> APIRouter:
    """What data there is. It has slots of its own: visitors never take those of the city's."""
    desk, history = CatalogueDesk(shelf, context.disclosure), HistoryDesk(Archive(context.engine))
    settings = context.settings
    return catalogue_router(desk, shelf, history, context.clock, settings.city, settings.public_url)


async def build(context: Context) -> Service:
    """The live picture, its socket, history, map, people's sessions, screens, and the pages."""
    repository = Repository(context.engine)
    oidc = _provider(context)
    hub = Hub(context.clock, context.settings.city)
    feed = Feed(context.log, repository, hub, context.clock)

    async def registry() -> Registry:
        await hub.ready(READY_SECONDS)
        return feed.picture.registry

    def registry_now() -> Registry:
        return feed.picture.registry

    clock = context.clock
    records, surveyor = Records(context.engine), Surveyor(feed, clock)
    hours = Hours(records, registry_now, clock)
    shelf = Shelf(context.engine, context.clock)
    assignments = Assignments(shelf)
    datasets = CatalogueShelf(context.engine, context.clock)
    return Service(
        name="ops_center",
        routers=(
            history_router(Archive(context.engine), context.clock),
            _exchange(context),
            _catalogue(context, datasets),
            sensorthings_router(Store(context.engine), context.settings.public_url),
            *_people(context, oidc),
            map_router(repository, feed, context.settings),
            replay_router(Past(context.engine), registry, context.clock, context.settings.city),
            views_router(shelf),
            screens_router(shelf, assignments, context.clock),
            vital_router(Desk(surveyor, records, clock, str(context.settings.city))),
            hours_router(hours, registry_now),
            pages_router(),
        ),
        raw_routes={("WEBSOCKET", "/v1/live"): live_socket(hub, assignments.of)},
        jobs={
            "picture": feed.run,
            "hub": hub.run,
            "neighbours": Watch(context.engine, clock, hub.tell).run,
            "vital signs": Recorder(surveyor, records, clock).run,
            "data quality": QualityRecorder(datasets).run,
            "free flow": Learner(records, clock).run,
        },
        checks={"picture": feed.check},
        closers=[oidc.close] if oidc is not None else [],
        mounts={"/assets": Assets(DIST / "assets")},
    )
