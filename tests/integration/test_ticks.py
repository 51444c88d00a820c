"""Clock ticks: records without readings, which all who read the log take in their stride."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.border.ticks import Ticks
from shared.clock import system_clock, to_micros
from shared.contracts.reading import Batch, decode_batch, encode_batch
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Outgoing, Position
from shared.eventlog.postgres import PostgresLog
from tests.integration.cities import City, city, reading
from tests.waiting import eventually

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


async def test_a_tick_reaches_every_partition(event_log: EventLog) -> None:
    await Ticks(event_log, lambda: NOON, 5).tick()
    async with event_log.read(READINGS, {}) as reader:
        records = await reader.batch(10, 1)
    assert sorted(record.partition for record in records) == [0, 1, 2, 3]
    assert {record.value for record in records} == {
        encode_batch(Batch([], to_micros(NOON), "clock"))
    }
    assert decode_batch(records[0].value).items == []


async def test_time_goes_on_once_a_log_that_was_away_is_back(database_url: str) -> None:
    class Away(PostgresLog):
        away = True
        asked = 0

        async def publish(self, records: object) -> list[Position]:
            self.asked += 1
            if self.away:
                raise Unavailable("away")
            return await super().publish(records)  # type: ignore[arg-type]

    log = Away(database_url)
    await log.open()
    before = sum((await log.ends(READINGS)).values())
    stop = asyncio.Event()
    ticking = asyncio.create_task(Ticks(log, system_clock, 0.01).run(stop))

    async def asked_often() -> bool:
        return log.asked > 3

    async def ticked() -> bool:
        return sum((await log.ends(READINGS)).values()) >= before + 8

    assert await eventually(asked_often, 10)
    assert sum((await log.ends(READINGS)).values()) == before
    log.away = False
    assert await eventually(ticked, 10)
    stop.set()
    await ticking
    await log.close()


async def test_the_writer_stores_what_lies_among_ticks(home: City) -> None:
    log, stop = home.context.log, asyncio.Event()
    jobs = [home.service.jobs[f"ingest-{name}"] for name in ("writer", "ticks")]
    tasks = [asyncio.ensure_future(job(stop)) for job in jobs]
    for minute in range(5):
        tick = encode_batch(Batch([], to_micros(system_clock()), "clock"))
        await log.publish([Outgoing(READINGS, "clock", tick, partition=n) for n in range(4)])
        assert (await home.client.post("/v1/readings", json=reading(minute))).status_code == 202

    async def all_done() -> bool:
        stored = (await home.rows("SELECT count(*) FROM ingest.readings"))[0][0]
        return bool(stored == 5) and await log.lag(READINGS, "writer") == 0

    assert await eventually(all_done, 15)
    stop.set()
    await asyncio.gather(*tasks)
    assert await home.rows("SELECT * FROM ingest.quarantine") == []


@pytest.mark.parametrize("part", ["gateway", "writer", "all"])
async def test_every_shape_has_the_clock(home: City, part: str) -> None:
    from services.ingest.__main__ import BUILDS

    assert "ingest-ticks" in (await BUILDS[part](home.context)).jobs
