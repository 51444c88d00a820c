"""Rows in a real PostgreSQL: once each, whatever is repeated, contradicted or broken."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.storage.delivery import Delivery, deliver
from services.ingest.storage.outcome import Outcome
from services.ingest.storage.prepared import prepare
from services.ingest.storage.store import ReadingStore, StoreSession
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record

SECOND = 1_000_000
START = 1_777_622_340 * SECOND


def reading(n: int, value: float = 1.0, *, replace: bool = False, sensor: str = "s") -> Reading:
    return Reading(sensor, "m", START + n * SECOND, value, "good", replace, n)


def record(offset: int, *readings: Reading, partition: int = 0) -> Delivery:
    value = encode_batch(Batch(list(readings), START, "test"))
    return raw_record(offset, value, partition)


def raw_record(offset: int, value: bytes, partition: int = 0) -> Delivery:
    return deliver(Record(READINGS, partition, offset, "", value, (), START))


@pytest.fixture
async def session(engine: AsyncEngine, database_url: str) -> AsyncIterator[StoreSession]:
    async with ReadingStore(database_url, "life").session() as opened:
        yield opened


async def rows(engine: AsyncEngine, query: str) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def write(session: StoreSession, *deliveries: Delivery) -> Outcome:
    return await session.write(prepare(deliveries, session.marks))


READINGS_SQL = "SELECT sensor_id, value FROM ingest.readings ORDER BY sensor_id, observed_at"
QUARANTINE_SQL = (
    'SELECT code, "offset", index, item, detail FROM ingest.quarantine ORDER BY "offset", index'
)
PROGRESS_SQL = "SELECT partition, next_offset FROM ingest.progress ORDER BY partition"


async def test_rows_and_offsets_are_stored_together(
    session: StoreSession, engine: AsyncEngine
) -> None:
    outcome = await write(
        session, record(0, reading(1), reading(2, 2.5)), record(4, reading(3), partition=2)
    )
    assert (outcome.stored, outcome.duplicates) == (3, 0)
    assert await rows(engine, READINGS_SQL) == [("s", 1.0), ("s", 2.5), ("s", 1.0)]
    assert await rows(engine, PROGRESS_SQL) == [(0, 1), (2, 5)]


async def test_a_repeat_changes_nothing(session: StoreSession, engine: AsyncEngine) -> None:
    await write(session, record(0, reading(1), reading(2)))
    outcome = await write(session, record(1, reading(2), reading(1), reading(3), reading(3)))
    assert (outcome.stored, outcome.duplicates, outcome.conflicts) == (1, 3, [])
    assert len(await rows(engine, READINGS_SQL)) == 3
    assert await rows(engine, QUARANTINE_SQL) == []


async def test_another_value_is_a_conflict(session: StoreSession, engine: AsyncEngine) -> None:
    await write(session, record(0, reading(1, 1.0)))
    outcome = await write(session, record(1, reading(1, 9.0), reading(2)))
    assert (outcome.stored, outcome.duplicates, len(outcome.conflicts)) == (1, 0, 1)
    assert await rows(engine, READINGS_SQL) == [("s", 1.0), ("s", 1.0)]
    ((code, offset, index, item, detail),) = await rows(engine, QUARANTINE_SQL)
    assert (code, offset, index, item["value"]) == ("conflict", 1, 1, 9.0)
    assert "1.0" in detail


async def test_a_batch_may_contradict_itself(session: StoreSession, engine: AsyncEngine) -> None:
    await write(session, record(0, reading(1, 1.0), reading(1, 2.0), reading(1, 1.0)))
    assert await rows(engine, READINGS_SQL) == [("s", 1.0)]
    assert [row[3]["value"] for row in await rows(engine, QUARANTINE_SQL)] == [2.0]


async def test_replace_supersedes_and_is_audited(
    session: StoreSession, engine: AsyncEngine
) -> None:
    await write(session, record(0, reading(1, 1.0)))
    outcome = await write(session, record(1, reading(1, 2.0, replace=True)))
    assert len(outcome.corrections) == 1
    assert await rows(engine, READINGS_SQL) == [("s", 2.0)]
    audited = "SELECT sensor_id, old_value, new_value, source FROM ingest.corrections"
    assert await rows(engine, audited) == [("s", 1.0, 2.0, "test")]
    assert await rows(engine, QUARANTINE_SQL) == []


async def test_the_repeat_of_a_conflict_is_a_conflict_too(
    session: StoreSession, engine: AsyncEngine
) -> None:
    await write(session, record(0, reading(1, 1.0)))
    outcome = await write(session, record(1, reading(1, 2.0), reading(1, 2.0)))
    assert (len(outcome.conflicts), outcome.duplicates) == (2, 0)
    outcome = await write(session, record(2, reading(1, 1.0), reading(1, 1.0)))
    assert (len(outcome.conflicts), outcome.duplicates) == (0, 2)
    outcome = await write(session, record(3, reading(1, 3.0), reading(1, 3.0), reading(1, 4.0)))
    assert len(outcome.conflicts) == 3


async def test_an_equal_value_that_says_replace_supersedes(
    session: StoreSession, engine: AsyncEngine
) -> None:
    await write(session, record(0, reading(1, 1.0)))
    outcome = await write(session, record(1, reading(1, 2.0), reading(1, 2.0, replace=True)))
    assert (len(outcome.conflicts), len(outcome.corrections)) == (1, 1)
    assert await rows(engine, READINGS_SQL) == [("s", 2.0)]


async def test_a_crash_before_the_logs_commit_repeats_nothing(
    session: StoreSession, engine: AsyncEngine, database_url: str
) -> None:
    first = [record(0, reading(1, 1.0)), record(1, reading(1, 2.0, replace=True))]
    await write(session, *first)
    async with ReadingStore(database_url, "life").session() as after_restart:
        outcome = await write(after_restart, *first, record(2, reading(2)))
    assert (outcome.stored, outcome.duplicates, outcome.conflicts) == (1, 0, [])
    assert await rows(engine, READINGS_SQL) == [("s", 2.0), ("s", 1.0)]


async def test_offsets_of_another_life_do_not_count(
    session: StoreSession, engine: AsyncEngine, database_url: str
) -> None:
    await write(session, record(7, reading(1)))
    async with ReadingStore(database_url, "another").session() as other:
        await write(other, record(0, reading(2)))
    assert len(await rows(engine, READINGS_SQL)) == 2
    assert await rows(engine, PROGRESS_SQL) == [(0, 1)]


async def test_progress_beyond_a_log_made_anew_is_forgotten(
    session: StoreSession, engine: AsyncEngine
) -> None:
    await write(session, record(7, reading(1)), record(3, reading(1), partition=1))
    assert await session.forget_beyond({0: 2, 1: 4}) == 1
    assert await rows(engine, PROGRESS_SQL) == [(1, 4)]


@pytest.mark.parametrize(
    "value", [b"\xff", b"", b"{}", b"[]", b'{"items": "x"}', b'{"items":\0"\\u0000"}']
)
async def test_a_poison_record_costs_one_record(
    session: StoreSession, engine: AsyncEngine, value: bytes
) -> None:
    await write(session, record(0, reading(1)), raw_record(1, value), record(2, reading(2)))
    assert len(await rows(engine, READINGS_SQL)) == 2
    ((code, offset, index, *_),) = await rows(engine, QUARANTINE_SQL)
    assert (code, offset, index) == ("malformed", 1, -1)
    assert await rows(engine, PROGRESS_SQL) == [(0, 3)]


@pytest.fixture
async def picky(engine: AsyncEngine) -> AsyncIterator[None]:
    """A database that refuses one value, as no rule of ours foresees."""
    async with engine.begin() as connection:
        await connection.execute(
            text("ALTER TABLE ingest.readings ADD CONSTRAINT picky CHECK (value <> 666)")
        )
    yield
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE ingest.readings DROP CONSTRAINT picky"))


@pytest.mark.parametrize("replace", [False, True])
async def test_a_poison_row_costs_one_row(
    session: StoreSession, engine: AsyncEngine, picky: None, replace: bool
) -> None:
    readings = [reading(n, 666 if n == 5 else 1.0, replace=replace) for n in range(11)]
    outcome = await write(session, record(0, *readings))
    assert (outcome.stored, len(outcome.poison)) == (10, 1)
    assert len(await rows(engine, READINGS_SQL)) == 10
    ((code, _, index, item, _),) = await rows(engine, QUARANTINE_SQL)
    assert (code, index, item["value"]) == ("malformed", 5, 666)


async def test_rows_no_database_can_hold_are_set_aside(
    session: StoreSession, engine: AsyncEngine
) -> None:
    broken = [
        Reading("s", "m", 10**30, 1.0),
        Reading("s", "m", -(10**17), 1.0, index=1),
        Reading("s\0", "m", START, 1.0, index=2),
    ]
    await write(session, record(0, *broken, reading(3)))
    assert len(await rows(engine, READINGS_SQL)) == 1
    found = await rows(engine, QUARANTINE_SQL)
    assert {row[0] for row in found} == {"malformed"}
    assert json.dumps([row[3] for row in found])


async def test_many_rows_meet_a_few_stored_ones(session: StoreSession, engine: AsyncEngine) -> None:
    await write(session, record(0, *(reading(n, float(n)) for n in range(0, 3000, 7))))
    batch = [reading(n, 0.5 if n % 21 == 0 else float(n)) for n in range(3000)]
    outcome = await write(session, record(1, *batch))
    stored = len(range(0, 3000, 7))
    assert outcome.stored == 3000 - stored
    assert len(outcome.conflicts) == len(range(0, 3000, 21))
    assert outcome.duplicates == stored - len(outcome.conflicts)
    ((count, total),) = await rows(engine, "SELECT count(*), sum(value) FROM ingest.readings")
    assert count == 3000
    assert total == sum(range(3000))
