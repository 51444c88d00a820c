"""`ingest_embedded`, `ingest_kafka`: batches of 500 over HTTP until stored, against `\\copy`."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from shared.clock import monotonic
from shared.pause import until
from tests.bench import load, report, rows
from tests.bench.cities import Target

CONNECTIONS = 8
STORE_SECONDS = 120.0


def run(name: str, start: Callable[[], AbstractContextManager[Target]], quick: bool) -> str:
    """Alternating rounds; everything, client included, on this machine."""
    count, rounds = (50_000, 1) if quick else (200_000, 3)
    ours: list[float] = []
    limits: list[float] = []
    acknowledged: list[float] = []
    with start() as target:
        data = rows.make(count)
        rows.register(target.url, target.api_key, data.sensors)
        messages = [load.request("/v1/readings", target.api_key, body) for body in data.bodies()]
        for _ in range(rounds):
            limits.append(rows.copy(target.database_url, data))
            rows.empty(target.database_url)
            ours.append(_round(target, messages, count, acknowledged))
    return report.line(
        name,
        "readings/s stored",
        ours,
        limits,
        limit_is=rows.LIMIT_IS,
        client=f"{load.CLIENT}, {CONNECTIONS} connections",
        batch=rows.BATCH,
        readings=count,
        **report.latencies_ms(acknowledged),
    )


def _round(target: Target, messages: list[bytes], count: int, acknowledged: list[float]) -> float:
    started = monotonic()
    statuses, seconds = asyncio.run(load.send_all(target.port, messages, CONNECTIONS))
    acknowledged += seconds
    assert statuses[202] == len(messages), statuses
    assert until(lambda: rows.stored(target.database_url) >= count, STORE_SECONDS)
    elapsed = monotonic() - started
    assert rows.stored(target.database_url) == count
    return count / elapsed
