"""Who is asking, over HTTP: API keys (services), sessions (people), screen tokens (walls)."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection

from shared.web.authenticator import Authenticator
from shared.web.identity import Identity
from shared.web.problems import Problem

SESSION_COOKIE = "yiwang_session"
SHOWN_OF_SCREENS = 14  # letters of a screen's token: `yw_screen_` and four more
ROLES = ("screen", "viewer", "operator", "dispatcher", "admin")


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


def is_foreign_origin(connection: HTTPConnection) -> bool:
    """True when a browser says that another site's page makes this request."""
    if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = connection.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != connection.headers.get("host")


async def identify_request(connection: HTTPConnection) -> Identity:
    """The identity behind a request; 401 without one, 403 for a forged cross-site request."""
    token = token_of(connection)
    authenticator: Authenticator = connection.app.state.authenticator
    identity = await authenticator.identify(token) if token else None
    if identity is None:
        raise unauthorised("A valid API key, session or screen token is needed.")
    rides_on_cookie = "authorization" not in connection.headers
    unsafe = connection.scope.get("method", "GET") not in ("GET", "HEAD", "OPTIONS")
    if rides_on_cookie and unsafe and is_foreign_origin(connection):
        raise Problem(403, "Forbidden", "Request from another site.", code="cross_site")
    return identity


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
    """A dependency that admits API keys with `scope`, and administrators."""

    async def check(identity: Someone) -> Identity:
        if scope == "register" and identity.restrictions is not None:
            raise confined()
        if scope in identity.scopes or identity.role == "admin":
            return identity
        raise Problem(403, "Forbidden", f"This needs a key with the scope '{scope}'.", code="scope")

    return check


def require_role(role: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency that admits people of at least `role`; `viewer` also admits screens and keys
    (reading only)."""

    async def check(identity: Someone) -> Identity:
        if role == "viewer" or (
            identity.role in ROLES and ROLES.index(identity.role) >= ROLES.index(role)
        ):
            return identity
        raise Problem(403, "Forbidden", f"This needs the role '{role}'.", code="role")

    return check


def require_role_or_scope(role: str, scope: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency that admits people of at least `role`, and API keys with `scope`."""
    check_role = require_role(role)

    async def check(identity: Someone) -> Identity:
        return identity if scope in identity.scopes else await check_role(identity)

    return check
