"""`writer_backlog`: the writer alone, Kafka → TimescaleDB; and `memory`.

`writer_backlog`: a backlog lies in `city.readings` as the gateway would have left it (records of
`RECORD_ITEMS` readings, on every partition) while the writer is away. Value: rows ÷ seconds from
its first commit until all are stored; every other service is stopped, the servers share the
machine with it. Denominator: see `rows.LIMIT_IS`, with as many rows.

`memory`: peak resident megabytes of the gateway, while batches of 10,000 are posted, and of the
writer, which then drains the backlog; the larger one, against 300.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg

from shared.clock import monotonic, to_micros
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS, partition_of
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import Outgoing
from shared.pause import until
from tests.bench import cities, cpu, load, report, rows
from tests.shape import Shape

RECORD_ITEMS = 125  # a batch of 500 on 4 partitions
AT_ONCE = 400  # records of one publish
ROUNDS = 3
STORE_SECONDS = 300.0
MEGABYTES = 300.0
_STORED = "SELECT coalesce(sum(next_offset), 0) FROM ingest.progress WHERE topic = 'city.readings'"


def run(quick: bool) -> str:
    """See above."""
    count, rounds = (200_000, 1) if quick else (5_000_000, ROUNDS)
    machine = report.machine()
    ours: list[float] = []
    limits: list[float] = []
    parts: list[dict[str, float]] = []
    with cities.shaped() as (shape, servers):
        _leave(shape, "writer")
        for data in rows.rounds(count, rounds):
            rows.empty(shape.database_url)
            limits.append(rows.copy(shape.database_url, data))
            rows.empty(shape.database_url)
            asyncio.run(_publish(shape.kafka_bootstrap, data))
            shape.end("writer")
            rate, spent = _drain(shape, servers, data)
            ours.append(rate)
            parts.append(spent)
    return report.line(
        "writer_backlog", "readings/s stored", ours, limits, limit_is=rows.LIMIT_IS,
        readings=count, cpu_us=report.medians(parts), **machine,
    )  # fmt: skip


def run_memory(quick: bool) -> str:
    """See above."""
    count, bodies = (200_000, 20) if quick else (5_000_000, 300)
    machine = report.machine()
    with cities.shaped() as (shape, servers):
        first, second = rows.rounds(max(count, bodies * 10_000), 2)
        target = cities.target_of(shape, servers)
        rows.register(target.url, target.api_key, first.sensors)
        posted = rows.Rows(first.sensors, bodies * 10_000, first.start)
        messages = [load.request("/v1/readings", target.api_key, b) for b in posted.bodies(10_000)]
        asyncio.run(load.send_all(target.port, messages, 8))
        gateway = peak_megabytes(target.roots["gateway"])
        _leave(shape, "writer")
        shape.end("writer")
        asyncio.run(_publish(shape.kafka_bootstrap, rows.Rows(second.sensors, count, second.start)))
        _drain(shape, servers, rows.Rows(second.sensors, count, second.start))
        writer = peak_megabytes(shape.running["writer"].pid)
    return report.line(
        "memory", "MB, the larger peak of gateway and writer", [max(gateway, writer)], [MEGABYTES],
        limit_is="300 MB", gateway_mb=gateway, writer_mb=writer, backlog=count,
        posted_batch=10_000, **machine,
    )  # fmt: skip


def peak_megabytes(pid: int) -> float:
    """The most that the process has ever had resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return round(int(peak.split()[1]) / 1024, 1)


def _leave(shape: Shape, name: str) -> None:
    """End every service but one."""
    for other in [other for other in shape.running if other != name]:
        shape.end(other)


def _drain(
    shape: Shape, servers: dict[str, int], data: rows.Rows
) -> tuple[float, dict[str, float]]:
    """Start the writer; rows/s from its first commit on, and CPU µs per reading by part."""
    with psycopg.connect(shape.database_url, autocommit=True) as connection:
        begun = _offsets(connection)
        shape.start("writer")
        roots = {"writer": shape.running["writer"].pid} | servers
        assert until(lambda: _offsets(connection) > begun, 60), shape.log("writer")
        before, started = cpu.seconds(roots), monotonic()
        already = rows.stored(shape.database_url, data.sensors)
        watch = rows.Watch(connection, data)
        assert until(watch.complete, STORE_SECONDS), "not all was stored"
        elapsed = monotonic() - started
    left = data.count - already
    return left / elapsed, cpu.per_item(before, cpu.seconds(roots), left)


def _offsets(connection: "psycopg.Connection[tuple[int]]") -> int:
    row = connection.execute(_STORED).fetchone()
    return int(row[0]) if row else 0


async def _publish(bootstrap: str, data: rows.Rows) -> None:
    log = await KafkaLog(bootstrap).open()
    try:
        waiting: list[Outgoing] = []
        for record in _records(data, len(await log.ends(READINGS))):
            waiting.append(record)
            if len(waiting) == AT_ONCE:
                await log.publish(waiting)
                waiting = []
        await log.publish(waiting)
    finally:
        await log.close()


def _records(data: rows.Rows, partitions: int) -> Iterator[Outgoing]:
    """As the gateway makes them."""
    held: dict[int, list[Reading]] = {number: [] for number in range(partitions)}
    place = {sensor: partition_of(sensor, partitions) for sensor in data.sensors}
    for sensor, moment, value in data:
        items = held[place[sensor]]
        items.append(Reading(sensor, rows.METRIC, to_micros(moment), value, index=len(items)))
        if len(items) == RECORD_ITEMS:
            yield _record(place[sensor], items)
            held[place[sensor]] = []
    yield from (_record(number, items) for number, items in held.items() if items)


def _record(partition: int, items: list[Reading]) -> Outgoing:
    batch = Batch(items, to_micros(rows.now() - timedelta(seconds=1)), "bench")
    return Outgoing(READINGS, items[0].sensor_id, encode_batch(batch), partition=partition)
