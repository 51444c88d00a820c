"""`dead_endpoints`: an incident opens → its webhook has come, at 2,000 endpoints of which 1 % are
dead and 1 % answer after 20 s; the sound ones' p99, against the same without those; 1 is best.

Every incident is told to every endpoint: 2,000 deliveries each, one incident every few seconds. The
dead refuse the connection. Rounds alternate; both count the same 1,960 sound endpoints, from the
moment the reading was due. Receiver and client: one asyncio process.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from shared.clock import monotonic
from shared.pause import eventually
from shared.store.embedded import free_port
from tests.bench import cities, cpu, hooks, load, report, rows

ENDPOINTS, DEAD, SLOW = 2_000, 20, 20
METRIC = "gas.concentration"
PAUSE_SECONDS = 8.0  # between two incidents
SETTLES_SECONDS = 90.0
_FORGET = """
UPDATE alerts.endpoints SET failures = 0, failing_since = NULL, slow = false, not_before = NULL;
UPDATE alerts.deliveries SET state = 'dead' WHERE state = 'queued';
"""


@dataclass
class Arrivals:
    """When each incident's reading was due, and when its webhook came to which endpoint."""

    due: dict[str, float] = field(default_factory=dict)
    came: dict[tuple[str, str], float] = field(default_factory=dict)

    def seen(self, path: str, body: bytes, at: float) -> None:
        """A webhook."""
        if path.startswith("/sound"):
            sensor = json.loads(body)["data"]["subjects"][0]
            self.came.setdefault((sensor, path), at)

    def latencies(self) -> list[float]:
        """Seconds, of every sound endpoint and incident."""
        return [at - self.due[sensor] for (sensor, _), at in self.came.items()]


def run(quick: bool) -> str:
    """Alternating rounds on one city."""
    incidents, rounds = (2, 1) if quick else (4, 3)
    machine = report.machine()
    ours: list[Arrivals] = []
    limits: list[Arrivals] = []
    with cities.kafka() as target:
        made = _add(target)
        for number in range(rounds * 2):
            cpu.settle(target.roots)
            troubled = bool(number % 2)
            found = asyncio.run(_measure(target, made, incidents, troubled=troubled))
            (ours if troubled else limits).append(found)
    expected = incidents * (ENDPOINTS - DEAD - SLOW)
    return report.line(
        "dead_endpoints",
        "ms (p99)",
        [_p99_ms(one) for one in ours],
        [_p99_ms(one) for one in limits],
        limit_is="the same 1,960 endpoints' p99 while the other 40 are sound, too",
        load=f"{incidents} incidents per round, one every {PAUSE_SECONDS:.0f} s, {ENDPOINTS}"
        " webhooks each, all on this machine",
        shape="Kafka and TimescaleDB, each service a process",
        measured=sum(len(one.came) for one in ours),
        lost=sum(expected - len(one.came) for one in (*ours, *limits)),
        **report.latencies_ms([each for one in ours for each in one.latencies()]),
        limit_latencies=report.latencies_ms([each for one in limits for each in one.latencies()]),
        **machine,
    )


def _p99_ms(arrivals: Arrivals) -> float:
    return report.percentile(arrivals.latencies(), 0.99) * 1_000


async def _measure(
    target: cities.Target, made: Sequence[UUID], incidents: int, *, troubled: bool
) -> Arrivals:
    arrivals = Arrivals()
    async with hooks.receiving(arrivals.seen) as port:
        await asyncio.to_thread(_aim, target.database_url, made, port, troubled)
        for _ in range(incidents):
            await _incident(target, arrivals)
            await asyncio.sleep(PAUSE_SECONDS)
        expected = incidents * (ENDPOINTS - DEAD - SLOW)

        async def all_came() -> bool:
            return len(arrivals.came) >= expected

        await eventually(all_came, SETTLES_SECONDS)
    return arrivals


async def _incident(target: cities.Target, arrivals: Arrivals) -> None:
    name = f"gas-{uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {target.api_key}"}
    sensor = {"sensor_id": name, "metrics": [METRIC], "location": {"lon": 112.47, "lat": 23.06}}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        assert (await client.post(f"{target.url}/v1/sensors", json=[sensor])).is_success
    body: dict[str, Any] = {"sensor_id": name, "metric": METRIC, "value": 80.0}
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    body["observed_at"] = rows.now().isoformat()
    arrivals.due[name] = monotonic()
    writer.write(load.request("/v1/readings", target.api_key, json.dumps(body).encode()))
    assert await load.read_status(reader) == 202
    writer.close()


def _add(target: cities.Target) -> list[UUID]:
    made = [uuid4() for _ in range(ENDPOINTS)]
    with psycopg.connect(target.database_url) as connection:
        connection.cursor().executemany(
            "INSERT INTO alerts.endpoints (endpoint_id, url, events, secret)"
            " VALUES (%s, '', '{incident.opened}', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')",
            [(one,) for one in made],
        )
    return made


def _aim(database_url: str, made: Sequence[UUID], port: int, troubled: bool) -> None:
    """Point the endpoints at the receiver; the last 40 at what is dead or slow, if so."""
    base, nowhere = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}/dead"
    urls = [f"{base}/sound/{number}" for number in range(ENDPOINTS)]
    if troubled:
        urls[-DEAD - SLOW : -SLOW] = [nowhere] * DEAD
        urls[-SLOW:] = [f"{base}/slow/{number}" for number in range(SLOW)]
    else:
        urls[-DEAD - SLOW :] = [f"{base}/other/{number}" for number in range(DEAD + SLOW)]
    with psycopg.connect(database_url) as connection:
        connection.execute(_FORGET)
        connection.cursor().executemany(
            "UPDATE alerts.endpoints SET url = %s WHERE endpoint_id = %s",
            list(zip(urls, made, strict=True)),
        )
