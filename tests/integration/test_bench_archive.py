"""The benchmarks' archive is what it says it is."""

import asyncio
from datetime import UTC, datetime

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.engine import libpq_url
from tests.bench import archive

UNTIL = datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC)
COUNTS = """
SELECT count(*), count(DISTINCT (sensor_id, metric)), min(observed_at), max(observed_at),
       count(*) FILTER (WHERE quality = 2) > 0, count(*) FILTER (WHERE quality = 1) > 0
FROM ingest.readings
"""
KEYS = "SELECT count(*) FROM pg_constraint WHERE conname = 'readings_pkey' AND contype = 'p'"


async def test_as_many_rows_as_asked_in_minutes_up_to_the_end(
    engine: AsyncEngine, database_url: str
) -> None:
    filled = await asyncio.to_thread(archive.fill, database_url, 20_000, until=UNTIL)
    assert filled.series > 5_000
    assert filled.end == UNTIL.replace(second=0)
    with psycopg.connect(libpq_url(database_url)) as connection:
        found = connection.execute(COUNTS).fetchone()
        assert found is not None
        assert found[:3] == (20_000, filled.series, filled.start)
        assert found[3] == filled.end - archive.MINUTE
        assert found[4:] == (True, True)
        assert connection.execute(KEYS).fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM ingest.rollups_1m").fetchone() == (20_000,)
        states = connection.execute("SELECT width_seconds, rolled_to FROM ingest.rollup_state")
        assert (60, filled.end) in states.fetchall()
