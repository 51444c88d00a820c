"""Rollups are what a fresh aggregate of the readings would be, whatever came late and when."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.storage.delivery import Delivery, deliver
from services.ingest.storage.prepared import prepare, prepare_carefully
from services.ingest.storage.rollups.refresher import Refresher
from services.ingest.storage.rollups.statements import TAKE_MARKS
from services.ingest.storage.store import ReadingStore
from shared.clock import to_micros
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record
from shared.store.engine import connect
from shared.store.rollups import ORIGIN, WIDTHS, floor_to, relation
from tests.integration.storage import AT_ONCE, settle
from tests.waiting import eventually

NOW = datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC)
START = NOW - timedelta(days=3)
QUALITIES: tuple[Literal["good", "suspect", "bad"], ...] = ("good", "suspect", "bad")
WRITERS = 3


def expected(width: int) -> str:
    """The buckets of `width` as one statement makes them of the readings."""
    return f"""
    SELECT sensor_id, metric, date_bin('{width} s', observed_at, '{ORIGIN.isoformat()}') AS bucket,
      count(*)::int, (count(*) FILTER (WHERE quality = 0))::int,
      (count(*) FILTER (WHERE quality = 2))::int,
      coalesce(min(value) FILTER (WHERE quality < 2), min(value)),
      coalesce(max(value) FILTER (WHERE quality < 2), max(value)),
      round(coalesce(avg(value) FILTER (WHERE quality < 2), avg(value))::numeric, 6),
      (array_agg(value ORDER BY quality = 2, observed_at DESC))[1],
      (array_agg(observed_at ORDER BY quality = 2, observed_at DESC))[1]
    FROM ingest.readings GROUP BY 1, 2, 3
    """


async def buckets(engine: AsyncEngine, width: int) -> set[tuple[Any, ...]]:
    columns = "sensor_id, metric, bucket, count, good, bad, min, max, round(mean::numeric, 6)"
    return await rows(engine, f"SELECT {columns}, last, last_at FROM {relation(width)}")


async def rows(engine: AsyncEngine, query: str) -> set[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return {tuple(row) for row in await connection.execute(text(query))}


async def compare(engine: AsyncEngine, now: datetime) -> None:
    """Every closed bucket of every width, and nothing else."""
    for width in WIDTHS:
        closed = {row for row in await rows(engine, expected(width)) if _over(row[2], width, now)}
        assert await buckets(engine, width) == closed, width


def _over(bucket: datetime, width: int, now: datetime) -> bool:
    return bucket + timedelta(seconds=width) <= now - timedelta(seconds=60)


def record(partition: int, offset: int, readings: list[Reading]) -> Delivery:
    value = encode_batch(Batch(readings, 0, "test"))
    return deliver(Record(READINGS, partition, offset, "", value, (), 0))


def reading(chance: random.Random, sensor: str, latest: datetime) -> Reading:
    """Mostly recent, sometimes late by days; sometimes a repeat, a conflict or a correction."""
    late = chance.random() < 0.2
    span = latest - START
    age = chance.random() * span if late else chance.random() * timedelta(minutes=20)
    moment = latest - timedelta(seconds=int(age.total_seconds()) // 20 * 20)
    quality = chance.choice(QUALITIES)
    value = float(chance.randrange(100))
    return Reading(sensor, "m", to_micros(moment), value, quality, chance.random() < 0.3)


class Clock:
    """A day passes in as many steps as there are batches."""

    def __init__(self) -> None:
        self.now = START + timedelta(days=2)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def connection(engine: AsyncEngine, database_url: str) -> AsyncIterator[Any]:
    opened = await connect(database_url, autocommit=True)
    yield opened
    await opened.close()


async def test_everything_stored_is_rolled_up_while_several_write(
    engine: AsyncEngine, database_url: str, connection: Any
) -> None:
    clock = Clock()
    refresher = Refresher(database_url, clock, AT_ONCE)

    async def write(number: int) -> None:
        chance = random.Random(number)
        async with ReadingStore(database_url, f"life-{number}").session() as session:
            for offset in range(60):
                clock.now += timedelta(minutes=8)
                names = [f"s{number}-{chance.randrange(4)}" for _ in range(25)]
                items = [reading(chance, name, clock.now) for name in names]
                await session.write(prepare([record(number, offset, items)], session.marks))

    writers = [asyncio.ensure_future(write(number)) for number in range(WRITERS)]
    while not all(writer.done() for writer in writers):
        await refresher.step(connection)
    await asyncio.gather(*writers)
    await settle(refresher, connection)
    await compare(engine, clock.now)
    assert await rows(engine, "SELECT count(*) FROM ingest.rollup_marks") == {(0,)}


async def test_a_writer_that_commits_late_is_not_lost(
    engine: AsyncEngine, database_url: str, connection: Any
) -> None:
    """Its rows lie below the watermark that moves while it works."""
    clock = Clock()
    clock.now = NOW - timedelta(minutes=10)
    refresher = Refresher(database_url, clock, AT_ONCE)
    await settle(refresher, connection)
    clock.now = NOW
    item = Reading("s", "m", to_micros(NOW - timedelta(hours=5)), 1.0, "good")
    async with held(database_url) as other:
        step = asyncio.ensure_future(refresher.step(connection))
        assert not await _done(step)
        await other.execute(
            "INSERT INTO ingest.readings VALUES ('s', 'm', %s, 1.0, 0)",
            (NOW - timedelta(minutes=3),),
        )
    await step
    async with ReadingStore(database_url, "life").session() as session:
        await session.write(prepare_carefully([record(0, 0, [item])]))
    await settle(refresher, connection)
    assert await rows(engine, f"SELECT count(*) FROM {relation(60)}") == {(2,)}
    changed = {(floor_to(NOW - timedelta(hours=5), WIDTHS[-1]),)}  # exports give that day again
    assert await rows(engine, "SELECT day FROM ingest.changed_days") == changed


@asynccontextmanager
async def held(database_url: str) -> AsyncIterator[Any]:
    """A writer's transaction, open."""
    other = await connect(database_url)
    async with other.transaction():
        await other.execute("SELECT closed_to FROM ingest.rollup_watermark FOR SHARE")
        yield other
    await other.close()


async def test_writers_that_follow_one_another_do_not_hold_up_the_watermark(
    engine: AsyncEngine, connection: Any, database_url: str
) -> None:
    """The second begins while the first works and ends only after the refresher's step."""
    stepped = asyncio.Event()

    async def follow() -> None:
        async with held(database_url):
            await stepped.wait()

    async def waits() -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pid = {})"
        return await rows(engine, query.format(connection.info.backend_pid)) == {(True,)}

    async with held(database_url):
        step = asyncio.ensure_future(Refresher(database_url, lambda: NOW, AT_ONCE).step(connection))
        assert await eventually(waits, 10)
        follower = asyncio.ensure_future(follow())
        assert not await _done(follower)
    try:
        await asyncio.wait_for(step, 8)
    finally:
        stepped.set()
        await follower


async def _done(step: "asyncio.Future[Any]") -> bool:
    async def finished() -> bool:
        return step.done()

    return await eventually(finished, 0.5)


async def test_a_killed_refresher_begins_again_where_it_was(
    engine: AsyncEngine, database_url: str
) -> None:
    async with ReadingStore(database_url, "life").session() as session:
        chance = random.Random(1)
        items = [reading(chance, "s", NOW - timedelta(minutes=2)) for _ in range(500)]
        await session.write(prepare_carefully([record(0, 0, items)]))
    for _ in range(5):
        victim = await connect(database_url, autocommit=True)
        refresher = Refresher(database_url, lambda: NOW, AT_ONCE)
        step = asyncio.ensure_future(refresher.step(victim))
        await asyncio.sleep(0)
        async with engine.begin() as killer:
            query = text("SELECT pg_terminate_backend(:pid)")
            await killer.execute(query, {"pid": victim.info.backend_pid})
        with pytest.raises(psycopg.OperationalError):
            await step
            await victim.execute("SELECT 1")
        await victim.close()
    alive = await connect(database_url, autocommit=True)
    await settle(Refresher(database_url, lambda: NOW, AT_ONCE), alive)
    await alive.close()
    await compare(engine, NOW)


async def test_what_was_stored_before_there_were_rollups_is_rolled_up(
    engine: AsyncEngine, connection: Any, database_url: str
) -> None:
    async with engine.begin() as opened:
        await opened.execute(
            text(
                "INSERT INTO ingest.readings SELECT 's', 'm', at, extract(hour FROM at), 0"
                " FROM generate_series(CAST(:start AS timestamptz), :end, '7 minutes') AS at"
            ),
            {"start": START - timedelta(days=400), "end": NOW},
        )
    await settle(Refresher(database_url, lambda: NOW, AT_ONCE), connection)
    await compare(engine, NOW)


async def test_no_more_marks_are_taken_than_were_asked_for(
    engine: AsyncEngine, connection: Any
) -> None:
    """Not even when PostgreSQL believes that there is a single one, and plans accordingly."""
    mark = (
        "INSERT INTO ingest.rollup_marks (sensor_id, metric, day, first, last)"
        " SELECT 's' || n, 'm', day, day, day FROM generate_series(%s::int, %s) AS n,"
        " generate_series(timestamptz '2026-01-01Z', '2026-01-02Z', '1 day') AS day"
    )
    await connection.execute(mark, (0, 0))
    await connection.execute("DELETE FROM ingest.rollup_marks WHERE day > '2026-01-01Z'")
    await connection.execute("ANALYZE ingest.rollup_marks")
    await connection.execute(mark, (10, 40))
    taken = await connection.execute(TAKE_MARKS, {"quiet": timedelta(0), "limit": 10})
    assert len(await taken.fetchall()) == 10


async def test_below_the_floor_nothing_is_made_again(
    engine: AsyncEngine, connection: Any, database_url: str
) -> None:
    refresher = Refresher(database_url, lambda: NOW, AT_ONCE)
    old = [Reading("s", "m", to_micros(START + timedelta(minutes=n)), 5.0) for n in range(10)]
    async with ReadingStore(database_url, "life").session() as session:
        await session.write(prepare_carefully([record(0, 0, old)]))
        await settle(refresher, connection)
        before = [await buckets(engine, width) for width in WIDTHS]
        async with engine.begin() as opened:
            await opened.execute(text("DELETE FROM ingest.readings"))
            floor = {"floor": START + timedelta(days=2)}
            query = "INSERT INTO ingest.retention_floors VALUES ('m', 0, :floor)"
            await opened.execute(text(query), floor)
        late = [Reading("s", "m", to_micros(START + timedelta(minutes=2)), 99.0)]
        await session.write(prepare_carefully([record(0, 1, late)]))
    await settle(refresher, connection)
    assert [await buckets(engine, width) for width in WIDTHS] == before
