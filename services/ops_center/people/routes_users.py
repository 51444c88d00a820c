"""`/v1/users`: accounts over HTTP, for administrators."""

import secrets
from datetime import timedelta
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from services.ops_center.accounts import Accounts
from services.ops_center.people.user import (
    NAME,
    GrantBody,
    OneTime,
    SessionList,
    User,
    UserChange,
    UserIn,
    UserList,
)
from services.ops_center.people.users import LastAdministrator, NameTaken, Users
from shared.clock import Clock
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, to_cursor
from shared.web.identity import Identity
from shared.web.problems import Problem, invalid, refusals

ONE_TIME = timedelta(hours=72)  # a password that was given must be changed by then
Admin = Annotated[Identity, Depends(require_role("admin"))]
Username = Annotated[str, Path(pattern=NAME, examples=["li.na"])]


class Hasher(Protocol):
    """See `login.Login`."""

    async def hashed(self, password: str) -> str:
        """What the database keeps of a password."""
        ...


def users_router(users: Users, accounts: Accounts, hasher: Hasher, clock: Clock) -> APIRouter:
    """List, make, change, reset, and what is open of whom."""
    router = APIRouter(prefix="/v1/users", tags=["users"])

    @router.get("", summary="List accounts", responses=refusals(401, 403))
    async def list_users(
        _: Admin, limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: str | None = None
    ) -> UserList:
        """By name, the disabled ones too."""
        found = await users.page(from_cursor(cursor) or "", limit + 1)
        following = to_cursor(found[limit - 1].username) if len(found) > limit else None
        return UserList(items=found[:limit], next=following)

    @router.post("", status_code=201, summary="Make an account",
                 responses=refusals(401, 403, 409, 422))  # fmt: skip
    async def make_user(admin: Admin, wanted: UserIn, response: Response) -> OneTime:
        """The answer holds the one-time password, this once; it is valid for three days."""
        await _check(users, wanted.grants, wanted.department)
        response.headers["cache-control"] = "no-store"
        password, until = wanted.password or secrets.token_urlsafe(12), clock() + ONE_TIME
        try:
            made = await users.make(wanted, await hasher.hashed(password), until, admin.by)
        except NameTaken:
            detail = f"There is an account {wanted.username}."
            raise Problem(409, "Name taken", detail, code="name_taken") from None
        shown = None if wanted.password else password
        return OneTime(user=made, password=shown, valid_until=until)

    @router.get("/{username}", summary="One account", responses=refusals(401, 403, 404))
    async def read_user(_: Admin, username: Username) -> User:
        """With its grants."""
        return _found(await users.get(username), username)

    @router.patch("/{username}", summary="Change an account, disable or enable it",
                  responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def change_user(admin: Admin, username: Username, change: UserChange) -> User:
        """It holds everywhere, on open sockets too, within seconds."""
        await _check(users, change.grants or [], change.department)
        try:
            return _found(await users.change(username, change, admin.by), username)
        except LastAdministrator:
            detail = "This is the last administrator of the whole city: make another one first."
            raise Problem(409, "Conflict", detail, code="last_administrator") from None

    @router.post("/{username}/reset-password", summary="Give somebody a one-time password",
                 responses=refusals(401, 403, 404, 409))  # fmt: skip
    async def reset_password(admin: Admin, username: Username, response: Response) -> OneTime:
        """Shown this once, valid for three days, to be changed at the next login; every session of
        the account ends."""
        found = _found(await users.get(username), username)
        if found.login == "oidc":
            raise Problem(409, "Conflict", "This account logs in by OIDC.", code="no_password")
        response.headers["cache-control"] = "no-store"
        password, until = secrets.token_urlsafe(12), clock() + ONE_TIME
        hashed = await hasher.hashed(password)
        user = _found(await users.reset(username, hashed, until, admin.by), username)
        return OneTime(user=user, password=password, valid_until=until)

    _add_sessions(router, users, accounts, clock)
    return router


def _add_sessions(router: APIRouter, users: Users, accounts: Accounts, clock: Clock) -> None:
    @router.get("/{username}/sessions", summary="Where somebody is logged in",
                responses=refusals(401, 403, 404))  # fmt: skip
    async def list_sessions(_: Admin, username: Username) -> SessionList:
        """Newest first."""
        _found(await users.get(username), username)
        return SessionList.model_validate(
            {"items": await accounts.sessions_of(username, clock(), "")}
        )

    @router.delete("/{username}/sessions", status_code=204, summary="Log somebody out everywhere",
                   responses=refusals(401, 403, 404))  # fmt: skip
    async def end_sessions(admin: Admin, username: Username) -> None:
        """Within seconds, on open sockets too."""
        _found(await users.get(username), username)
        await accounts.close_others(username, admin.by)

    @router.delete("/{username}/sessions/{session_id}", status_code=204,
                   summary="End somebody's session", responses=refusals(401, 403, 404))  # fmt: skip
    async def end_session(admin: Admin, username: Username, session_id: UUID) -> None:
        """One of them."""
        if not await accounts.close_one(username, session_id, admin.by):
            raise Problem(404, "Not found", "There is no such session.", code="not_found")


async def _check(users: Users, grants: list[GrantBody], department: str | None) -> None:
    wrong = [
        (pointer, f"there is no {name}", "unknown")
        for pointer, name in await users.unknown(grants, department)
    ]
    if wrong:
        raise invalid(wrong)


def _found(user: User | None, username: str) -> User:
    if user is None:
        detail = f"There is no account {username}."
        raise Problem(404, "Not found", detail, code="not_found")
    return user
