"""`WS /v1/replay`: the door of the past."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from services.ops_center.door import Socket, admit, close, first_words, listen, watch
from services.ops_center.metrics import REFUSED, REPLAYS
from services.ops_center.protocol import TRY_AGAIN, UNAUTHORISED, Refusal, canonical
from services.ops_center.registry import Registry
from services.ops_center.replay.player import Player
from services.ops_center.replay.reel import Past, Reel
from services.ops_center.replay.requests import Wish, change_of, wish_of
from services.ops_center.telling import DATASETS, telling_of
from services.ops_center.view import refuse_unknown
from shared.clock import Clock
from shared.errors import Unavailable
from shared.web.clearances import clearance_of
from shared.web.disclosing import accessed_level
from shared.web.identity import Identity, Restrictions

NOT_KEPT = 4410
MOST_REPLAYS = 4  # each holds a picture of the city and asks the database all the time


def replay_router(
    past: Past, registry: Callable[[], Awaitable[Registry]], clock: Clock, adcode: int
) -> APIRouter:
    """The socket. Its frames: `shared/contracts/replay.py`. `registry`: the live picture's,
    once there is one."""
    router = APIRouter()
    theatre = Theatre(past, registry, clock, adcode)

    @router.websocket("/v1/replay")
    async def replay(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await theatre.show(socket)
        except Refusal as refusal:
            REFUSED.labels(str(refusal.code)).inc()
            await close(socket, refusal.code, refusal.reason)
        except Unavailable as error:
            await close(socket, TRY_AGAIN, str(error)[:100])
        except (WebSocketDisconnect, TimeoutError):
            pass

    return router


class Theatre:
    """At most `MOST_REPLAYS` at once; one more is refused, not queued."""

    def __init__(
        self, past: Past, registry: Callable[[], Awaitable[Registry]], clock: Clock, adcode: int
    ) -> None:
        self._past = past
        self._registry = registry
        self._clock = clock
        self._adcode = adcode
        self._running = 0

    async def show(self, socket: WebSocket) -> None:
        """One replay, until its socket closes. Raises `Refusal`, `Unavailable`."""
        token, identity = await admit(socket)
        if identity.lent is not None:
            raise Refusal(UNAUTHORISED, "a grant lends the past by GET /v1/history, not as replay")
        wish = wish_of(await first_words(socket), self._clock())
        if self._running >= MOST_REPLAYS:
            raise Refusal(TRY_AGAIN, f"{self._running} replays are under way; try again later")
        self._running += 1
        REPLAYS.set(self._running)
        try:
            await self._refuse_forgotten(wish)
            await self._play(socket, token, identity, wish)
        finally:
            self._running -= 1
            REPLAYS.set(self._running)

    async def _refuse_forgotten(self, wish: Wish) -> None:
        kept = await self._past.kept_from()
        if kept is not None and wish.start < kept:
            raise Refusal(NOT_KEPT, f"readings are kept from {kept.isoformat()} on")

    async def _play(self, socket: WebSocket, token: str, who: Identity, wish: Wish) -> None:
        registry = await self._registry()
        refuse_unknown(wish.filter, registry)
        state, rights = socket.app.state, who.restrictions
        clearance = clearance_of(state.disclosure, who)
        telling = telling_of(state.disclosure, clearance)
        for name in DATASETS:
            level = accessed_level(state.disclosure, name, clearance)
            state.accesses.note(who, name, level)
        sight = canonical(wish.filter, rights, telling)
        reel = Reel(self._past, registry, sight, wish.end, telling)
        player = Player(reel, Socket(socket), wish, registry.city(self._adcode))
        hear = lambda text: player.steer(change_of(text))  # noqa: E731
        jobs: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(player.run()),
            asyncio.ensure_future(listen(socket, hear)),
            asyncio.ensure_future(watch(socket, token, who.key_id, _held_to(rights))),
        }
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()  # raises why it ended
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await reel.close()


def _held_to(rights: Restrictions | None) -> Callable[[Identity], Awaitable[None]]:
    """A replay shows what its viewer might see when it began; with other rights it ends."""

    async def meet(identity: Identity) -> None:
        if identity.restrictions != rights:
            raise Refusal(UNAUTHORISED, "what this session may see has changed")

    return meet
