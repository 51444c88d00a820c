"""What is dropped is what its class no longer keeps, and only once its rollups are made."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.registry.catalogue import default_catalogue, definitions
from services.ingest.registry.saving import save_metrics
from services.ingest.storage.chunks import chunk_interval, fit_chunks, has_timescale
from services.ingest.storage.classes import Classes, Periods, UnknownMetrics
from services.ingest.storage.retention import Retention
from services.ingest.storage.rollups.refresher import Refresher
from shared.eventlog.log import EventLog
from shared.store.engine import connect
from shared.store.rollups import relation
from tests.integration.cities import city, reading
from tests.integration.storage import AT_ONCE, rows, settle

NOW = datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC)
FILL = """
INSERT INTO ingest.readings
SELECT 's', metric, at, 1.0, 0 FROM unnest(ARRAY['traffic.speed', 'noise.level']) AS metric,
  generate_series(CAST(:start AS timestamptz), :end, '6 hours') AS at
"""
HELD = "SELECT metric, min(observed_at)::date, count(*) FROM ingest.readings GROUP BY 1 ORDER BY 1"


@pytest.fixture
async def connection(engine: AsyncEngine, database_url: str) -> AsyncIterator[Any]:
    async with engine.begin() as opened:
        await save_metrics(opened, definitions(default_catalogue(), NOW))
        await opened.execute(text(FILL), {"start": NOW - timedelta(days=100), "end": NOW})
    opened_too = await connect(database_url, autocommit=True)
    yield opened_too
    await opened_too.close()


async def roll(database_url: str, connection: Any) -> None:
    await settle(Refresher(database_url, lambda: NOW, AT_ONCE), connection)


async def test_each_class_is_kept_as_long_as_it_says(
    engine: AsyncEngine, connection: Any, database_url: str
) -> None:
    classes = Classes(engine)
    await classes.save("short", Periods(raw_days=10, rollups_1m_days=20), ["noise.level"])
    await classes.save("standard", Periods(raw_days=60), [])
    retention = Retention(database_url, classes, lambda: NOW)
    before = await rows(connection, HELD)
    await retention.step(connection)
    assert await rows(connection, HELD) == before  # not rolled up yet
    await roll(database_url, connection)
    daily = await rows(connection, f"SELECT count(*), sum(count) FROM {relation(86_400)}")
    for _ in range(2):
        await retention.step(connection)
        found = await rows(connection, HELD)
        assert [(row[0], (NOW.date() - row[1]).days) for row in found] == [
            ("noise.level", 11), ("traffic.speed", 61),
        ]  # fmt: skip
    assert await rows(connection, f"SELECT count(*), sum(count) FROM {relation(86_400)}") == daily
    minutes = f"SELECT metric, min(bucket)::date FROM {relation(60)} GROUP BY 1 ORDER BY 1"
    ages = [(NOW.date() - row[1]).days for row in await rows(connection, minutes)]
    assert ages == [21, 100]


async def test_without_periods_everything_stays(
    engine: AsyncEngine, connection: Any, database_url: str
) -> None:
    before = await rows(connection, HELD)
    await roll(database_url, connection)
    await Retention(database_url, Classes(engine), lambda: NOW).step(connection)
    assert await rows(connection, HELD) == before


async def test_a_class_must_make_sense(engine: AsyncEngine, connection: Any) -> None:
    with pytest.raises(ValidationError, match="coarser"):
        Periods(raw_days=10, rollups_1m_days=5)
    with pytest.raises(ValidationError, match="coarser"):
        Periods(rollups_1h_days=5)
    with pytest.raises(UnknownMetrics):
        await Classes(engine).save("short", Periods(raw_days=1), ["no.metric"])
    assert [each.name for each in await Classes(engine).all()] == ["standard"]


async def test_what_would_be_dropped_at_once_is_refused_at_the_border(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> None:
    await Classes(engine).save("standard", Periods(raw_days=30), [])
    async with city(engine, event_log, database_url, tmp_path) as made:
        old, older = reading(1), reading(1)
        old["observed_at"] = "2026-04-10T08:00:00+08:00"
        older["observed_at"] = "2026-03-10T08:00:00+08:00"
        answer = (await made.client.post("/v1/readings", json=[old, older])).json()
        assert answer["accepted"] == 1
        assert [(item["index"], item["code"]) for item in answer["rejected"]] == [(1, "too_old")]
        assert "30 days" in answer["rejected"][0]["detail"]
        kept = (await made.client.get("/v1/retention")).json()["items"]
        assert kept[0] | {"name": "standard", "raw_days": 30} == kept[0]
        refused = await made.client.put("/v1/retention/standard", json={"raw_days": 10})
        assert refused.status_code == 403


async def test_a_chunk_fits_into_memory(connection: Any) -> None:
    assert chunk_interval(100, 4 << 30) == timedelta(days=1)
    assert chunk_interval(10, 4 << 30) == timedelta(days=6)
    assert chunk_interval(5, 4 << 30) == timedelta(days=7)
    assert chunk_interval(0, 1 << 30) == timedelta(days=7)
    if not await has_timescale(connection):
        assert await fit_chunks(connection) is None
        return
    interval = await fit_chunks(connection)
    [(kept,)] = await rows(
        connection,
        "SELECT time_interval FROM timescaledb_information.dimensions"
        " WHERE hypertable_name = 'readings'",
    )
    assert kept == interval
