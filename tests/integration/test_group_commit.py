"""Requests that share records: on a real log, with a partition that is held for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from services.ingest.border import group_commit, receipts
from services.ingest.border.decode import read_body
from services.ingest.border.group_commit import GroupCommit
from services.ingest.border.intake import Taken
from shared.clock import to_micros
from shared.contracts.reading import Reading, decode_batch
from shared.contracts.topics import READINGS
from shared.errors import Overloaded, Unavailable
from shared.eventlog.postgres import PostgresLog
from tests.contract.test_eventlog import take

NOW_US = to_micros(datetime(2026, 5, 1, 8, 0, tzinfo=UTC))
LOCK = "SELECT FROM eventlog.partitions WHERE topic = %s AND partition = %s FOR UPDATE"


def taken(name: str, partition: int = 0, count: int = 1) -> Taken:
    """A judged request of `count` readings."""
    readings = [Reading(name, "m", NOW_US, 1.0, "good", False, index) for index in range(count)]
    body = read_body(b"[" + b",".join([b"{}"] * count) + b"]")
    return Taken(body, count, {partition: readings}, [], NOW_US)


@asynccontextmanager
async def held(database_url: str, partition: int = 0) -> AsyncIterator[None]:
    """Nobody can publish to the partition for the time of the block."""
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute(LOCK, (READINGS, partition))
        yield
        await holder.rollback()


async def under_way(commits: GroupCommit, count: int = 1) -> None:
    """Until so many groups are being published."""
    async with asyncio.timeout(60):
        while len(commits._under_way) < count:
            await asyncio.sleep(0)


async def contents(log: PostgresLog, count: int) -> list[list[str]]:
    """The sensors of each record."""
    async with log.read(READINGS, {}) as reader:
        records = await take(reader, count)
    return [[item.sensor_id for item in decode_batch(each.value).items] for each in records]


async def test_requests_of_one_turn_share_a_record_and_each_has_its_receipt(
    event_log: PostgresLog,
) -> None:
    commits = GroupCommit(event_log)
    tokens = await asyncio.gather(
        *(commits.publish(taken(f"s{n}", count=n), "bus" if n < 3 else "car") for n in (1, 2, 3))
    )
    async with event_log.read(READINGS, {}) as reader:
        (record,) = await take(reader, 1)
    batch = decode_batch(record.value)
    assert [(who, len(items)) for who, items in batch.by_source()] == [("bus", 3), ("car", 3)]
    for number, token in zip((1, 2, 3), tokens, strict=True):
        receipt = receipts.decode(token)
        assert receipt.places == ((record.partition, record.offset),)
        own = [i.sensor_id for i in batch.items if receipt.own(i.index) is not None]
        assert own == [f"s{number}"] * number


async def test_what_arrives_during_a_publish_leaves_together_after_it(
    event_log: PostgresLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUPS_UNDER_WAY", 1)
    commits = GroupCommit(event_log)
    async with held(database_url):
        first = asyncio.create_task(commits.publish(taken("a"), "bus"))
        await under_way(commits)
        rest = [asyncio.create_task(commits.publish(taken(f"b{n}"), "bus")) for n in range(20)]
        await asyncio.sleep(0)
        assert not first.done()
    await asyncio.gather(first, *rest)
    assert await contents(event_log, 2) == [["a"], [f"b{n}" for n in range(20)]]


async def test_a_request_that_is_cancelled_harms_no_other_one(
    event_log: PostgresLog, database_url: str
) -> None:
    commits = GroupCommit(event_log)
    async with held(database_url):
        both = [asyncio.create_task(commits.publish(taken(name), "bus")) for name in ("a", "b")]
        await under_way(commits)
        both[0].cancel()
    assert receipts.decode(await both[1]).first == 1
    with pytest.raises(asyncio.CancelledError):
        await both[0]
    await commits.publish(taken("c"), "bus")
    assert commits._waiting == 0


async def test_a_failed_publish_fails_its_own_requests_and_no_others(
    event_log: PostgresLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.eventlog.publisher.TURN_SECONDS", 0.3)
    commits = GroupCommit(event_log)
    async with held(database_url):
        doomed = [asyncio.create_task(commits.publish(taken(name), "bus")) for name in ("a", "b")]
        await under_way(commits)
        assert await commits.publish(taken("elsewhere", partition=1), "bus")
        outcomes = await asyncio.gather(*doomed, return_exceptions=True)
        assert [type(each) for each in outcomes] == [Unavailable, Unavailable]
    await commits.publish(taken("later"), "bus")
    assert sorted(await contents(event_log, 2)) == [["elsewhere"], ["later"]]


async def test_when_the_log_is_given_up_everybody_is_told_at_once(
    event_log: PostgresLog, database_url: str
) -> None:
    commits = GroupCommit(event_log)
    async with held(database_url):
        first = asyncio.create_task(commits.publish(taken("a"), "bus"))
        await under_way(commits)
        second = asyncio.create_task(commits.publish(taken("b"), "bus"))
        await asyncio.sleep(0)
        commits.give_up(Overloaded("silent"))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(each) for each in outcomes] == [Overloaded, Overloaded]
        assert commits._waiting == 0
    await commits.publish(taken("later"), "bus")
    assert commits._waiting == 0
    # What was under way may be durable all the same; what had not left is not.
    kept = [sensor for record in await contents(event_log, 2) for sensor in record]
    assert kept == ["a", "later"]


async def test_a_large_request_has_a_record_of_its_own_and_does_not_wait(
    event_log: PostgresLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "GROUPS_UNDER_WAY", 1)
    commits = GroupCommit(event_log)
    async with held(database_url):
        small = asyncio.create_task(commits.publish(taken("small"), "bus"))
        await under_way(commits)
        large = taken("large", partition=1, count=group_commit.SMALL_ITEMS + 1)
        receipt = receipts.decode(await commits.publish(large, "bus"))
        assert not small.done()
    assert receipt.own(group_commit.SMALL_ITEMS) == group_commit.SMALL_ITEMS
    await small


async def test_too_many_waiting_requests_are_refused(
    event_log: PostgresLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WAITING_REQUESTS", 3)
    commits = GroupCommit(event_log)
    async with held(database_url):
        waiting = [asyncio.create_task(commits.publish(taken(f"{n}"), "bus")) for n in range(3)]
        await under_way(commits)
        with pytest.raises(Overloaded):
            await commits.publish(taken("one more"), "bus")
    await asyncio.gather(*waiting)
    assert await commits.publish(taken("room again"), "bus")


async def test_a_full_group_leaves_at_once(
    event_log: PostgresLog, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("GROUPS_UNDER_WAY", 1), ("SMALL_ITEMS", 100), ("GROUP_ITEMS", 1_000)):
        monkeypatch.setattr(group_commit, name, value)
    commits = GroupCommit(event_log)
    size = group_commit.SMALL_ITEMS
    async with held(database_url):
        many = [
            asyncio.create_task(commits.publish(taken("x", count=size), "b")) for _ in range(30)
        ]
        await under_way(commits, 3)
    await asyncio.gather(*many)
    assert max(map(len, await contents(event_log, 3))) <= group_commit.GROUP_ITEMS
