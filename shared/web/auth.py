"""Who is asking, over HTTP: API keys (services), sessions (people), screen tokens (walls)."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from shared.web.authenticator import Authenticator
from shared.web.disclosing import refuse_unlent, remember_identity
from shared.web.identity import Identity, Origin
from shared.web.problems import Problem
from shared.web.rights import lacking, may, may_look, may_somewhere, works_for

SESSION_COOKIE = "yiwang_session"
SHOWN_OF_SCREENS = 14  # letters of a screen's token: `yw_screen_` and four more


def new_token(prefix: str) -> str:
    """A fresh secret such as `yw_key_…`: 256 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_of(connection: HTTPConnection) -> str | None:
    """Bearer header, else session cookie, else `?token=` (sockets only: a browser's socket
    cannot carry a header)."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    cookie = connection.cookies.get(SESSION_COOKIE)
    if cookie:
        return cookie
    if connection.scope["type"] == "websocket":
        return connection.query_params.get("token")
    return None


def set_session_cookie(
    response: Response, token: str, seconds: int, request: HTTPConnection
) -> None:
    """For browsers: no script reads it, no other site's page sends it, https keeps it to https."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def is_foreign_origin(connection: HTTPConnection) -> bool:
    """True when a browser says that another site's page makes this request."""
    if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = connection.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != connection.headers.get("host")


def origin_of_scope(scope: Scope) -> Origin:
    """Where a request comes from; its id is made by whoever asks for it first."""
    number = scope.setdefault("state", {}).setdefault("request_id", uuid4().hex)
    client = scope.get("client")
    return Origin(client[0] if client else "", number)


def origin_of(connection: HTTPConnection) -> Origin:
    """The same, of a request."""
    return origin_of_scope(connection.scope)


async def identify_any(connection: HTTPConnection) -> Identity:
    """The identity behind a request, even of somebody who has to change the password first; 401
    without one, 403 for a forged cross-site request."""
    token = token_of(connection)
    authenticator: Authenticator = connection.app.state.authenticator
    identity = await authenticator.identify(token) if token else None
    if identity is None:
        raise unauthorised("A valid API key, session or screen token is needed.")
    rides_on_cookie = "authorization" not in connection.headers
    unsafe = connection.scope.get("method", "GET") not in ("GET", "HEAD", "OPTIONS")
    if rides_on_cookie and unsafe and is_foreign_origin(connection):
        raise cross_site()
    refuse_unlent(connection.app.state.disclosure, identity, connection.scope)
    identity = identity.coming_from(origin_of(connection))
    remember_identity(connection.scope, identity)
    return identity


async def identify_request(connection: HTTPConnection) -> Identity:
    """As `identify_any`; 403 too for whoever has to change the password first."""
    identity = await identify_any(connection)
    if identity.must_change:
        detail = "The password was given by somebody else: change it with PUT /v1/session/password."
        raise Problem(403, "Forbidden", detail, code="password_change_needed")
    return identity


def cross_site() -> Problem:
    """403: a page of another site makes a browser ask."""
    return Problem(403, "Forbidden", "Request from another site.", code="cross_site")


def unauthorised(detail: str) -> Problem:
    """401 with the header that says how to authenticate."""
    return Problem(
        401,
        "Unauthorised",
        detail,
        code="unauthorised",
        headers={"WWW-Authenticate": 'Bearer realm="yiwang"'},
    )


Someone = Annotated[Identity, Depends(identify_request)]


def confined() -> Problem:
    """403: by moving another's sensor into its own area a confined key would leave it."""
    detail = "A key that is confined to domains, areas or metrics cannot register sensors."
    return Problem(403, "Forbidden", detail, code="confined")


def require_scope(scope: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency that admits API keys with `scope`, and administrators of the whole city."""

    async def check(identity: Someone) -> Identity:
        if scope == "register" and identity.restrictions is not None:
            raise confined()
        if scope in identity.scopes or may(identity, "admin"):
            return identity
        raise Problem(403, "Forbidden", f"This needs a key with the scope '{scope}'.", code="scope")

    return check


def require_role(
    role: str, *, somewhere: bool = False, handling: bool = False
) -> Callable[..., Awaitable[Identity]]:
    """A dependency that admits people who have at least `role` in the whole city; `somewhere`: in
    some place at least, which is enough to look, and otherwise judged again (`rights.demand`) when
    the place is known. `handling`: the people of any department too, judged again when it is known
    which department has the case. `viewer` also admits screens and keys (reading only)."""
    has = may_somewhere if somewhere else may

    async def check(identity: Someone) -> Identity:
        if may_look(identity) if role == "viewer" else has(identity, role):
            return identity
        if handling and works_for(identity, identity.department):
            return identity
        raise lacking(role)

    return check


def require_role_or_scope(role: str, scope: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency that admits people of at least `role` somewhere, and API keys with `scope`."""
    check_role = require_role(role, somewhere=True)

    async def check(identity: Someone) -> Identity:
        return identity if scope in identity.scopes else await check_role(identity)

    return check
