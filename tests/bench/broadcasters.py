"""The two servers of `fanout`: `python -m tests.bench.broadcasters ours|bare PORT`.

Each sends one 1 KiB text frame to every socket as often as its standard input says (a number per
line), as quickly as it can: `ours` through the service's own hub and socket, `bare` by the
`websockets` library's `broadcast`. Same loop, no compression.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import uvloop
from sqlalchemy import create_engine
from websockets.asyncio.server import ServerConnection, broadcast, serve

from services.ops_center.board import Board
from services.ops_center.hub import Hub
from services.ops_center.picture import Picture
from services.ops_center.protocol import ResyncReason
from services.ops_center.registry import Area, Registry, Sensor
from services.ops_center.routes_live import live_socket
from shared import runtime
from shared.clock import system_clock, to_micros
from shared.contracts.live import MetricInfo, ScreenInfo
from shared.contracts.reading import Reading
from shared.settings import Settings
from shared.web.identity import Identity

FRAME_BYTES = 1024
CHANGED = 26  # series: a delta of at least that size
SENSORS = 500

Send = Callable[[], Awaitable[None]]


async def ours(port: int) -> None:
    """The hub, fed by hand; its socket behind the service's own server and middleware."""
    sensors = [Sensor(f"s-{n:03d}", "", 112.4, 23.0, "1", ("load",)) for n in range(SENSORS)]
    metric = MetricInfo("load", "utilities", "kW", "", "", 0, 1, 60)
    registry = Registry([Area("1", None, "", "")], [metric], sensors)
    picture = Picture(registry, {}, Board([], (0,)), (0,), "log")
    hub = Hub(system_clock, 1)
    hub.show(picture, ResyncReason.RELOADED)
    sent = 0

    async def send() -> None:
        nonlocal sent
        now = to_micros(system_clock())
        picked = [sensors[(sent * CHANGED + n) % SENSORS].sensor_id for n in range(CHANGED)]
        picture.apply_readings(0, sent, [Reading(one, "load", now, 123.25) for one in picked])
        sent += 1
        hub.tick()

    settings = Settings(port=port)
    context = runtime.Context(settings, "", cast(Any, create_engine("sqlite://")), cast(Any, None))
    context.__dict__["authenticator"] = _Everybody()
    service = runtime.Service(
        "ops_center", raw_routes={("WEBSOCKET", "/v1/live"): live_socket(hub, _nothing)}
    )
    server = runtime._server(settings, runtime.make_app(context, [service]))
    serving = asyncio.ensure_future(server.serve())
    await runtime._until_started(server, serving, settings)
    await _obey(send)
    server.should_exit = True
    await serving


async def bare(port: int) -> None:
    """The library alone."""
    sockets: set[ServerConnection] = set()
    frame = "x" * FRAME_BYTES

    async def attend(socket: ServerConnection) -> None:
        await socket.recv()
        sockets.add(socket)
        await socket.send("welcome")
        await socket.wait_closed()
        sockets.discard(socket)

    async def send() -> None:
        broadcast(sockets, frame)

    async with serve(attend, "127.0.0.1", port, compression=None, ping_interval=None):
        await _obey(send)


class _Everybody:
    async def identify(self, _: str) -> Identity:
        """Whoever asks is a screen."""
        return Identity("screen", "bench", "screen", frozenset(), "screen:bench")


async def _nothing(_: Identity) -> ScreenInfo | None:
    return None


async def _obey(send: Send) -> None:
    print("ready", flush=True)
    async for line in _lines():
        for _ in range(int(line)):
            await send()
            await asyncio.sleep(0)


async def _lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line


if __name__ == "__main__":
    uvloop.run({"ours": ours, "bare": bare}[sys.argv[1]](int(sys.argv[2])))
