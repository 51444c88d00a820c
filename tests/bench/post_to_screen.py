"""`post_to_screen`: a POST is sent → its value has arrived at a screen's socket, under load.

One socket of twenty decodes what it gets and takes the time; the others read and drop.
"""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from shared.clock import monotonic
from tests.bench import cities, load, report, rows

SCREENS = 20
READINGS_PER_SECOND = 1_000
TICK_MS = 250.0
PROBE = "bench-0000"


def run(quick: bool) -> str:
    """One probe every 100 ms beside the load."""
    seconds = 5 if quick else 30
    with cities.embedded() as target:
        data = rows.make(1)
        rows.register(target.url, target.api_key, data.sensors)
        taken = asyncio.run(_measure(target, data.sensors, seconds))
    mean_wait = TICK_MS / 2
    p50 = report.percentile(taken, 0.5) * 1000
    return report.line(
        "post_to_screen", "ms (p50)", [p50], [mean_wait],
        limit_is="mean wait for the 250 ms tick: what remains if everything else took no time",
        client=f"{load.CLIENT}; {SCREENS} sockets of the websockets library",
        load=f"{READINGS_PER_SECOND} readings/s in batches of 100, all on this machine",
        probes=len(taken), **report.latencies_ms(taken),
    )  # fmt: skip


async def _measure(target: cities.Target, sensors: Any, seconds: int) -> list[float]:
    sent: dict[float, float] = {}
    taken: list[float] = []
    address = target.wall.replace("http", "ws", 1) + f"/v1/live?token={target.screen_token}"
    async with asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        watching = [group.create_task(_watch(address, sent, taken, ready))]
        watching += [group.create_task(_drain(address)) for _ in range(SCREENS - 1)]
        await asyncio.wait_for(ready.wait(), 30)
        loading = group.create_task(_load(target, sensors[1:], seconds))
        await _probe(target, sent, seconds)
        await loading
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while len(taken) < len(sent):
                    await asyncio.sleep(0.05)
        for task in watching:
            task.cancel()
    assert len(taken) >= 0.5 * len(sent), f"{len(taken)} of {len(sent)} probes were seen"
    return taken


async def _open(address: str) -> ClientConnection:
    socket = await connect(address, max_size=None)
    await socket.send(json.dumps({"type": "hello", "resume": None, "filter": None}))
    return socket


async def _drain(address: str) -> None:
    socket = await _open(address)
    async for _ in socket:
        pass


async def _watch(
    address: str, sent: dict[float, float], taken: list[float], ready: asyncio.Event
) -> None:
    socket = await _open(address)
    mine = -1
    async for text in socket:
        frame = json.loads(text)
        if frame["type"] == "snapshot" and PROBE in frame["sensors"]["id"]:
            place = frame["sensors"]["id"].index(PROBE)
            mine = frame["series"]["sensor"].index(place)
            ready.set()
        elif frame["type"] == "delta" and mine in frame["series"]:
            value = frame["value"][frame["series"].index(mine)]
            if value in sent:
                taken.append(monotonic() - sent[value])


async def _probe(target: cities.Target, sent: dict[float, float], seconds: int) -> None:
    """A probe whose successor comes within the same tick is conflated, so they are spaced."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    for number in range(seconds * 1000 // 337):
        value = 20 + number / 100
        body = _reading(PROBE, datetime.now(UTC), value)
        message = load.request("/v1/readings", target.api_key, json.dumps(body).encode())
        sent[value] = monotonic()
        writer.write(message)
        assert await load.read_status(reader) == 202
        await asyncio.sleep(0.337 - (monotonic() - sent[value]))
    writer.close()


async def _load(target: cities.Target, sensors: Any, seconds: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    for number in range(seconds * READINGS_PER_SECOND // 100):
        started = monotonic()
        now = datetime.now(UTC)
        items = [
            _reading(sensors[(number * 100 + at) % len(sensors)], now, 40.0 + at / 10)
            for at in range(100)
        ]
        writer.write(load.request("/v1/readings", target.api_key, json.dumps(items).encode()))
        assert await load.read_status(reader) == 202
        await asyncio.sleep(max(0.0, 0.1 - (monotonic() - started)))
    writer.close()


def _reading(sensor: str, moment: datetime, value: float) -> dict[str, Any]:
    return {
        "sensor_id": sensor,
        "metric": rows.METRIC,
        "observed_at": moment.isoformat(),
        "value": value,
    }
