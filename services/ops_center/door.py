"""The door of every socket: who may come in, what it says first, how it is shown out."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fastapi import WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect

from services.ops_center.protocol import (
    BAD_FRAME,
    CROSS_SITE,
    HELLO_SECONDS,
    TRY_AGAIN,
    UNAUTHORISED,
    Refusal,
)
from shared.clock import monotonic
from shared.web.auth import SESSION_COOKIE, is_foreign_origin, token_of
from shared.web.authenticator import Authenticator

RECHECK_SECONDS = 3.0  # a socket outlives its session or token by no more than this and 2 s
FRAMES_PER_CHECK = 60
CLOSE_SECONDS = 2.0
ABNORMAL = 1006  # never sent: the socket is already closed


class Socket:
    """A `Screen`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, frame: str) -> None:
        """See `Screen.send`."""
        await self._socket.send({"type": "websocket.send", "text": frame})


async def admit(socket: WebSocket) -> str:
    """The token that admits this socket. A page's own `?token=` comes before the browser's
    cookie, which may be somebody's expired session."""
    own = token_of(socket)
    for token in (socket.query_params.get("token"), own):
        if token and await _is_known(socket, token):
            if token == own and _rides_on_cookie(socket) and is_foreign_origin(socket):
                raise Refusal(CROSS_SITE, "a page of another site may not use this session")
            return token
    raise Refusal(UNAUTHORISED, "a valid API key, session or screen token is needed")


async def _is_known(socket: WebSocket, token: str) -> bool:
    authenticator: Authenticator = socket.app.state.authenticator
    try:
        identity = await authenticator.identify(token)
        return identity is not None and not identity.must_change
    except SQLAlchemyError:
        raise Refusal(TRY_AGAIN, "credentials cannot be checked now") from None


def _rides_on_cookie(socket: WebSocket) -> bool:
    return SESSION_COOKIE in socket.cookies and "authorization" not in socket.headers


async def first_words(socket: WebSocket) -> str | bytes | None:
    """The first message. Raises `Refusal` if there is none in time."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            return await _receive(socket)
    except TimeoutError:
        raise Refusal(BAD_FRAME, f"no hello within {HELLO_SECONDS:.0f} s") from None


async def listen(socket: WebSocket, token: str, hear: Callable[[str | bytes | None], None]) -> None:
    """Until the socket closes (`WebSocketDisconnect`) or must be closed (`Refusal`, which `hear`
    may raise)."""
    while True:
        check_at, frames = monotonic() + RECHECK_SECONDS, 0
        with suppress(TimeoutError):
            async with asyncio.timeout(RECHECK_SECONDS):
                while monotonic() < check_at:
                    text = await _receive(socket)
                    frames += 1
                    if frames > FRAMES_PER_CHECK:
                        raise Refusal(BAD_FRAME, "too many frames")
                    hear(text)
        await _recheck(socket, token)


async def _recheck(socket: WebSocket, token: str) -> None:
    try:
        known = await _is_known(socket, token)
    except Refusal:  # the database is away: that is no reason to darken the walls
        return
    if not known:
        raise Refusal(UNAUTHORISED, "the session or token has ended")


async def _receive(socket: WebSocket) -> str | bytes | None:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", ABNORMAL))
    text: str | bytes | None = message.get("text")
    return text


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Without waiting long for a client that is gone."""
    with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, reason)
