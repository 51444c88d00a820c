"""`/v1/sessions` and `/v1/session/password`: what people do with their own account."""

from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from services.ops_center.accounts import Accounts
from services.ops_center.login import Account
from services.ops_center.people.user import PasswordChange, SessionList
from services.ops_center.people.users import Users
from shared.clock import Clock
from shared.web.auth import identify_any, identify_request, token_of
from shared.web.authenticator import Authenticator
from shared.web.identity import Identity
from shared.web.problems import Problem


async def person(identity: Annotated[Identity, Depends(identify_request)]) -> Identity:
    """Somebody with an account; keys and screens have none."""
    return _person(identity)


async def any_person(identity: Annotated[Identity, Depends(identify_any)]) -> Identity:
    """The same, even before a password that somebody else gave is changed."""
    return _person(identity)


Person = Annotated[Identity, Depends(person)]
AnyPerson = Annotated[Identity, Depends(any_person)]


class Passwords(Protocol):
    """See `login.Login`."""

    async def matches(self, account: Account, password: str) -> bool:
        """Whether that is the password of an account."""
        ...

    async def hashed(self, password: str) -> str:
        """What the database keeps of a password."""
        ...


def account_router(
    users: Users, accounts: Accounts, passwords: Passwords, clock: Clock
) -> APIRouter:
    """Own sessions and password."""
    router = APIRouter(tags=["session"])

    @router.put("/v1/session/password", status_code=204, summary="Change your password")
    async def change_password(who: AnyPerson, request: Request, body: PasswordChange) -> None:
        """Your other sessions end; this one goes on, and may now do what your grants say."""
        account = await accounts.find(who.name)
        if account is None or not await passwords.matches(account, body.current):
            detail = "/current: this is not your password"
            raise _refused("wrong_password", "/current", detail)
        if body.new in (body.current, who.name):
            raise _refused("same_password", "/new", "/new: choose one that is new")
        token = token_of(request) or ""
        await users.set_password(who.name, await passwords.hashed(body.new), token, who.by)
        authenticator: Authenticator = request.app.state.authenticator
        authenticator.forget(token)

    @router.get("/v1/sessions", summary="Where you are logged in")
    async def list_sessions(who: Person, request: Request) -> SessionList:
        """Newest first."""
        found = await accounts.sessions_of(who.name, clock(), token_of(request) or "")
        return SessionList.model_validate({"items": found})

    @router.delete("/v1/sessions", status_code=204, summary="Log out everywhere else")
    async def end_others(who: Person, request: Request) -> None:
        """All your sessions but this one."""
        await accounts.close_others(who.name, who.by, token_of(request))

    @router.delete("/v1/sessions/{session_id}", status_code=204, summary="End a session of yours")
    async def end_session(who: Person, session_id: UUID) -> None:
        """Within seconds, on open sockets too."""
        if not await accounts.close_one(who.name, session_id, who.by):
            raise Problem(404, "Not found", "There is no such session.", code="not_found")

    return router


def _person(identity: Identity) -> Identity:
    if identity.kind != "person":
        raise Problem(403, "Forbidden", "This needs a person's session.", code="role")
    return identity


def _refused(code: str, pointer: str, detail: str) -> Problem:
    return Problem(422, "Invalid request", detail, code=code, pointer=pointer)
