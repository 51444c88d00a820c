"""`ingest_kafka`: batches of 500 over HTTP for a minute, until stored, against `\\copy`.

Value: readings stored ÷ seconds from the first byte sent until all are rows in `ingest.readings`;
the client (Python asyncio, closed loop) and every service run on this machine. Denominator
(`limit_is`): text COPY of the first rows of the same stream into the same table, emptied before,
with the services idle: the median of one copy before and one after each round. `cpu_us`: CPU per
reading by part, alarms and screens included; `busy`: share of the machine's CPU that they used.
"""

import asyncio
import os
import statistics
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg

from shared.clock import monotonic
from shared.pause import until
from tests.bench import cities, cpu, load, report, rows
from tests.bench.cities import Target

CONNECTIONS = 8
STORE_SECONDS = 120.0
COPIED_ROWS = 1_000_000
# As time passes at some 83,000 readings/s: what is sent is of now, as what sensors send.
STEP = timedelta(milliseconds=6)
_MARK = b'"2000-01-01T00:00:00+00:00"'


@dataclass(frozen=True)
class Stream:
    """Every sensor once in `STEP` from `start`; a batch is one of each."""

    sensors: tuple[str, ...]
    start: datetime

    @property
    def template(self) -> bytes:
        """A batch without its time."""
        return b"[" + b",".join(
            b'{"sensor_id":"%s","metric":"%s","observed_at":%s,"value":%.1f}'
            % (sensor.encode(), rows.METRIC.encode(), _MARK, 40 + number % 200 / 10)
            for number, sensor in enumerate(self.sensors)
        ) + b"]"  # fmt: skip

    def moment(self, number: int) -> datetime:
        """A batch's time."""
        return self.start + number * STEP

    def first(self, count: int) -> rows.Rows:
        """The first rows of it."""
        return rows.Rows(self.sensors, count, self.start, STEP)


@dataclass
class Results:
    """One entry per round."""

    ours: list[float] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def run(quick: bool) -> str:
    """Rounds of a minute."""
    seconds, rounds, copied = (5.0, 1, 100_000) if quick else (60.0, 3, COPIED_ROWS)
    machine, results = report.machine(), Results()
    sensors = tuple(f"{name}-{half}" for name in rows.names() for half in range(3))[: rows.BATCH]
    with cities.kafka() as target:
        rows.register(target.url, target.api_key, sensors)
        for _ in range(rounds):
            stream = Stream(sensors, rows.now().replace(microsecond=0))
            before = _limit(target, stream, copied)
            _round(target, stream, seconds, results)
            results.limits.append(statistics.mean([before, _limit(target, stream, copied)]))
    return report.line(
        "ingest_kafka",
        "readings/s stored",
        results.ours,
        results.limits,
        limit_is=rows.LIMIT_IS,
        client=f"{load.CLIENT}, {CONNECTIONS} connections, one process",
        batch=rows.BATCH,
        sustained_s=seconds,
        readings=int(statistics.median(results.stored)),
        **report.latencies_ms(results.answers),
        cpu_us=report.medians(results.parts),
        busy=round(statistics.median(results.busy), 2),
        **machine,
    )


def _limit(target: Target, stream: Stream, count: int) -> float:
    cpu.settle(target.roots)
    rows.empty(target.database_url)
    speed = rows.copy(target.database_url, stream.first(count))
    rows.empty(target.database_url)
    return speed


def _round(target: Target, stream: Stream, seconds: float, results: Results) -> None:
    before, started = cpu.seconds(target.roots), monotonic()
    tally, sent = asyncio.run(_send(target, stream, seconds))
    count = sent * rows.BATCH
    with psycopg.connect(target.database_url, autocommit=True) as connection:
        watch = rows.Watch(connection, stream.first(count))
        assert until(watch.complete, STORE_SECONDS), "not all was stored"
    elapsed = monotonic() - started
    cpu.settle(target.roots)
    parts = cpu.per_item(before, cpu.seconds(target.roots), count)
    parts = {"client": round(tally.cpu_seconds / count * 1e6, 1)} | parts
    results.ours.append(count / elapsed)
    results.stored.append(count)
    results.parts.append(parts)
    results.busy.append(sum(parts.values()) * count / 1e6 / elapsed / (os.cpu_count() or 1))
    results.answers += tally.seconds


async def _send(target: Target, stream: Stream, seconds: float) -> tuple[load.Tally, int]:
    """Each batch until it has its 202; how many there were."""
    template = stream.template

    def make(number: int) -> bytes:
        moment = f'"{stream.moment(number).isoformat()}"'.encode()
        return load.request("/v1/readings", target.api_key, template.replace(_MARK, moment))

    return await load.send_each(seconds, target.port, make, CONNECTIONS)
