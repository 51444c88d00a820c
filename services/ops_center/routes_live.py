"""`WS /v1/live`: the door of the live picture."""

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from services.ops_center.client import Client
from services.ops_center.door import ABNORMAL, Socket, admit, close, first_words, listen
from services.ops_center.hub import Hub
from services.ops_center.metrics import REFUSED
from services.ops_center.protocol import BAD_FRAME, Refusal, decode_client, decode_hello
from shared.contracts.live import ClientHello

READY_SECONDS = 30.0


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
            await close(socket, refusal.code, refusal.reason)
        except WebSocketDisconnect:
            pass

    return router


async def _serve(hub: Hub, socket: WebSocket) -> None:
    token = await admit(socket)
    hello = decode_hello(await first_words(socket))
    await hub.ready(READY_SECONDS)
    client = hub.join(Socket(socket), hello)
    listening = asyncio.ensure_future(listen(socket, token, partial(_hear, hub, client)))
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


def _hear(hub: Hub, client: Client, text: str | bytes | None) -> None:
    if isinstance(decode_client(text), ClientHello):
        raise Refusal(BAD_FRAME, "hello comes once")
    hub.answer_ping(client)
