"""`alert_to_webhook`: a reading over its threshold is due → its webhook has come; less is better.

Load: 5,000 readings/s in batches of 100 and 1,000 rules, thresholds without delay spread over every
registered metric; beside it a probe every 95.5 ms, each of a sensor of its own and of priority 1,
so that each opens an incident of its own. Client and receiver: one asyncio process. Denominator
(`limit_is`): for the same probes the gateway's 202, and a POST of the same body straight to the
receiver: neither the reading nor the webhook can be faster.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import yaml

from shared.clock import monotonic
from shared.pause import eventually
from tests.bench import cities, cpu, hooks, load, report, rows

METRIC = "gas.concentration"
RULES = 1_000
BATCH, BATCHES_PER_SECOND, CONNECTIONS = 100, 50, 4
PROBE_SECONDS = 0.0955
LIMIT_IS = "p50 of the gateway's 202 for the same reading + of a POST straight to the receiver"
_ENDPOINT = """
INSERT INTO alerts.endpoints (endpoint_id, url, events, secret)
VALUES (%s, %s, %s, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
"""


@dataclass
class Probes:
    """Per sensor, in seconds: when it was due, when the gateway took it, when its webhook came."""

    due: dict[str, float] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    came: dict[str, float] = field(default_factory=dict)

    def seen(self, _: str, body: bytes, at: float) -> None:
        """A webhook."""
        said = json.loads(body)
        if said["type"] == "incident.opened":
            self.came.setdefault(said["data"]["subjects"][0], at)

    def until(self, moments: dict[str, float]) -> list[float]:
        """Seconds from due to these."""
        return [moments[name] - due for name, due in self.due.items() if name in moments]


def run(quick: bool) -> str:
    """Rounds on production's shape."""
    seconds, rounds = (5, 1) if quick else (20, 3)
    machine = report.machine()
    ours: list[Probes] = []
    limits: list[float] = []
    rates: list[float] = []
    parts: list[dict[str, float]] = []
    with _rules() as folder, _settings(RULES_DIR=folder), cities.kafka() as target:
        sensors = rows.names()
        rows.register(target.url, target.api_key, sensors)
        for _ in range(rounds):
            cpu.settle(target.roots)
            before = cpu.seconds(target.roots)
            probes, direct, rate = asyncio.run(_measure(target, sensors, seconds))
            after = cpu.seconds(target.roots)
            parts.append({name: (after[name] - before[name]) / seconds for name in before})
            ours.append(probes)
            rates.append(rate)
            floor = report.percentile(probes.until(probes.taken), 0.5) + direct
            limits.append(floor * 1_000)
    latencies = [one for probes in ours for one in probes.until(probes.came)]
    return report.line(
        "alert_to_webhook",
        "ms (p50)",
        [report.percentile(one.until(one.came), 0.5) * 1_000 for one in ours],
        limits,
        limit_is=LIMIT_IS,
        load=f"{BATCH * BATCHES_PER_SECOND} readings/s, {RULES} rules, all on this machine",
        load_sent=round(min(rates)),
        shape="Kafka and TimescaleDB, each service a process",
        measured=len(latencies),
        lost=sum(len(one.due) - len(one.came) for one in ours),
        **report.latencies_ms(latencies),
        cores=report.medians(parts, 2),
        **machine,
    )


async def _measure(
    target: cities.Target, sensors: Sequence[str], seconds: int
) -> tuple[Probes, float, float]:
    """The probes, the median of a direct POST in seconds, and the load's readings/s."""
    probes = Probes()
    names = [f"gas-{uuid4().hex[:8]}" for _ in range(int(seconds / PROBE_SECONDS))]
    _register(target, names)
    async with hooks.receiving(probes.seen) as port:
        endpoint = _endpoint(target.database_url, f"http://127.0.0.1:{port}/hook")
        loading = asyncio.create_task(_load(target, sensors, seconds + 1))
        await asyncio.sleep(1.0)  # what is slow at first is not measured
        await _probe(target, names, probes)

        async def all_came() -> bool:
            return len(probes.came) >= len(names)

        await eventually(all_came, 20)
        rate = await loading
        direct = await _direct(port)
        _remove(target.database_url, endpoint)
    return probes, direct, rate


async def _probe(target: cities.Target, names: Sequence[str], probes: Probes) -> None:
    started = monotonic()

    async def send(name: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        body = {"sensor_id": name, "metric": METRIC, "value": 80.0}
        body |= {"observed_at": rows.now().isoformat()}
        writer.write(load.request("/v1/readings", target.api_key, json.dumps(body).encode()))
        assert await load.read_status(reader) == 202
        probes.taken[name] = monotonic()
        writer.close()

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            probes.due[name] = started + number * PROBE_SECONDS
            await asyncio.sleep(probes.due[name] - monotonic())
            group.create_task(send(name))


async def _load(target: cities.Target, sensors: Sequence[str], seconds: int) -> float:
    """Batches on a schedule; readings/s."""
    started, total = monotonic(), seconds * BATCHES_PER_SECOND

    async def work(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        for number in range(first, total, CONNECTIONS):
            await asyncio.sleep(started + number / BATCHES_PER_SECOND - monotonic())
            moment = rows.now().isoformat()
            body = [
                {"sensor_id": sensors[(number * BATCH + at) % len(sensors)],
                 "metric": rows.METRIC, "observed_at": moment, "value": 40 + at / 10}
                for at in range(BATCH)
            ]  # fmt: skip
            raw = json.dumps(body).encode()
            writer.write(load.request("/v1/readings", target.api_key, raw))
            assert await load.read_status(reader) == 202
        writer.close()

    await asyncio.gather(*(work(first) for first in range(CONNECTIONS)))
    return total * BATCH / max(seconds, monotonic() - started)


async def _direct(port: int) -> float:
    """The median of POSTs straight to the receiver, in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"type":"direct"}'
    took: list[float] = []
    for _ in range(100):
        began = monotonic()
        writer.write(load.request("/direct", "none", body))
        await load.read_status(reader)
        took.append(monotonic() - began)
    writer.close()
    return report.percentile(took, 0.5)


@contextmanager
def _rules() -> Iterator[str]:
    """A folder of rules: the probes', and as many others as make a thousand, over all metrics."""
    known = files("services.ingest.registry") / "metrics.yaml"
    metrics = list(yaml.safe_load(known.read_text(encoding="utf-8")))
    others = [
        _rule(f"other-{number:04}", metrics[number % len(metrics)], above=1e9, priority=3)
        for number in range(RULES - 1)
    ]
    with tempfile.TemporaryDirectory(prefix="yiwang-rules-") as folder:
        document = [_rule("probe", METRIC, above=20.0, priority=1), *others]
        (Path(folder) / "rules.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        yield folder


def _rule(name: str, metric: str, above: float, priority: int) -> dict[str, Any]:
    return {
        "id": name, "title": {"zh": name, "en": name}, "metric": metric, "above": above,
        "grade": 2, "priority": priority,
    }  # fmt: skip


@contextmanager
def _settings(**values: str) -> Iterator[None]:
    named = {f"YIWANG_{name}": value for name, value in values.items()}
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _register(target: cities.Target, names: Sequence[str]) -> None:
    body = [
        {"sensor_id": name, "metrics": [METRIC], "location": {"lon": 112.47, "lat": 23.06}}
        for name in names
    ]
    headers = {"Authorization": f"Bearer {target.api_key}"}
    answer = httpx.post(f"{target.url}/v1/sensors", json=body, headers=headers, timeout=30)
    assert answer.is_success, answer.text


def _endpoint(database_url: str, url: str) -> str:
    made = str(uuid4())
    with psycopg.connect(database_url) as connection:
        connection.execute(_ENDPOINT, (made, url, ["incident.opened"]))
    return made


def _remove(database_url: str, endpoint: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE alerts.endpoints SET enabled = false, events = '{}' WHERE endpoint_id = %s",
            (endpoint,),
        )
