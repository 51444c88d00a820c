"""Tails that are handed what their own process publishes miss nothing that others do."""

import asyncio
import random
from collections.abc import AsyncIterator

import psycopg
import pytest

from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog import recent, tail
from shared.eventlog.log import Outgoing, Record
from shared.eventlog.postgres import PostgresLog
from tests.contract.test_eventlog import take


@pytest.fixture
async def other(event_log: PostgresLog, database_url: str) -> AsyncIterator[PostgresLog]:
    """Another process's log on the same tables: it shares no memory with `event_log`."""
    log = await PostgresLog(database_url).open()
    yield log
    await log.close()


def outgoing(text: str, partition: int = 0) -> Outgoing:
    return Outgoing(READINGS, "k", text.encode(), (("trace", b"\x00\xff"),), partition)


async def test_two_processes_publishing_in_turns_are_read_in_order_by_both(
    event_log: PostgresLog, other: PostgresLog
) -> None:
    dice, written = random.Random(7), 0
    async with event_log.read(READINGS, {}) as one, other.read(READINGS, {}) as two:
        seen: list[list[tuple[int, int, bytes]]] = [[], []]
        for number in range(60):
            log = dice.choice([event_log, other])
            count = dice.randint(1, 4)
            written += count
            await log.publish([outgoing(f"{number}", dice.randint(0, 3)) for _ in range(count)])
            for reader, found in ((one, seen[0]), (two, seen[1])):
                if dice.random() < 0.4:
                    found += [(r.partition, r.offset, r.value) for r in await reader.batch(50, 0)]
        for reader, found in ((one, seen[0]), (two, seen[1])):
            rest = await take(reader, written - len(found))
            found += [(r.partition, r.offset, r.value) for r in rest]
    for partition in range(4):
        mine, others = ([row for row in found if row[0] == partition] for found in seen)
        assert [offset for _, offset, _ in mine] == list(range(len(mine)))
        assert mine == others


async def test_what_comes_from_memory_equals_what_comes_from_the_database(
    event_log: PostgresLog, other: PostgresLog
) -> None:
    async with event_log.read(READINGS, {}) as near, other.read(READINGS, {}) as far:
        await event_log.publish([outgoing(f"{n}", n % 4) for n in range(12)])
        mine, others = await take(near, 12), await take(far, 12)
    assert sorted(mine, key=repr) == sorted(others, key=repr)


async def test_memory_alone_serves_a_tail_that_keeps_up(
    event_log: PostgresLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "LOOK_SECONDS", 3600)
    async with event_log.read(READINGS, {}) as reader:
        assert await reader.batch(10, 0) == []
        await event_log._pool.close()  # no query succeeds any more …
        with pytest.raises(Unavailable):
            await event_log.ends(READINGS)
        held = [tail_record(n) for n in range(3)]
        event_log._recent.add(held)
        event_log._bell.ring({READINGS})
        assert await take(reader, 3) == held


def tail_record(offset: int) -> Record:
    return Record(READINGS, 0, offset, "k", b"v", (), 1)


async def test_a_publish_that_is_rolled_back_is_seen_by_nobody(
    event_log: PostgresLog, database_url: str
) -> None:
    async with event_log.read(READINGS, {}) as reader:
        await event_log.publish([outgoing("before")])
        with pytest.raises(Unavailable):  # a text that the database cannot hold spoils its group
            await event_log.publish([Outgoing(READINGS, "nul \0", b"spoilt", partition=0)])
        [position] = await event_log.publish([outgoing("after")])
        assert position.offset == 1
        assert [r.value for r in await take(reader, 2)] == [b"before", b"after"]
        assert await reader.batch(10, 0) == []


async def test_a_tail_that_is_far_behind_reads_everything(
    event_log: PostgresLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "RUN_RECORDS", 5)
    async with event_log.read(READINGS, {}) as reader:
        for start in range(0, 200, 10):
            await event_log.publish([outgoing(f"{n}") for n in range(start, start + 10)])
        assert [r.offset for r in await take(reader, 200)] == list(range(200))


async def test_what_retention_has_dropped_does_not_come_back_from_memory(
    event_log: PostgresLog, database_url: str
) -> None:
    await event_log.publish([outgoing(f"{n}") for n in range(10)])
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(
            "UPDATE eventlog.partitions SET first_offset = 6 WHERE topic = %s AND partition = 0",
            (READINGS,),
        )
    async with event_log.read(READINGS, {0: 0}) as reader:
        assert [r.offset for r in await take(reader, 4)] == [6, 7, 8, 9]


async def test_another_processs_publish_wakes_a_waiting_tail(
    event_log: PostgresLog, other: PostgresLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with event_log.read(READINGS, {}) as reader:
        await event_log.publish([outgoing("mine")])
        assert len(await take(reader, 1)) == 1
        monkeypatch.setattr(tail, "LOOK_SECONDS", 3600)  # only the bell can wake it
        assert await reader.batch(10, 0) == []
        waiting = asyncio.create_task(take(reader, 1))
        await asyncio.sleep(0)
        await other.publish([outgoing("theirs")])
        assert [r.value for r in await waiting] == [b"theirs"]
