"""`WS /v1/live`: the door of the live picture."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from services.ops_center.client import Client, Screen
from services.ops_center.door import (
    ABNORMAL,
    RECHECK_SECONDS,
    Turnstile,
    Wire,
    admit,
    close,
    first_words,
    listen,
    refuse_unlent,
    watch,
)
from services.ops_center.hub import Hub
from services.ops_center.metrics import REFUSED
from services.ops_center.protocol import (
    BAD_FRAME,
    TRY_AGAIN,
    Refusal,
    decode_client,
    decode_hello,
)
from services.ops_center.telling import DATASETS, Telling, telling_of
from shared.clock import monotonic
from shared.contracts.live import (
    ClientFilter,
    ClientHello,
    ClientPainted,
    ClientPing,
    ScreenInfo,
)
from shared.disclosure.declaration import Declaration
from shared.web.accesses import Accesses
from shared.web.clearances import clearance_of
from shared.web.disclosing import accessed_level
from shared.web.identity import Identity

READY_SECONDS = 30.0
CATCH_UP_SECONDS = 2.0
NOTE_SECONDS = 1_800.0  # so that every hour of a socket is in the log of accesses
FILTERS_PER_CHECK = 10  # each costs a snapshot

Assigned = Callable[[Identity], Awaitable[ScreenInfo | None]]


def live_socket(hub: Hub, assigned: Assigned) -> ASGIApp:
    """The socket. Its frames: `shared/contracts/live.py`. `assigned`: what a screen is to show."""
    turnstile = Turnstile()

    async def live(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        try:
            async with turnstile:
                await socket.accept()
            await _serve(hub, socket, Wire(send), assigned, turnstile)
        except Refusal as refusal:
            REFUSED.labels(str(refusal.code)).inc()
            await close(socket, refusal.code, refusal.reason)
        except WebSocketDisconnect:
            pass

    return live


async def _serve(
    hub: Hub, socket: WebSocket, screen: Screen, assigned: Assigned, turnstile: Turnstile
) -> None:
    token, identity = await admit(socket)
    hello = decode_hello(await first_words(socket))
    await hub.ready(READY_SECONDS)
    if hello.resume is not None:
        await hub.catch_up_with(hello.resume, CATCH_UP_SECONDS)
    seat = _Seat(hub, assigned, socket.app.state)
    shown = await seat.shown(identity)
    async with turnstile:
        telling = seat.telling(identity)
        client = seat.client = hub.join(screen, hello, identity.restrictions, shown, telling)
    seat.note(identity)
    tasks: set[asyncio.Future[Any]] = {
        asyncio.ensure_future(listen(socket, seat.hear)),
        asyncio.ensure_future(watch(socket, token, identity.key_id, seat.meet)),
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


class _Seat:
    """One client's, at the hub."""

    client: Client

    def __init__(self, hub: Hub, assigned: Assigned, state: State) -> None:
        self._hub = hub
        self._assigned = assigned
        self._disclosure: Declaration = state.disclosure
        self._accesses: Accesses = state.accesses
        self._noted_at = -math.inf
        self._filters, self._since = 0, monotonic()

    def hear(self, text: str | bytes | None) -> None:
        """What the client says. Raises `Refusal`."""
        frame = decode_client(text)
        self.client.heard = monotonic()
        match frame:
            case ClientPing():
                self._hub.answer_ping(self.client)
            case ClientPainted():
                self._hub.painted(frame.sent_at)
            case ClientFilter():
                self._count_filter()
                self._hub.refilter(self.client, frame.filter)
            case ClientHello():
                raise Refusal(BAD_FRAME, "hello comes once")

    async def shown(self, identity: Identity) -> ScreenInfo | None:
        """What a screen is to show. Raises `Refusal`."""
        try:
            return await self._assigned(identity)
        except SQLAlchemyError:
            raise Refusal(TRY_AGAIN, "what this screen shows cannot be looked up now") from None

    def telling(self, identity: Identity) -> Telling | None:
        """What it may be told; None: everything."""
        return telling_of(self._disclosure, clearance_of(self._disclosure, identity))

    def note(self, identity: Identity) -> None:
        """That it is told of the picture, now and then while it is."""
        if monotonic() - self._noted_at < NOTE_SECONDS:
            return
        self._noted_at = monotonic()
        clearance = clearance_of(self._disclosure, identity)
        for name in DATASETS:
            if clearance.datasets is None or name in clearance.datasets:
                level = accessed_level(self._disclosure, name, clearance)
                self._accesses.note(identity, name, level)

    async def meet(self, identity: Identity) -> None:
        """Follow what the token is worth and what the screen is to show."""
        try:
            shown = await self.shown(identity)
        except Refusal:  # the database is away: that is no reason to darken the walls
            return
        self._hub.assign(self.client, shown)
        refuse_unlent(self._disclosure, identity)
        self._hub.confine(self.client, identity.restrictions, self.telling(identity))
        self.note(identity)

    def _count_filter(self) -> None:
        if monotonic() - self._since > RECHECK_SECONDS:
            self._filters, self._since = 0, monotonic()
        self._filters += 1
        if self._filters > FILTERS_PER_CHECK:
            raise Refusal(BAD_FRAME, "too many frames")
