"""Who is asking: API keys (services), sessions (people), screen tokens (walls).

Tokens are random and long, so their SHA-256 is what the database keeps; passwords are argon2.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import HTTPConnection

from shared.clock import Clock, monotonic
from shared.store.tables import accounts, api_keys, screen_tokens, sessions
from shared.web.problems import Problem

SESSION_COOKIE = "yiwang_session"
ROLES = ("screen", "viewer", "operator", "dispatcher", "admin")
CACHE_SECONDS = 2.0
CACHE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """`role`: "" for keys, "screen" for screens, else one of viewer … admin (ordered)."""

    kind: Literal["key", "person", "screen"]
    name: str
    role: str
    scopes: frozenset[str]


class Authenticator:
    """Looks a token up in the database; remembers the answer for two seconds."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[bytes, tuple[float, Identity | None]] = {}

    async def identify(self, token: str) -> Identity | None:
        """The identity behind a token, None if there is none or it has expired."""
        digest = token_hash(token)
        hit = self._known.get(digest)
        if hit is not None and hit[0] > monotonic():
            return hit[1]
        async with self._engine.connect() as connection:
            identity = await self._look_up(connection, digest)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[digest] = (monotonic() + CACHE_SECONDS, identity)
        return identity

    def forget(self, token: str) -> None:
        """Drop what is remembered of a token that has just been revoked."""
        self._known.pop(token_hash(token), None)

    async def _look_up(self, connection: AsyncConnection, digest: bytes) -> Identity | None:
        for look_up in (_find_key, _find_person, _find_screen):
            identity = await look_up(connection, digest, self._clock)
            if identity is not None:
                return identity
        return None


async def _find_key(connection: AsyncConnection, digest: bytes, clock: Clock) -> Identity | None:
    query = select(api_keys.c.name, api_keys.c.scopes, api_keys.c.expires_at)
    row = (await connection.execute(query.where(api_keys.c.token_sha256 == digest))).first()
    if row is None or (row.expires_at is not None and row.expires_at <= clock()):
        return None
    return Identity("key", row.name, "", frozenset(row.scopes))


async def _find_person(connection: AsyncConnection, digest: bytes, clock: Clock) -> Identity | None:
    query = (
        select(accounts.c.username, accounts.c.role)
        .join(sessions, sessions.c.username == accounts.c.username)
        .where(sessions.c.token_sha256 == digest, sessions.c.expires_at > clock())
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Identity("person", row.username, row.role, frozenset())


async def _find_screen(connection: AsyncConnection, digest: bytes, clock: Clock) -> Identity | None:
    query = select(screen_tokens.c.name).where(screen_tokens.c.token_sha256 == digest)
    row = (await connection.execute(query)).first()
    return None if row is None else Identity("screen", row.name, "screen", frozenset())


def new_token(prefix: str) -> str:
    """A fresh secret such as `yw_key_…`: 256 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


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


def require_scope(scope: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency that admits API keys with `scope`, and administrators."""

    async def check(identity: Someone) -> Identity:
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
