"""A database that was restored from an older backup: what the log still has is stored again."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventlog.log import EventLog
from tests.integration.cities import City, city, reading
from tests.waiting import eventually

COUNT = "SELECT count(*) FROM ingest.readings"


async def stored(home: City, count: int) -> None:
    async def all_there() -> bool:
        return await home.rows(COUNT) == [(count,)]

    assert await eventually(all_there, 30), await home.rows(COUNT)


@pytest.mark.parametrize("lost_from", [0, 3])
async def test_what_the_group_took_and_the_database_lacks_is_read_again(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path, lost_from: int
) -> None:
    async with city(engine, event_log, database_url, tmp_path) as home:
        for minute in range(8):
            assert (await home.client.post("/v1/readings", json=reading(minute))).is_success
        await run_until(home, 8)
        # As if the backup was of an earlier moment: the log's group has gone on, this has not.
        async with engine.begin() as connection:
            older = "observed_at >= timestamptz '2026-05-01T07:00Z' + make_interval(mins => :lost)"
            await connection.execute(
                text(f"DELETE FROM ingest.readings WHERE {older}"), {"lost": lost_from}
            )
            back = "DELETE FROM ingest.progress" if lost_from == 0 else (
                "UPDATE ingest.progress SET next_offset = next_offset - 8 + :lost"
                " WHERE next_offset > 0")  # fmt: skip
            await connection.execute(text(back), {"lost": lost_from} if lost_from else {})
        assert (await home.client.post("/v1/readings", json=reading(9))).is_success
        await run_until(home, 9)
        assert await home.rows("SELECT count(*) FROM ingest.quarantine") == [(0,)]


async def run_until(home: City, count: int) -> None:
    """A writer, until so many readings are stored and its position is committed."""
    stop = asyncio.Event()
    writer = asyncio.ensure_future(home.service.jobs["ingest-writer"](stop))
    await stored(home, count)
    stop.set()
    await writer
