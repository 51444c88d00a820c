"""`/v1/screens`: read-only tokens for walls; `/v1/screen`: a wall asks what it is to show."""

from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from services.ops_center.screens.assignments import Assignments
from services.ops_center.screens.problems import not_found, revoked
from services.ops_center.screens.saved import (
    NewScreen,
    SavedView,
    Screen,
    ScreenChange,
    ScreenIn,
    ScreenList,
)
from shared.clock import Clock
from shared.store.audit import By
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, to_cursor
from shared.web.identity import Identity
from shared.web.problems import invalid, refusals

Somebody = Annotated[Identity, Depends(require_role("viewer"))]
Administrator = Annotated[Identity, Depends(require_role("admin"))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]
ScreenId = Annotated[str, Path(pattern="^[A-Za-z0-9._:-]{1,64}$")]


class Screens(Protocol):
    """See `repository.Shelf`."""

    async def view(self, view_id: str) -> SavedView | None:
        """One view."""
        ...

    async def list_screens(self, revoked: bool, after: str | None, limit: int) -> list[Screen]:
        """By id."""
        ...

    async def screen(self, screen_id: str) -> Screen | None:
        """One."""
        ...

    async def make_screen(self, wanted: ScreenIn, by: By) -> NewScreen:
        """With its token."""
        ...

    async def change_screen(self, screen_id: str, change: ScreenChange, by: By) -> Screen | None:
        """None for a screen that is unknown or revoked."""
        ...

    async def revoke_screen(self, screen_id: str, by: By) -> bool:
        """For good."""
        ...


def screens_router(shelf: Screens, assignments: Assignments, clock: Clock) -> APIRouter:
    """Administrators make, bind, list and revoke screens."""
    router = APIRouter(tags=["screens"])
    _own(router, assignments)

    @router.get("/v1/screens", summary="List screens", responses=refusals(401, 403))
    async def list_screens(
        _: Administrator, limit: Limit = 100, cursor: Text = None, revoked: bool = False
    ) -> ScreenList:
        """Tokens are not shown: only how they begin. `revoked=true` lists revoked ones too."""
        found = await shelf.list_screens(revoked, from_cursor(cursor), limit + 1)
        following = to_cursor(found[limit - 1].screen_id) if len(found) > limit else None
        return ScreenList(items=found[:limit], next=following)

    @router.post("/v1/screens", status_code=201, summary="Make a screen",
                 responses=refusals(401, 403, 422))  # fmt: skip
    async def make_screen(admin: Administrator, wanted: ScreenIn, response: Response) -> NewScreen:
        """The answer holds the token, this once. It can read what the view shows, and nothing
        else; without a view the whole city."""
        await _check(shelf, wanted, clock)
        response.headers["cache-control"] = "no-store"
        return await shelf.make_screen(wanted, admin.by)

    @router.get("/v1/screens/{screen_id}", summary="One screen", responses=refusals(401, 403, 404))
    async def read_screen(_: Administrator, screen_id: ScreenId) -> Screen:
        """Its token is not shown."""
        return _found(await shelf.screen(screen_id))

    @router.patch("/v1/screens/{screen_id}", summary="Change a screen",
                  responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def change_screen(
        admin: Administrator, screen_id: ScreenId, change: ScreenChange
    ) -> Screen:
        """What the body names; the wall follows within seconds, with the same token."""
        await _check(shelf, change, clock)
        changed = await shelf.change_screen(screen_id, change, admin.by)
        if changed is None:
            _found(await shelf.screen(screen_id))
            raise revoked()
        return changed

    @router.delete("/v1/screens/{screen_id}", status_code=204, summary="Revoke a screen",
                   responses=refusals(401, 403, 404))  # fmt: skip
    async def revoke_screen(admin: Administrator, screen_id: ScreenId) -> None:
        """For good: its open sockets close within seconds, on every replica."""
        if not await shelf.revoke_screen(screen_id, admin.by):
            raise not_found("screen")

    return router


def _own(router: APIRouter, assignments: Assignments) -> None:
    @router.get("/v1/screen", summary="What this screen shows", responses=refusals(401))
    async def read_own(identity: Somebody) -> Response:
        """`{"screen": {"screen_id", "name", "views"}}`, as the live socket's hello has it: its
        views in turn, each with its `seconds` (null: for good); no view: the whole city. Null for
        whoever is not a screen."""
        own = {"screen": await assignments.of(identity)}
        return Response(msgspec.json.encode(own), media_type="application/json")


async def _check(shelf: Screens, change: ScreenChange, clock: Clock) -> None:
    named = change.model_fields_set
    if "name" in named and not change.name:
        raise invalid([("/name", "a screen needs a name", "empty")])
    if change.view_id is not None and await shelf.view(change.view_id) is None:
        raise invalid([("/view_id", f"there is no view {change.view_id}", "unknown")])
    if change.expires_at is not None and change.expires_at <= clock():
        raise invalid([("/expires_at", "this moment is past; DELETE revokes a screen", "past")])


def _found(screen: Screen | None) -> Screen:
    if screen is None:
        raise not_found("screen")
    return screen
