"""ops_center's composition root."""

from services.ops_center.accounts import Accounts
from services.ops_center.feed import Feed
from services.ops_center.history.archive import Archive
from services.ops_center.history.routes import history_router
from services.ops_center.hub import Hub
from services.ops_center.login import Login
from services.ops_center.pages import DIST, Assets, pages_router
from services.ops_center.repository import Repository
from services.ops_center.routes_live import live_router
from services.ops_center.routes_map import map_router
from services.ops_center.routes_session import session_router
from services.ops_center.screens.assignments import Assignments
from services.ops_center.screens.repository import Shelf
from services.ops_center.screens.routes_screens import screens_router
from services.ops_center.screens.routes_views import views_router
from shared.runtime import Context, Service


async def build(context: Context) -> Service:
    """The live picture, its socket, history, map, people's sessions, screens, and the pages."""
    repository = Repository(context.engine)
    accounts = Accounts(context.engine)
    hub = Hub(context.clock, context.settings.city)
    feed = Feed(context.log, repository, hub, context.clock)
    shelf = Shelf(context.engine, context.clock)
    assignments = Assignments(shelf)
    return Service(
        name="ops_center",
        routers=(
            live_router(hub, assignments.of),
            history_router(Archive(context.engine), context.clock),
            session_router(accounts, Login(accounts), context.clock),
            map_router(repository, feed, context.settings),
            views_router(shelf),
            screens_router(shelf, assignments, context.clock),
            pages_router(),
        ),
        jobs={"picture": feed.run, "hub": hub.run},
        checks={"picture": feed.check},
        mounts={"/assets": Assets(DIST / "assets")},
    )
