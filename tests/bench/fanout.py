"""`fanout`: 1 KiB frames to 1,000 sockets, as quickly as one server process can; more is better.

`value`: frames/s through the service's own hub and socket (a delta of 26 series, encoded once per
tick). `limit`: the `websockets` library's `broadcast` of one ready-made string to as many sockets,
on the same loop, in the same run; rounds alternate. `server_us`, `limit_server_us`: CPU of the
server per frame, which a busy machine blurs less than frames/s; `cpu_ratio` is limit ÷ ours of it,
more is better. Client: one process that reads frame headers alone. Both servers get orders in turns
of 20 frames per socket, so that neither runs away from the client.
"""

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop

from shared.clock import monotonic
from shared.store.embedded import free_port
from tests.bench import cpu, report
from tests.bench.sockets import Counter, connect

SOCKETS = 1_000
FRAMES = 20
AT_ONCE = 50
GREETING = {"ours": 2, "bare": 1}  # frames: hello and snapshot; a word


def run(quick: bool) -> str:
    """Alternating rounds."""
    rounds, turns = (1, 5) if quick else (3, 15)
    machine = report.machine()
    ours: list[float] = []
    limits: list[float] = []
    sizes: list[float] = []
    costs: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(rounds):
        rate, _, cost = _round("bare", turns)
        limits.append(rate)
        costs["bare"].append(cost)
        rate, size, cost = _round("ours", turns)
        ours.append(rate)
        sizes.append(size)
        costs["ours"].append(cost)
    server_us, limit_us = (statistics.median(costs[kind]) * 1e6 for kind in ("ours", "bare"))
    return report.line(
        "fanout", "frames/s", ours, limits,
        limit_is="broadcast() of the bare websockets library, uvloop, no compression",
        load=f"{SOCKETS} sockets, frames of 1,024 bytes (ours: {round(max(sizes))})",
        client="asyncio protocol in one process, counts frame headers",
        server_us=round(server_us, 1), limit_server_us=round(limit_us, 1),
        cpu_ratio=round(limit_us / server_us, 3),
        **machine,
    )  # fmt: skip


def _round(kind: str, turns: int) -> tuple[float, float, float]:
    """(frames/s, bytes per frame, server's CPU seconds per frame)."""
    with _server(kind) as (port, server):
        return uvloop.run(_measure(kind, port, server, turns))


async def _measure(
    kind: str, port: int, server: "subprocess.Popen[bytes]", turns: int
) -> tuple[float, float, float]:
    sockets: list[Counter] = []
    for _ in range(SOCKETS // AT_ONCE):
        sockets += await asyncio.gather(
            *(connect(port, "/v1/live?token=bench") for _ in range(AT_ONCE))
        )
    await _until(sockets, [GREETING[kind]] * SOCKETS)
    before = sum(one.bytes for one in sockets)
    spent = cpu.seconds({kind: server.pid})[kind]
    started = monotonic()
    for _ in range(turns):
        await _turn(server, sockets, FRAMES)
    seconds = monotonic() - started
    spent = cpu.seconds({kind: server.pid})[kind] - spent
    total = SOCKETS * FRAMES * turns
    size = (sum(one.bytes for one in sockets) - before) / total
    for one in sockets:
        one.close()
    return total / seconds, size, spent / total


async def _turn(server: "subprocess.Popen[bytes]", sockets: list[Counter], frames: int) -> None:
    """Order so many frames to each socket and wait until they are there."""
    assert server.stdin is not None
    goals = [one.frames + frames for one in sockets]
    server.stdin.write(f"{frames}\n".encode())
    server.stdin.flush()
    await _until(sockets, goals)


async def _until(sockets: list[Counter], goals: list[int]) -> None:
    async with asyncio.timeout(60):
        for one, goal in zip(sockets, goals, strict=True):
            while one.frames < goal:
                await asyncio.sleep(0.0005)


@contextmanager
def _server(kind: str) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.broadcasters", kind, str(port)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield port, server
    finally:
        server.terminate()
        server.wait(20)
