"""`WS /v1/live`: the door of the live picture."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect

from services.ops_center.client import Client, Frame
from services.ops_center.hub import Hub
from services.ops_center.metrics import REFUSED
from services.ops_center.protocol import (
    BAD_FRAME,
    CROSS_SITE,
    HELLO_SECONDS,
    TRY_AGAIN,
    UNAUTHORISED,
    ClientFrame,
    Refusal,
    decode_client,
    decode_hello,
)
from shared.clock import monotonic
from shared.contracts.live import (
    ClientFilter,
    ClientHello,
    ClientPainted,
    ClientPing,
    ScreenInfo,
)
from shared.errors import Overloaded
from shared.web.auth import SESSION_COOKIE, is_foreign_origin, token_of
from shared.web.authenticator import Authenticator
from shared.web.identity import Identity

READY_SECONDS = 30.0
CATCH_UP_SECONDS = 2.0
RECHECK_SECONDS = 5.0  # a socket outlives its session, token or rights by no more
CLOSE_SECONDS = 2.0
FRAMES_PER_CHECK = 100
FILTERS_PER_CHECK = 10  # each costs a snapshot
ABNORMAL = 1006  # never sent: the socket is already closed


Assigned = Callable[[Identity], Awaitable[ScreenInfo | None]]


class _Socket:
    """A `Screen`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, frame: Frame) -> None:
        kind = "text" if isinstance(frame, str) else "bytes"
        await self._socket.send({"type": "websocket.send", kind: frame})


def live_router(hub: Hub, assigned: Assigned) -> APIRouter:
    """The socket. Its frames: `shared/contracts/live.py`. `assigned`: what a screen is to show."""
    router = APIRouter()

    @router.websocket("/v1/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await _serve(hub, socket, assigned)
        except Refusal as refusal:
            REFUSED.labels(str(refusal.code)).inc()
            await _close(socket, refusal.code, refusal.reason)
        except WebSocketDisconnect:
            pass

    return router


async def _serve(hub: Hub, socket: WebSocket, assigned: Assigned) -> None:
    token, identity = await _admit(socket)
    hello = await _greeted(socket)
    await hub.ready(READY_SECONDS)
    if hello.resume is not None:
        await hub.catch_up_with(hello.resume, CATCH_UP_SECONDS)
    shown = await _asked(assigned, identity)
    client = hub.join(_Socket(socket), hello, identity.restrictions, shown)
    tasks: set[asyncio.Future[Any]] = {
        asyncio.ensure_future(_listen(hub, socket, client)),
        asyncio.ensure_future(_watch(hub, socket, client, token, assigned)),
    }
    try:
        await asyncio.wait({*tasks, client.gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()  # raises why it ended
        code, reason = client.gone.result()
        if code != ABNORMAL:
            raise Refusal(code, reason)
    finally:
        for task in tasks:
            task.cancel()
        hub.leave(client)


async def _admit(socket: WebSocket) -> tuple[str, Identity]:
    """The token that admits this socket, and who is behind it. A page's own `?token=` comes before
    the browser's cookie, which may be somebody's expired session."""
    own = token_of(socket)
    for token in (socket.query_params.get("token"), own):
        identity = await _identify(socket, token) if token else None
        if token and identity is not None:
            if token == own and _rides_on_cookie(socket) and is_foreign_origin(socket):
                raise Refusal(CROSS_SITE, "a page of another site may not use this session")
            return token, identity
    raise Refusal(UNAUTHORISED, "a valid API key, session or screen token is needed")


async def _identify(socket: WebSocket, token: str) -> Identity | None:
    authenticator: Authenticator = socket.app.state.authenticator
    try:
        return await authenticator.identify(token)
    except (SQLAlchemyError, Overloaded):
        raise Refusal(TRY_AGAIN, "credentials cannot be checked now") from None


async def _asked(assigned: Assigned, identity: Identity) -> ScreenInfo | None:
    try:
        return await assigned(identity)
    except SQLAlchemyError:
        raise Refusal(TRY_AGAIN, "what this screen shows cannot be looked up now") from None


def _rides_on_cookie(socket: WebSocket) -> bool:
    return SESSION_COOKIE in socket.cookies and "authorization" not in socket.headers


async def _greeted(socket: WebSocket) -> ClientHello:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            return decode_hello(await _receive(socket))
    except TimeoutError:
        raise Refusal(BAD_FRAME, f"no hello within {HELLO_SECONDS:.0f} s") from None


async def _listen(hub: Hub, socket: WebSocket, client: Client) -> None:
    """Until the socket closes (`WebSocketDisconnect`) or must be closed (`Refusal`)."""
    while True:
        check_at, frames, filters = monotonic() + RECHECK_SECONDS, 0, 0
        while monotonic() < check_at:
            frame = decode_client(await _receive(socket))
            client.heard = monotonic()
            frames += 1
            filters += isinstance(frame, ClientFilter)
            if frames > FRAMES_PER_CHECK or filters > FILTERS_PER_CHECK:
                raise Refusal(BAD_FRAME, "too many frames")
            _take(hub, client, frame)


def _take(hub: Hub, client: Client, frame: ClientFrame) -> None:
    match frame:
        case ClientPing():
            hub.answer_ping(client)
        case ClientPainted():
            hub.painted(frame.sent_at)
        case ClientFilter():
            hub.refilter(client, frame.filter)
        case ClientHello():
            raise Refusal(BAD_FRAME, "hello comes once")


async def _watch(
    hub: Hub, socket: WebSocket, client: Client, token: str, assigned: Assigned
) -> None:
    """Follow what the token is worth and what the screen is to show."""
    while True:
        await asyncio.sleep(RECHECK_SECONDS)
        try:
            identity = await _identify(socket, token)
            shown = None if identity is None else await _asked(assigned, identity)
        except Refusal:  # the database is away: that is no reason to darken the walls
            continue
        if identity is None:
            raise Refusal(UNAUTHORISED, "the session or token has ended")
        hub.assign(client, shown)
        hub.confine(client, identity.restrictions)


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
