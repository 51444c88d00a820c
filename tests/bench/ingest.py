"""`ingest_embedded`, `ingest_kafka`: batches of 500 over HTTP until stored, against `\\copy`.

Value: readings stored ÷ seconds from the first byte sent until all are rows in `ingest.readings`.
Client: Python asyncio, bodies encoded beforehand; its own CPU is in the line (`cpu_us`).
Denominator (`limit_is`): text COPY of the very same rows into the same table (its key, its
hypertable), emptied before, over one connection; rounds alternate. The services keep running,
idle, meanwhile. p50–p99: until a batch of 500 has its 202. `cpu_us`: CPU per reading by part,
alarms and screens included.
"""

import asyncio
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import psycopg

from shared.clock import monotonic
from shared.pause import until
from tests.bench import cpu, load, report, rows
from tests.bench.cities import Target

CONNECTIONS = 8
STORE_SECONDS = 60.0


@dataclass
class Results:
    """One entry per round; `answers`: seconds until each batch's 202."""

    ours: list[float] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def run(name: str, start: Callable[[], AbstractContextManager[Target]], quick: bool) -> str:
    """Alternating rounds; everything, client included, on this machine."""
    count, rounds = (50_000, 1) if quick else (200_000, 3)
    machine, results = report.machine(), Results()
    with start() as target:
        sets = rows.rounds(count, rounds)
        table = rows.kind(target.database_url)
        rows.register(target.url, target.api_key, sets[0].sensors)
        for data in sets:
            cpu.settle(target.roots)
            rows.empty(target.database_url)
            results.limits.append(rows.copy(target.database_url, data))
            rows.empty(target.database_url)
            _round(target, data, results)
    return report.line(
        name,
        "readings/s stored",
        results.ours,
        results.limits,
        limit_is=rows.LIMIT_IS,
        client=f"{load.CLIENT}, {CONNECTIONS} connections, one process",
        table=table,
        batch=rows.BATCH,
        readings=count,
        **report.latencies_ms(results.answers),
        cpu_us=report.medians(results.parts),
        settled_after_s=round(statistics.median(results.settled), 1),
        **machine,
    )


def _round(target: Target, data: rows.Rows, results: Results) -> None:
    messages = [load.request("/v1/readings", target.api_key, body) for body in data.bodies()]
    before, started = cpu.seconds(target.roots), monotonic()
    tally = asyncio.run(load.send_all(target.port, messages, CONNECTIONS))
    with psycopg.connect(target.database_url, autocommit=True) as connection:
        assert until(rows.Watch(connection, data).complete, STORE_SECONDS), "not all was stored"
    results.ours.append(data.count / (monotonic() - started))
    results.settled.append(cpu.settle(target.roots))
    parts = cpu.per_item(before, cpu.seconds(target.roots), data.count)
    results.parts.append({"client": round(tally.cpu_seconds / data.count * 1e6, 1)} | parts)
    results.answers += tally.seconds
    assert tally.statuses[202] == len(messages), tally.statuses
    assert rows.stored(target.database_url, data.sensors) == data.count
