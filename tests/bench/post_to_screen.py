"""`post_to_screen`: a POST is due → a screen has its value, under load; less is better.

Load: 1,000 readings/s in batches of 100, and a probe every 95.5 ms: the golden ratio's share of
the tick, so that any number of probes meets it at evenly spread phases. 20 screens decode every
frame; every (probe, screen) counts, from the moment the probe was due, connecting included.
Client: Python asyncio and the `websockets` library, one process. Denominator (`limit_is`):
`bare_wall.app`, which takes the same POSTs and sends the newest values to the same screens at
the next 250 ms tick, with nothing in between; rounds alternate. `ratio` is value ÷ limit: 1, but
for noise, is the least possible.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import monotonic
from shared.pause import eventually
from tests.bench import bare, cities, cpu, load, report, rows
from tests.bench.screens import Probes, Screen

SCREENS = 20
BATCH = 100
BATCHES_PER_SECOND = 10
CONNECTIONS = 4
PROBE_SECONDS = 0.0955
LIMIT_IS = "p50 of a bare uvicorn app: the same POSTs, sockets and 250 ms tick, nothing in between"


@dataclass(frozen=True)
class Round:
    """`latencies`: seconds per probe and screen; `rate`: readings/s that were really sent."""

    latencies: list[float]
    rate: float
    client_seconds: float

    @property
    def p50_ms(self) -> float:
        """The median."""
        return report.percentile(self.latencies, 0.5) * 1000


def run(quick: bool) -> str:
    """Alternating rounds."""
    seconds, rounds = (5, 1) if quick else (10, 3)
    machine, sensors = report.machine(), rows.names()
    ours: list[Round] = []
    limits: list[Round] = []
    parts: list[dict[str, float]] = []
    with cities.embedded() as target, bare.serving("tests.bench.bare_wall:app") as (port, _):
        rows.register(target.url, target.api_key, sensors)
        live = target.wall.replace("http", "ws", 1) + "/v1/live"
        token = f"?token={target.credentials['screen_token']}"
        for _ in range(rounds):
            cpu.settle(target.roots)
            limits.append(_round(f"ws://127.0.0.1:{port}/", port, "none", sensors, seconds))
            before = cpu.seconds(target.roots)
            ours.append(_round(live + token, target.port, target.api_key, sensors, seconds))
            parts.append(_shares(ours[-1], before, cpu.seconds(target.roots), seconds))
    return report.line(
        "post_to_screen",
        "ms (p50)",
        [each.p50_ms for each in ours],
        [each.p50_ms for each in limits],
        limit_is=LIMIT_IS,
        client=f"{load.CLIENT}; {SCREENS} sockets of the websockets library, deflated; one process",
        load=f"{BATCH * BATCHES_PER_SECOND} readings/s in batches of {BATCH} and a probe every"
        f" {PROBE_SECONDS * 1000:.1f} ms, all on this machine",
        load_sent=round(min(each.rate for each in ours)),
        shape="embedded",
        measured=sum(len(each.latencies) for each in ours),
        **report.latencies_ms([one for each in ours for one in each.latencies]),
        limit_p99_ms=report.latencies_ms([one for each in limits for one in each.latencies])[
            "p99_ms"
        ],
        cores=report.medians(parts, 2),
        **machine,
    )


def _round(address: str, port: int, key: str, sensors: Sequence[str], seconds: int) -> Round:
    before = time.process_time()
    latencies, rate = asyncio.run(_measure(address, port, key, sensors, seconds))
    return Round(latencies, rate, time.process_time() - before)


async def _measure(
    address: str, port: int, key: str, sensors: Sequence[str], seconds: int
) -> tuple[list[float], float]:
    probes = Probes()
    screens = [Screen(sensors[0], probes) for _ in range(SCREENS)]
    await post(
        port, key, reading(sensors[0], rows.now(), 19.0)
    )  # the bare server then knows it too
    async with asyncio.TaskGroup() as group:
        watching = [group.create_task(screen.watch(address)) for screen in screens]
        async with asyncio.timeout(30):
            await asyncio.gather(*(screen.open.wait() for screen in screens))
        loading = group.create_task(offer(port, key, sensors[1:], seconds, BATCHES_PER_SECOND))
        await probe(port, key, sensors[0], probes, seconds)
        rate = await loading
        all_seen = await eventually(_seen(probes), 10)
        for task in watching:
            task.cancel()
    assert all_seen, f"{len(probes.latencies)} of {len(probes.due) * SCREENS} probes were seen"
    return probes.latencies, rate


def _seen(probes: Probes) -> Any:
    async def condition() -> bool:
        return len(probes.latencies) >= len(probes.due) * SCREENS

    return condition


async def probe(port: int, key: str, sensor: str, probes: Probes, seconds: int) -> None:
    """On a schedule: a slow answer delays no later probe, and its own waiting counts."""
    started = monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds / PROBE_SECONDS)):
            due = started + number * PROBE_SECONDS
            await asyncio.sleep(due - monotonic())
            body = reading(sensor, rows.now(), probes.next(due))
            group.create_task(post(port, key, body))


async def offer(
    port: int, key: str, sensors: Sequence[str], seconds: int, per_second: int
) -> float:
    """`per_second` batches of `BATCH` on a schedule, over a few connections; readings/s."""
    started, total = monotonic(), seconds * per_second

    async def work(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, total, CONNECTIONS):
            await asyncio.sleep(started + number / per_second - monotonic())
            now = rows.now()
            picked = [sensors[(number * BATCH + at) % len(sensors)] for at in range(BATCH)]
            body = [reading(name, now, 40 + at / 10) for at, name in enumerate(picked)]
            writer.write(load.request("/v1/readings", key, json.dumps(body).encode()))
            assert await load.read_status(reader) == 202
        writer.close()

    await asyncio.gather(*(work(first) for first in range(CONNECTIONS)))
    return total * BATCH / max(seconds, monotonic() - started)


async def post(port: int, key: str, body: dict[str, Any]) -> None:
    """One reading, on a connection of its own; accepted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(load.request("/v1/readings", key, json.dumps(body).encode()))
    assert await load.read_status(reader) == 202
    writer.close()


def reading(sensor: str, moment: datetime, value: float) -> dict[str, Any]:
    """As it is posted."""
    return {
        "sensor_id": sensor,
        "metric": rows.METRIC,
        "observed_at": moment.isoformat(),
        "value": value,
    }


def _shares(
    one: Round, before: dict[str, float], after: dict[str, float], seconds: int
) -> dict[str, float]:
    """Cores in use, by part."""
    parts = {name: (after[name] - before[name]) / seconds for name in before}
    return {"client": one.client_seconds / seconds} | parts
