"""`/v1/keys`: API keys over HTTP, for administrators."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from services.ingest.keys.key import Key, KeyChange, KeyIn, KeyList, NewToken, Rotation
from services.ingest.keys.repository import NameTaken
from shared.clock import Clock
from shared.store.audit import By
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, to_cursor
from shared.web.identity import Identity
from shared.web.problems import Problem, invalid, refusals

Administrator = Annotated[Identity, Depends(require_role("admin"))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]
KeyId = Annotated[str, Path(pattern="^[A-Za-z0-9._:-]{1,64}$")]


class Shelf(Protocol):
    """See `repository.KeyShelf`."""

    async def list_keys(self, revoked: bool, after: str | None, limit: int) -> list[Key]:
        """By id."""
        ...

    async def key(self, key_id: str) -> Key | None:
        """One."""
        ...

    async def unknown(self, change: KeyChange) -> Sequence[tuple[str, str]]:
        """(JSON pointer, id) of what does not exist."""
        ...

    async def make(self, wanted: KeyChange, maker: str, by: By) -> NewToken:
        """Raises `NameTaken`."""
        ...

    async def change(self, key_id: str, change: KeyChange, by: By) -> Key | None:
        """Raises `NameTaken`."""
        ...

    async def rotate(self, key_id: str, overlap_seconds: int, by: By) -> NewToken | None:
        """A new token."""
        ...

    async def revoke(self, key_id: str, by: By) -> bool:
        """For good."""
        ...

    async def is_lent(self, key_id: str) -> bool:
        """Whether it is a grant's."""
        ...


def keys_router(shelf: Shelf, clock: Clock) -> APIRouter:
    """List, make, change, rotate, revoke."""
    router = APIRouter(tags=["keys"])

    @router.get("/v1/keys", summary="List API keys", responses=refusals(401, 403))
    async def list_keys(
        _: Administrator, limit: Limit = 100, cursor: Text = None, revoked: bool = False
    ) -> KeyList:
        """Tokens are not shown: only how they begin. `revoked=true` lists revoked keys too."""
        found = await shelf.list_keys(revoked, from_cursor(cursor), limit + 1)
        following = to_cursor(found[limit - 1].key_id) if len(found) > limit else None
        return KeyList(items=found[:limit], next=following)

    @router.post("/v1/keys", status_code=201, summary="Make an API key",
                 responses=refusals(401, 403, 409, 422))  # fmt: skip
    async def make_key(admin: Administrator, wanted: KeyIn, response: Response) -> NewToken:
        """The answer holds the token, this once."""
        await _check(shelf, wanted, clock)
        response.headers["cache-control"] = "no-store"
        try:
            return await shelf.make(wanted, admin.name, admin.by)
        except NameTaken:
            raise _taken() from None

    @router.get("/v1/keys/{key_id}", summary="One API key", responses=refusals(401, 403, 404))
    async def read_key(_: Administrator, key_id: KeyId) -> Key:
        """Its token is not shown."""
        return _found(await shelf.key(key_id))

    _add_changes(router, shelf, clock)
    return router


def _add_changes(router: APIRouter, shelf: Shelf, clock: Clock) -> None:
    @router.patch("/v1/keys/{key_id}", summary="Change an API key",
                  responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def change_key(admin: Administrator, key_id: KeyId, change: KeyChange) -> Key:
        """What the body names; it holds everywhere within two seconds."""
        await _refuse_lent(shelf, key_id)
        await _check(shelf, change, clock)
        try:
            changed = await shelf.change(key_id, change, admin.by)
        except NameTaken:
            raise _taken() from None
        return changed or await _gone(shelf, key_id)

    @router.delete("/v1/keys/{key_id}", status_code=204, summary="Revoke an API key",
                   responses=refusals(401, 403, 404, 409))  # fmt: skip
    async def revoke_key(admin: Administrator, key_id: KeyId) -> None:
        """For good, all its tokens, everywhere within two seconds. Doing it twice is no error."""
        await _refuse_lent(shelf, key_id)
        if not await shelf.revoke(key_id, admin.by):
            raise _unknown()

    @router.post("/v1/keys/{key_id}/rotate", summary="Give an API key a new token",
                 responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def rotate_key(
        admin: Administrator, key_id: KeyId, response: Response, rotation: Rotation | None = None
    ) -> NewToken:
        """The token that is replaced stays valid for `overlap_seconds`, a day unless said
        otherwise; one that was replaced before it ends at once."""
        await _refuse_lent(shelf, key_id)
        response.headers["cache-control"] = "no-store"
        seconds = (rotation or Rotation()).overlap_seconds
        made = await shelf.rotate(key_id, seconds, admin.by)
        if made is None:
            await _gone(shelf, key_id)
        assert made is not None
        return made


async def _refuse_lent(shelf: Shelf, key_id: str) -> None:
    """A grant's key is what the grant says, and its token is for who asked for it."""
    if await shelf.is_lent(key_id):
        detail = "This key is a grant's: see POST /v1/grants/{id}/revoke."
        raise Problem(409, "Conflict", detail, code="lent")


async def _check(shelf: Shelf, change: KeyChange, clock: Clock) -> None:
    wrong = [
        (pointer, f"there is no {name}", "unknown") for pointer, name in await shelf.unknown(change)
    ]
    if "name" in change.model_fields_set and not change.name:
        wrong.append(("/name", "a key needs a name", "empty"))
    if change.expires_at is not None and change.expires_at <= clock():
        wrong.append(("/expires_at", "this moment is past; DELETE revokes a key", "past"))
    if wrong:
        raise invalid(wrong)


async def _gone(shelf: Shelf, key_id: str) -> Key:
    """A key that cannot be changed: unknown or revoked. Always raises."""
    _found(await shelf.key(key_id))
    raise Problem(409, "Revoked", "This key is revoked: make a new one.", code="revoked")


def _found(key: Key | None) -> Key:
    if key is None:
        raise _unknown()
    return key


def _unknown() -> Problem:
    return Problem(404, "Not found", "There is no key of this id.", code="not_found")


def _taken() -> Problem:
    return Problem(409, "Name taken", "Another key has this name.", code="name_taken")
