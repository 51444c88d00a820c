"""`cpu_growth`: CPU per reading, whatever the partitions and the rows already stored.

Value: the largest CPU per reading (all services and servers) ÷ the smallest, over 1 and 12
partitions of `city.readings` and over 1 M and 50 M stored rows; 1.15 is the bar. In units of what
the client used for the same reading: it does the same work in every case, and a machine that is
slower in one of them (minutes lie between) is slower for it too. `plain`: without that, in µs.
Each case: 1 M readings in batches of 500 over HTTP, after as many that are not counted (the
broker compiles itself meanwhile).
"""

import asyncio
from datetime import timedelta

import psycopg

from shared.pause import until
from tests.bench import archive, cities, cpu, load, report, rows

BAR = 1.15
CONNECTIONS = 8
STORE_SECONDS = 120.0


def run(quick: bool) -> str:
    """See above."""
    count, few, many = (50_000, 50_000, 500_000) if quick else (1_000_000, 1_000_000, 50_000_000)
    machine = report.machine()
    cases = {
        "1 partition": _case(1, 0, count),
        "12 partitions": _case(12, 0, count),
        f"{few} rows": _case(4, few, count),
        f"{many} rows": _case(4, many, count),
    }
    partitions = _growth(cases["1 partition"], cases["12 partitions"])
    stored = _growth(cases[f"{few} rows"], cases[f"{many} rows"])
    return report.line(
        "cpu_growth", "largest ÷ smallest CPU per reading", [max(partitions, stored)], [BAR],
        limit_is="15 % more", by_partitions=round(partitions, 3), by_rows=round(stored, 3),
        plain={name: round(_together(case), 1) for name, case in cases.items()},
        cpu_us=cases, readings=count, **machine,
    )  # fmt: skip


def _growth(one: dict[str, float], other: dict[str, float]) -> float:
    relative = [_together(case) / case["client"] for case in (one, other)]
    return max(relative) / min(relative)


def _together(case: dict[str, float]) -> float:
    return sum(case.values()) - case["client"]


def _case(partitions: int, filled: int, count: int) -> dict[str, float]:
    """CPU µs per reading by part."""
    with cities.shaped(partitions) as (shape, servers):
        if filled:
            archive.fill(shape.database_url, filled, until=rows.now() - timedelta(hours=12))
        target = cities.target_of(shape, servers)
        warm, data = rows.rounds(count, 2)
        rows.register(target.url, target.api_key, data.sensors)
        _post(target, warm)
        cpu.settle(target.roots)
        before = cpu.seconds(target.roots)
        client = round(_post(target, data) / count * 1e6, 3)
        cpu.settle(target.roots)
        return {"client": client} | cpu.per_item(before, cpu.seconds(target.roots), count)


def _post(target: cities.Target, data: rows.Rows) -> float:
    """CPU seconds of the client."""
    messages = [load.request("/v1/readings", target.api_key, body) for body in data.bodies()]
    tally = asyncio.run(load.send_all(target.port, messages, CONNECTIONS))
    with psycopg.connect(target.database_url, autocommit=True) as connection:
        assert until(rows.Watch(connection, data).complete, STORE_SECONDS), "not all was stored"
    return tally.cpu_seconds
