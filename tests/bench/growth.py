"""`cpu_growth`: CPU per reading, whatever the partitions and the rows already stored.

Value: the larger of two growths, 1.15 is the bar. By partitions: the CPU of a reading (all services
and servers) with 12 partitions of `city.readings` ÷ with 1, the median of three pairs of fresh
cities, one after the other. By rows: with 50 M stored ÷ with 1 M, in units of what the gateway
uses: it knows nothing of rows, and a machine that is slower in one case (minutes lie between) is
slower for it too. What a reading costs is the slope between two amounts of them, so that what a
city uses while it is waited for does not count. Batches of 500 over HTTP, after as many that are
not counted (the broker compiles itself meanwhile).
"""

import asyncio
import statistics
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import psycopg

from shared.pause import until
from tests.bench import archive, cities, cpu, load, report, rows

BAR = 1.15
PAIRS = 3
CONNECTIONS = 8
STORE_SECONDS = 120.0

Case = dict[str, float]  # part → CPU µs per reading


def run(quick: bool) -> str:
    """See above."""
    count, few, many = (50_000, 50_000, 500_000) if quick else (1_000_000, 1_000_000, 50_000_000)
    machine = report.machine()
    pairs = [(_case(1, 0, count), _case(12, 0, count)) for _ in range(1 if quick else PAIRS)]
    by_partitions = [sum(twelve.values()) / sum(one.values()) for one, twelve in pairs]
    less, more = _case(4, few, count), _case(4, many, count)
    by_rows = _relative(more) / _relative(less)
    return report.line(
        "cpu_growth", "growth of CPU per reading", [max(statistics.median(by_partitions), by_rows)],
        [BAR], limit_is="15 % more",
        by_partitions=[round(one, 3) for one in by_partitions], by_rows=round(by_rows, 3),
        cpu_us={
            "1 partition": report.medians([one for one, _ in pairs]),
            "12 partitions": report.medians([twelve for _, twelve in pairs]),
            f"{few} rows": less, f"{many} rows": more,
        },
        readings=count, **machine,
    )  # fmt: skip


def _relative(case: Case) -> float:
    return sum(case.values()) / case["gateway"]


def _case(partitions: int, filled: int, count: int) -> Case:
    with cities.shaped(partitions) as (shape, servers):
        if filled:
            archive.fill(shape.database_url, filled, until=rows.now() - timedelta(hours=12))
        target = cities.target_of(shape, servers)
        warm, some, most = rows.rounds(count, 3)
        rows.register(target.url, target.api_key, most.sensors)
        _post(target, warm)
        cpu.settle(target.roots)
        little, much = _spent(target, replace(some, count=count // 4)), _spent(target, most)
        return cpu.per_item(little, much, count - count // 4)


def _spent(target: cities.Target, data: rows.Rows) -> Mapping[str, float]:
    """CPU seconds by part, until all is quiet again."""
    before = cpu.seconds(target.roots)
    _post(target, data)
    cpu.settle(target.roots)
    return {name: after - before[name] for name, after in cpu.seconds(target.roots).items()}


def _post(target: cities.Target, data: rows.Rows) -> None:
    messages = [load.request("/v1/readings", target.api_key, body) for body in data.bodies()]
    asyncio.run(load.send_all(target.port, messages, CONNECTIONS))
    with psycopg.connect(target.database_url, autocommit=True) as connection:
        assert until(rows.Watch(connection, data).complete, STORE_SECONDS), "not all was stored"
