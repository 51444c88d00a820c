"""`/v1/session`: people log in, ask who they are, log out."""

from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from services.ops_center.login import SESSION_HOURS, Login, TooManyAttempts
from shared.clock import Clock, monotonic
from shared.web.auth import SESSION_COOKIE, identify_request, is_foreign_origin, token_of
from shared.web.authenticator import Authenticator
from shared.web.identity import Identity
from shared.web.problems import Problem


class Credentials(BaseModel):
    """What a person types."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    password: Annotated[str, Field(min_length=1, max_length=256)]


Someone = Annotated[Identity, Depends(identify_request)]


class Sessions(Protocol):
    """Where sessions are kept."""

    async def open_session(self, username: str, now: datetime) -> str:
        """A new session's token."""
        ...

    async def close_session(self, token: str) -> None:
        """The token is worth nothing any more."""
        ...


def session_router(sessions: Sessions, login: Login, clock: Clock) -> APIRouter:
    """The cookie is for browsers; the token in the answer is used as `Authorization: Bearer`."""
    router = APIRouter(tags=["session"])

    @router.post("/v1/session")
    async def log_in(request: Request, given: Credentials) -> Response:
        """Opens a session of 12 hours. 401: wrong; 429: too many wrong ones."""
        if is_foreign_origin(request):
            raise Problem(403, "Forbidden", "Request from another site.", code="cross_site")
        address = request.client.host if request.client is not None else ""
        try:
            account = await login.check(given.username, given.password, address, monotonic())
        except TooManyAttempts as error:
            raise _throttled(error) from None
        if account is None:
            raise Problem(401, "Unauthorised", "Wrong name or password.", code="wrong_password")
        token = await sessions.open_session(account.username, clock())
        answer = {"token": token, "username": account.username, "role": account.role}
        response = JSONResponse(answer, headers={"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        _set_cookie(response, token, SESSION_HOURS * 3600, secure)
        return response

    @router.get("/v1/session")
    async def who_am_i(identity: Someone) -> dict[str, Any]:
        """The identity behind the token: kind `person`, `screen` or `key`."""
        return {"username": identity.name, "role": identity.role, "kind": identity.kind}

    @router.delete("/v1/session", status_code=204)
    async def log_out(request: Request, identity: Someone) -> Response:
        """Ends the session behind the token."""
        if identity.kind != "person":
            raise Problem(403, "Forbidden", "Only a person's session can be ended.", code="role")
        token = token_of(request) or ""
        await sessions.close_session(token)
        authenticator: Authenticator = request.app.state.authenticator
        authenticator.forget(token)
        response = Response(status_code=204)
        _set_cookie(response, "", 0, request.url.scheme == "https")
        return response

    return router


def _set_cookie(response: Response, token: str, seconds: int, secure: bool) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=secure,
    )


def _throttled(error: TooManyAttempts) -> Problem:
    seconds = str(error.retry_after_seconds)
    detail = f"Too many failed attempts; try again in {seconds} s."
    headers = {"Retry-After": seconds}
    return Problem(429, "Too many attempts", detail, code="too_many_attempts", headers=headers)
