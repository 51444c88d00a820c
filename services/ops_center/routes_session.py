"""`/v1/session`: people log in, ask who they are, log out."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from services.ops_center.login import SESSION_HOURS, Login, TooManyAttempts
from shared.clock import Clock, monotonic
from shared.store.audit import By
from shared.web.auth import (
    cross_site,
    identify_any,
    is_foreign_origin,
    origin_of,
    set_session_cookie,
    token_of,
)
from shared.web.authenticator import Authenticator
from shared.web.identity import Identity
from shared.web.problems import Problem


class Credentials(BaseModel):
    """What a person types."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    password: Annotated[str, Field(min_length=1, max_length=256)]


Anybody = Annotated[Identity, Depends(identify_any)]


class Sessions(Protocol):
    """Where sessions are kept."""

    async def open_session(self, username: str, now: datetime, by: By, agent: str) -> str:
        """A new session's token."""
        ...

    async def note_refused(self, username: str, now: datetime, by: By) -> None:
        """Record a wrong password."""
        ...

    async def close_session(self, token: str, by: By) -> None:
        """The token is worth nothing any more."""
        ...


def session_router(sessions: Sessions, login: Login, clock: Clock) -> APIRouter:
    """The cookie is for browsers; the token in the answer is used as `Authorization: Bearer`."""
    router = APIRouter(tags=["session"])

    @router.post("/v1/session")
    async def log_in(request: Request, given: Credentials) -> Response:
        """Opens a session of 12 hours. 401: wrong; 429: too many wrong ones."""
        if is_foreign_origin(request):
            raise cross_site()
        origin, name = origin_of(request), given.username
        by = By(name, "person", origin.address, origin.request_id)
        try:
            account = await login.check(name, given.password, origin.address, monotonic())
        except TooManyAttempts as error:
            raise _throttled(error) from None
        if account is None:
            await sessions.note_refused(name, clock(), by)
            raise Problem(401, "Unauthorised", "Wrong name or password.", code="wrong_password")
        agent = request.headers.get("user-agent", "")
        token = await sessions.open_session(name, clock(), by, agent)
        authenticator: Authenticator = request.app.state.authenticator
        identity = await authenticator.identify(token)
        authenticator.forget(token)  # it is looked up anew with its first use
        shown = {} if identity is None else _shown(identity)
        response = JSONResponse({"token": token} | shown, headers={"Cache-Control": "no-store"})
        set_session_cookie(response, token, SESSION_HOURS * 3600, request)
        return response

    @router.get("/v1/session")
    async def who_am_i(identity: Anybody) -> dict[str, Any]:
        """The identity behind the token: kind `person`, `screen` or `key`."""
        return _shown(identity)

    @router.delete("/v1/session", status_code=204)
    async def log_out(request: Request, identity: Anybody) -> Response:
        """Ends the session behind the token."""
        if identity.kind != "person":
            raise Problem(403, "Forbidden", "Only a person's session can be ended.", code="role")
        token = token_of(request) or ""
        await sessions.close_session(token, identity.by)
        authenticator: Authenticator = request.app.state.authenticator
        authenticator.forget(token)
        response = Response(status_code=204)
        set_session_cookie(response, "", 0, request)
        return response

    return router


def _shown(identity: Identity) -> dict[str, Any]:
    """`grants`, `department`: of people; `role`: the highest of the grants.
    `must_change_password`: nothing else is allowed before."""
    return {
        "username": identity.name,
        "role": identity.role,
        "kind": identity.kind,
        "grants": [asdict(grant) for grant in identity.grants],
        "department": identity.department,
        "must_change_password": identity.must_change,
    }


def _throttled(error: TooManyAttempts) -> Problem:
    seconds = str(error.retry_after_seconds)
    detail = f"Too many failed attempts; try again in {seconds} s."
    headers = {"Retry-After": seconds}
    return Problem(429, "Too many attempts", detail, code="too_many_attempts", headers=headers)
