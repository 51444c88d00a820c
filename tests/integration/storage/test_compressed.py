"""What the community edition compresses stays open: repeats, late readings, corrections, retention.

Each transaction here touches more rows of compressed chunks than TimescaleDB lets it by default.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.registry.catalogue import default_catalogue, definitions
from services.ingest.registry.saving import save_metrics
from services.ingest.storage.classes import Classes, Periods
from services.ingest.storage.delivery import Delivery, deliver
from services.ingest.storage.prepared import prepare
from services.ingest.storage.retention import Retention
from services.ingest.storage.rollups.refresher import Refresher
from services.ingest.storage.store import ReadingStore, StoreSession
from shared.clock import to_micros
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record
from shared.store.engine import connect
from shared.store.rollups import relation
from tests import community
from tests.integration.storage import AT_ONCE, rows, settle

NOW = datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC)
OLD = datetime(2026, 2, 3, tzinfo=UTC)  # beyond the 60 days after which minutes are compressed too
SERIES = [(f"s{n}", metric) for n in range(100) for metric in ("traffic.speed", "noise.level")]
EACH = 600  # 120,000 readings: the default limit is 100,000
STEP = timedelta(minutes=2)
FILL = """
INSERT INTO ingest.readings
SELECT 's' || n, metric, at, 1.0, 0 FROM generate_series(0, 99) AS n,
  unnest(ARRAY['traffic.speed', 'noise.level']) AS metric,
  generate_series(CAST(:start AS timestamptz), :end, '2 minutes') AS at
"""
COMPRESSED = """
SELECT hypertable_name, count(*) FROM timescaledb_information.chunks
WHERE is_compressed GROUP BY 1 ORDER BY 1
"""
POLICIES = """
SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'
"""


@pytest.fixture
async def connection(engine: AsyncEngine, database_url: str) -> AsyncIterator[Any]:
    """To a database whose February is rolled up and compressed."""
    community.needed(database_url)
    async with engine.begin() as opened:
        await save_metrics(opened, definitions(default_catalogue(), NOW))
        await opened.execute(text(FILL), {"start": OLD, "end": OLD + STEP * (EACH - 1)})
    opened_too = await connect(database_url, autocommit=True)
    await roll(database_url, opened_too)
    await compress(opened_too)
    yield opened_too
    await opened_too.close()


async def compress(connection: Any) -> None:
    """Let the policies run."""
    for (job,) in await rows(connection, POLICIES):
        await connection.execute(f"CALL run_job({job})")
    assert [row[0] for row in await rows(connection, COMPRESSED)] == ["readings", "rollups_1m"]


async def roll(database_url: str, connection: Any) -> None:
    await settle(Refresher(database_url, lambda: NOW, AT_ONCE), connection)


@pytest.fixture
async def session(connection: Any, database_url: str) -> AsyncIterator[StoreSession]:
    async with ReadingStore(database_url, "life").session() as opened:
        yield opened


def record(offset: int, value: float, after: timedelta, *, replace: bool = False) -> Delivery:
    """A reading of every series, for each step, `after` so long."""
    start, step = to_micros(OLD + after), to_micros(OLD + STEP) - to_micros(OLD)
    readings = [
        Reading(sensor, metric, start + n * step, value, "good", replace)
        for sensor, metric in SERIES
        for n in range(EACH)
    ]
    value_bytes = encode_batch(Batch(readings, to_micros(NOW), "test"))
    return deliver(Record(READINGS, 0, offset, "", value_bytes, (), to_micros(NOW)))


COUNTED = "SELECT count(*), sum(value)::int FROM ingest.readings"
MINUTES = f"SELECT count(*), sum(count), sum(mean)::int FROM {relation(60)}"
N = len(SERIES) * EACH


async def test_a_repeated_backfill_changes_nothing(session: StoreSession, connection: Any) -> None:
    outcome = await session.write(prepare([record(0, 1.0, timedelta())], session.marks))
    assert (outcome.stored, outcome.duplicates, outcome.conflicts) == (0, N, [])
    assert await rows(connection, COUNTED) == [(N, N)]


async def test_late_readings_are_stored_and_rolled_up(
    session: StoreSession, connection: Any, database_url: str
) -> None:
    late = record(0, 3.0, timedelta(seconds=30))
    outcome = await session.write(prepare([late], session.marks))
    assert (outcome.stored, outcome.duplicates) == (N, 0)
    await roll(database_url, connection)
    assert await rows(connection, COUNTED) == [(2 * N, 4 * N)]
    assert await rows(connection, MINUTES) == [(N, 2 * N, 2 * N)]
    await compress(connection)
    assert await rows(connection, MINUTES) == [(N, 2 * N, 2 * N)]


async def test_corrections_supersede(
    session: StoreSession, connection: Any, database_url: str
) -> None:
    correction = record(0, 2.0, timedelta(), replace=True)
    outcome = await session.write(prepare([correction], session.marks))
    assert (outcome.stored, len(outcome.corrections)) == (0, N)
    await roll(database_url, connection)
    assert await rows(connection, COUNTED) == [(N, 2 * N)]
    assert await rows(connection, MINUTES) == [(N, N, 2 * N)]


async def test_one_class_is_dropped_out_of_compressed_chunks(
    engine: AsyncEngine, connection: Any, database_url: str
) -> None:
    classes = Classes(engine)
    await classes.save("short", Periods(raw_days=10, rollups_1m_days=20), ["noise.level"])
    await Retention(database_url, classes, lambda: NOW).step(connection)
    left = "SELECT metric, count(*) FROM {} GROUP BY 1"
    for table in ("ingest.readings", relation(60)):
        assert await rows(connection, left.format(table)) == [("traffic.speed", N // 2)]
