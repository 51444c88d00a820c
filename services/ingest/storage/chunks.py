"""How much time a chunk of the hypertable covers: so much that the newest fits into memory.

Rows come in at the newest chunk's end; as long as it and its index lie in memory, an insert costs
the same whatever the table holds. TimescaleDB's rule: a quarter of the memory. Longer chunks are
fewer, which keeps planning cheap.
"""

from datetime import timedelta
from typing import Any

import psycopg

ROW_BYTES = 190  # of a reading and its entry in the key's index
SHARE = 0.25
SHORTEST, LONGEST = timedelta(days=1), timedelta(days=7)
_RATE = """
SELECT coalesce(sum(1.0 / greatest(m.interval_seconds, 1)), 0)::float8
FROM ingest.sensors AS s CROSS JOIN unnest(s.metrics) AS code
JOIN ingest.metrics AS m ON m.metric = code WHERE NOT s.retired
"""
_MEMORY = "SELECT pg_size_bytes(current_setting('effective_cache_size'))"
_SET = "SELECT set_chunk_time_interval('ingest.readings', %s::interval)"


async def fit_chunks(connection: psycopg.AsyncConnection[Any]) -> timedelta | None:
    """Set it for the chunks to come; None where there are none."""
    if not await has_timescale(connection):
        return None
    rate = await _one(connection, _RATE)
    interval = chunk_interval(rate, await _one(connection, _MEMORY))
    await connection.execute(_SET, (interval,))
    return interval


def chunk_interval(readings_per_second: float, memory_bytes: float) -> timedelta:
    """Whole days, between `SHORTEST` and `LONGEST`."""
    seconds = memory_bytes * SHARE / ROW_BYTES / max(readings_per_second, 0.001)
    return max(SHORTEST, timedelta(days=min(seconds // 86_400, LONGEST.days)))


async def has_timescale(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether the readings lie in a hypertable."""
    query = "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"
    return await _one(connection, query) > 0


async def _one(connection: psycopg.AsyncConnection[Any], query: str) -> float:
    row = await (await connection.execute(query.encode())).fetchone()
    return float(row[0]) if row is not None else 0.0
