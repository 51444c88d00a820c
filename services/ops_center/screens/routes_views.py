"""`/v1/views`: what screens show."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query

from services.ops_center.screens.problems import in_use, name_taken, not_found
from services.ops_center.screens.repository import InUse, NameTaken
from services.ops_center.screens.saved import SavedView, ViewIn, ViewList
from shared.store.audit import By
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, to_cursor
from shared.web.identity import Identity
from shared.web.problems import invalid, refusals

Somebody = Annotated[Identity, Depends(require_role("viewer"))]
Administrator = Annotated[Identity, Depends(require_role("admin"))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]
ViewId = Annotated[str, Path(pattern="^[A-Za-z0-9._:-]{1,64}$")]


class Views(Protocol):
    """See `repository.Shelf`."""

    async def list_views(self, after: str | None, limit: int) -> list[SavedView]:
        """By id."""
        ...

    async def view(self, view_id: str) -> SavedView | None:
        """One."""
        ...

    async def unknown(self, wanted: ViewIn) -> list[tuple[str, str]]:
        """(JSON pointer, what is wrong)."""
        ...

    async def make_view(self, wanted: ViewIn, by: By) -> SavedView:
        """Raises `NameTaken`."""
        ...

    async def replace_view(self, view_id: str, wanted: ViewIn, by: By) -> SavedView | None:
        """Raises `NameTaken` or `InUse`."""
        ...

    async def remove_view(self, view_id: str, by: By) -> bool:
        """Raises `InUse`."""
        ...


def views_router(shelf: Views) -> APIRouter:
    """Everybody may look, administrators write: a view confines the screens that show it."""
    router = APIRouter(tags=["screens"])

    @router.get("/v1/views", summary="List saved views", responses=refusals(401))
    async def list_views(_: Somebody, limit: Limit = 100, cursor: Text = None) -> ViewList:
        """Walls and playlists."""
        found = await shelf.list_views(from_cursor(cursor), limit + 1)
        following = to_cursor(found[limit - 1].view_id) if len(found) > limit else None
        return ViewList(items=found[:limit], next=following)

    @router.post("/v1/views", status_code=201, summary="Save a view",
                 responses=refusals(401, 403, 409, 422))  # fmt: skip
    async def make_view(admin: Administrator, wanted: ViewIn) -> SavedView:
        """A wall, or a playlist of walls."""
        await _check(shelf, wanted)
        try:
            return await shelf.make_view(wanted, admin.by)
        except NameTaken:
            raise name_taken() from None

    @router.get("/v1/views/{view_id}", summary="One saved view", responses=refusals(401, 404))
    async def read_view(_: Somebody, view_id: ViewId) -> SavedView:
        """As it was saved."""
        return _found(await shelf.view(view_id))

    @router.put("/v1/views/{view_id}", summary="Replace a saved view",
                responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def replace_view(admin: Administrator, view_id: ViewId, wanted: ViewIn) -> SavedView:
        """Screens that show it follow within seconds. 409 if it is played and would become a
        playlist."""
        await _check(shelf, wanted)
        try:
            return _found(await shelf.replace_view(view_id, wanted, admin.by))
        except NameTaken:
            raise name_taken() from None
        except InUse as error:
            raise in_use(error) from None

    @router.delete("/v1/views/{view_id}", status_code=204, summary="Remove a saved view",
                   responses=refusals(401, 403, 404, 409))  # fmt: skip
    async def remove_view(admin: Administrator, view_id: ViewId) -> None:
        """409 while a playlist or a screen shows it."""
        try:
            if not await shelf.remove_view(view_id, admin.by):
                raise not_found("view")
        except InUse as error:
            raise in_use(error) from None

    return router


async def _check(shelf: Views, wanted: ViewIn) -> None:
    if wrong := await shelf.unknown(wanted):
        raise invalid([(pointer, detail, "unknown") for pointer, detail in wrong])


def _found(view: SavedView | None) -> SavedView:
    if view is None:
        raise not_found("view")
    return view
