"""`WS /v1/live`: the door of the live picture."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect

from services.ops_center.client import Client
from services.ops_center.hub import Hub
from services.ops_center.metrics import REFUSED
from services.ops_center.protocol import (
    BAD_FRAME,
    CROSS_SITE,
    HELLO_SECONDS,
    TRY_AGAIN,
    UNAUTHORISED,
    Refusal,
    decode_client,
    decode_hello,
)
from shared.clock import monotonic
from shared.contracts.live import ClientHello
from shared.web.auth import SESSION_COOKIE, is_foreign_origin, token_of
from shared.web.authenticator import Authenticator
from shared.web.rights import may_look

READY_SECONDS = 30.0
RECHECK_SECONDS = 3.0  # a socket outlives its session or token by no more than this and 2 s
CLOSE_SECONDS = 2.0
FRAMES_PER_CHECK = 60
ABNORMAL = 1006  # never sent: the socket is already closed


class _Socket:
    """A `Screen`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, frame: str) -> None:
        await self._socket.send({"type": "websocket.send", "text": frame})


def live_router(hub: Hub) -> APIRouter:
    """The socket. Its frames: `shared/contracts/live.py`."""
    router = APIRouter()

    @router.websocket("/v1/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await _serve(hub, socket)
        except Refusal as refusal:
            REFUSED.labels(str(refusal.code)).inc()
            await _close(socket, refusal.code, refusal.reason)
        except WebSocketDisconnect:
            pass

    return router


async def _serve(hub: Hub, socket: WebSocket) -> None:
    token = await _admit(socket)
    hello = await _greeted(socket)
    await hub.ready(READY_SECONDS)
    client = hub.join(_Socket(socket), hello)
    listening = asyncio.ensure_future(_listen(hub, socket, client, token))
    try:
        either: set[asyncio.Future[Any]] = {listening, client.gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()  # raises why it ended
        code, reason = client.gone.result()
        if code != ABNORMAL:
            raise Refusal(code, reason)
    finally:
        listening.cancel()
        hub.leave(client)


async def _admit(socket: WebSocket) -> str:
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
        return identity is not None and not identity.must_change and may_look(identity)
    except SQLAlchemyError:
        raise Refusal(TRY_AGAIN, "credentials cannot be checked now") from None


def _rides_on_cookie(socket: WebSocket) -> bool:
    return SESSION_COOKIE in socket.cookies and "authorization" not in socket.headers


async def _greeted(socket: WebSocket) -> ClientHello:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            return decode_hello(await _receive(socket))
    except TimeoutError:
        raise Refusal(BAD_FRAME, f"no hello within {HELLO_SECONDS:.0f} s") from None


async def _listen(hub: Hub, socket: WebSocket, client: Client, token: str) -> None:
    """Until the socket closes (`WebSocketDisconnect`) or must be closed (`Refusal`)."""
    while True:
        check_at, frames = monotonic() + RECHECK_SECONDS, 0
        with suppress(TimeoutError):
            async with asyncio.timeout(RECHECK_SECONDS):
                while monotonic() < check_at:
                    frame = decode_client(await _receive(socket))
                    frames += 1
                    if isinstance(frame, ClientHello):
                        raise Refusal(BAD_FRAME, "hello comes once")
                    if frames > FRAMES_PER_CHECK:
                        raise Refusal(BAD_FRAME, "too many frames")
                    hub.answer_ping(client)
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


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, reason)
