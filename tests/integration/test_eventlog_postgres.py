"""The embedded log's own laws: late commits, its bound, groups across processes."""

import asyncio

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.topics import QUARANTINE, READINGS
from shared.errors import Overloaded, Unavailable
from shared.eventlog.log import Outgoing
from shared.eventlog.postgres import PostgresLog
from tests.contract.test_eventlog import take

HOLD = """
UPDATE eventlog.partitions SET next_offset = next_offset + 1
WHERE topic = 'city.readings' AND partition = 0 RETURNING next_offset - 1
"""
INSERT = """
INSERT INTO eventlog.records (topic, partition, "offset", key, value, logged_us)
VALUES ('city.readings', 0, %s, 'late', 'late', 1)
"""


async def test_a_transaction_that_commits_late_is_not_skipped_and_stalls_nobody_else(
    event_log: PostgresLog, database_url: str
) -> None:
    ends = await event_log.ends(READINGS)
    held = await psycopg.AsyncConnection.connect(database_url)
    row = await (await held.execute(HOLD)).fetchone()
    assert row is not None
    await held.execute(INSERT, (row[0],))

    async with event_log.read(READINGS, ends) as reader:
        # The held partition's next publisher waits for its turn …
        second = asyncio.create_task(
            event_log.publish([Outgoing(READINGS, "k", b"second", partition=0)])
        )
        assert await reader.batch(10, 0.3) == []
        # … while another partition is published to and read, through the same process.
        await asyncio.wait_for(
            event_log.publish([Outgoing(READINGS, "k", b"other", partition=1)]), 1.0
        )
        assert [record.value for record in await take(reader, 1)] == [b"other"]
        await held.commit()
        [position] = await second
        assert position.offset == row[0] + 1
        assert [record.value for record in await take(reader, 2)] == [b"late", b"second"]
    await held.close()


async def test_a_lock_held_too_long_is_unavailable_not_a_hang(
    event_log: PostgresLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.eventlog.publisher.TURN_SECONDS", 0.5)
    async with await psycopg.AsyncConnection.connect(database_url) as held:
        await held.execute(HOLD)
        with pytest.raises(Unavailable):
            await event_log.publish([Outgoing(READINGS, "k", b"x", partition=0)])
        await held.rollback()
    [position] = await event_log.publish([Outgoing(READINGS, "k", b"y", partition=0)])
    assert position.offset == 0  # the refused record left no gap


async def test_it_refuses_rather_than_drop_what_a_group_still_needs(
    engine: AsyncEngine, database_url: str
) -> None:
    log = await PostgresLog(database_url, max_records=100).open()
    async with log.consume(READINGS, "slow") as consumer:
        with pytest.raises(Overloaded):
            for _ in range(30):
                await log.publish([Outgoing(READINGS, "k", b"x") for _ in range(5)])
        await log._keeper.clean()
        with pytest.raises(Overloaded):
            await log.publish([Outgoing(READINGS, "k", b"x")])
        records = await take(consumer, 100)
        await consumer.commit({r.partition: r.offset + 1 for r in records})
        await log._keeper.clean()
        await log.publish([Outgoing(READINGS, "k", b"room again")])
        assert [record.value for record in await take(consumer, 1)] == [b"room again"]
    await log.close()


async def test_it_is_bounded_by_bytes_too(engine: AsyncEngine, database_url: str) -> None:
    log = await PostgresLog(database_url, max_bytes=100_000).open()
    async with log.consume(READINGS, "slow") as consumer:
        with pytest.raises(Overloaded):
            for _ in range(200):
                await log.publish([Outgoing(READINGS, "k", bytes(1_000))])
        await log._keeper.clean()
        with pytest.raises(Overloaded):  # the group still needs every one
            await log.publish([Outgoing(READINGS, "k", b"x")])
        another = await PostgresLog(database_url, max_bytes=100_000).open()
        await another._keeper.clean()
        with pytest.raises(Overloaded):  # a process that has just started knows it too
            await another.publish([Outgoing(READINGS, "k", b"x")])
        await another.close()
        records = await take(consumer, 100)
        await consumer.commit({r.partition: r.offset + 1 for r in records})
        await log._keeper.clean()
        await log.publish([Outgoing(READINGS, "k", b"room again")])
    await log._keeper.clean()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute(
            "SELECT sum(kept_bytes), (SELECT sum(length(value)) FROM eventlog.records)"
            " FROM eventlog.partitions"
        )
        counted, kept = await cursor.fetchone() or (0, 0)
    assert counted == kept <= 51_000
    await log.close()


async def test_what_nobody_needs_is_dropped_and_a_late_reader_starts_at_what_is_kept(
    engine: AsyncEngine, database_url: str
) -> None:
    log = await PostgresLog(database_url, max_records=100).open()
    for start in range(0, 500, 50):
        await log.publish([Outgoing(QUARANTINE, "k", b"%d" % n) for n in range(start, start + 50)])
        await log._keeper.clean()
    first = (await log.starts(QUARANTINE))[0]
    assert first >= 400
    async with log.read(QUARANTINE, {0: 0}) as reader:
        records = await take(reader, 500 - first)
    assert [record.offset for record in records] == list(range(first, 500))
    await log.close()


async def test_a_second_member_waits_for_the_seat_and_then_takes_over(
    event_log: PostgresLog, database_url: str
) -> None:
    other = await PostgresLog(database_url).open()
    async with event_log.consume(READINGS, "one") as first:
        waiting = asyncio.create_task(_first_record(other))
        await event_log.publish([Outgoing(READINGS, "k", b"mine", partition=0)])
        [record] = await take(first, 1)
        await first.commit({0: record.offset + 1})
        assert not waiting.done()
    await event_log.publish([Outgoing(READINGS, "k", b"yours", partition=0)])
    assert await waiting == b"yours"
    await other.close()


async def _first_record(log: PostgresLog) -> bytes:
    async with log.consume(READINGS, "one") as consumer:
        return (await take(consumer, 1))[0].value
