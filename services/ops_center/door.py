"""The door of every socket: who may come in, what it says first, how it is shown out."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

from fastapi import WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Send
from starlette.websockets import WebSocketDisconnect

from services.ops_center.client import Frame
from services.ops_center.protocol import (
    BAD_FRAME,
    CROSS_SITE,
    HELLO_SECONDS,
    TRY_AGAIN,
    UNAUTHORISED,
    Refusal,
)
from shared.clock import monotonic, system_clock
from shared.disclosure.declaration import Declaration
from shared.errors import Overloaded
from shared.web.auth import SESSION_COOKIE, is_foreign_origin, token_of
from shared.web.authenticator import Authenticator
from shared.web.clearances import clearance_of
from shared.web.endings import Endings
from shared.web.identity import Identity
from shared.web.rights import may_look
from shared.web.wire import framed

RECHECK_SECONDS = 3.0  # a socket outlives its session, token or rights by no more than this and 2 s
FRAMES_PER_CHECK = 60
CLOSE_SECONDS = 2.0
ABNORMAL = 1006  # never sent: the socket is already closed


class Socket:
    """A `Screen`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, frame: Frame) -> None:
        """See `Screen.send`."""
        kind = "text" if isinstance(frame, str) else "bytes"
        await self._socket.send({"type": "websocket.send", kind: frame})


class Wire:
    """A `Screen` straight at the server: a frame is made ready once for all screens that get it,
    and no layer in between costs a coroutine."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def send(self, frame: Frame) -> Coroutine[Any, Any, None]:
        """See `Screen.send`."""
        return cast(Coroutine[Any, Any, None], self._send(framed(frame)))


class Turnstile:
    """Lets one through per turn of the loop, in order: hundreds of screens that come at once, each
    with a handshake and a snapshot, would else hold up everything for as long as all of them
    take."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        try:
            await asyncio.sleep(0)
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class _Unknowable(Refusal):
    """The database is away: no reason to darken the walls that hang there already."""


async def admit(socket: WebSocket) -> tuple[str, Identity]:
    """The token that admits this socket, and who is behind it. A page's own `?token=` comes before
    the browser's cookie, which may be somebody's expired session."""
    own = token_of(socket)
    for token in (socket.query_params.get("token"), own):
        identity = await _identify(socket, token) if token else None
        if token and identity is not None:
            if token == own and _rides_on_cookie(socket) and is_foreign_origin(socket):
                raise Refusal(CROSS_SITE, "a page of another site may not use this session")
            refuse_unlent(socket.app.state.disclosure, identity)
            return token, identity
    raise Refusal(UNAUTHORISED, "a valid API key, session or screen token is needed")


def refuse_unlent(declaration: Declaration, identity: Identity) -> None:
    """A grant's key looks at what is lent to it, while the grant's period lasts."""
    if identity.lent is None:
        return
    clearance = clearance_of(declaration, identity)
    if "readings" not in (clearance.datasets or ()) or not clearance.covers(system_clock()):
        raise Refusal(UNAUTHORISED, "the grant of this key does not lend the live picture")


async def first_words(socket: WebSocket) -> str | bytes | None:
    """The first message. Raises `Refusal` if there is none in time."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            return await _receive(socket)
    except TimeoutError:
        raise Refusal(BAD_FRAME, f"no hello within {HELLO_SECONDS:.0f} s") from None


async def listen(socket: WebSocket, hear: Callable[[str | bytes | None], None]) -> None:
    """Until the socket closes (`WebSocketDisconnect`) or must be closed (`Refusal`, which `hear`
    may raise)."""
    while True:
        check_at, frames = monotonic() + RECHECK_SECONDS, 0
        while monotonic() < check_at:
            text = await _receive(socket)
            frames += 1
            if frames > FRAMES_PER_CHECK:
                raise Refusal(BAD_FRAME, "too many frames")
            hear(text)


async def watch(
    socket: WebSocket,
    token: str,
    key_id: str,
    meet: Callable[[Identity], Awaitable[None]] | None = None,
) -> None:
    """Until the token is worth nothing any more (`Refusal`), at once when its key or screen ends;
    `meet` whoever is behind it, again and again."""
    endings: Endings = socket.app.state.endings
    with endings.watched(key_id) as ended:
        while not await _within(ended, RECHECK_SECONDS):
            await _meet(socket, token, meet)
    raise Refusal(UNAUTHORISED, "the key or token has ended")


async def _within(ended: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await ended.wait()
    return False


async def _meet(
    socket: WebSocket, token: str, meet: Callable[[Identity], Awaitable[None]] | None
) -> None:
    with suppress(_Unknowable):
        identity = await _identify(socket, token)
        if identity is None:
            raise Refusal(UNAUTHORISED, "the session or token has ended")
        if meet is not None:
            await meet(identity)


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Without waiting long for a client that is gone."""
    with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, reason)


async def _identify(socket: WebSocket, token: str) -> Identity | None:
    authenticator: Authenticator = socket.app.state.authenticator
    try:
        identity = await authenticator.identify(token)
    except (SQLAlchemyError, Overloaded):
        raise _Unknowable(TRY_AGAIN, "credentials cannot be checked now") from None
    if identity is None or identity.must_change or not may_look(identity):
        return None
    return identity


def _rides_on_cookie(socket: WebSocket) -> bool:
    return SESSION_COOKIE in socket.cookies and "authorization" not in socket.headers


async def _receive(socket: WebSocket) -> str | bytes | None:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", ABNORMAL))
    text: str | bytes | None = message.get("text")
    return text
