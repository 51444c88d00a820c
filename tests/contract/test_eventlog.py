"""What both event logs promise. Each test runs on PostgreSQL and on a real Kafka broker."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from shared.eventlog.log import Consumer, EventLog, Outgoing, Reader, Record


def outgoing(topic: str, key: str, value: bytes, partition: int | None = None) -> Outgoing:
    return Outgoing(topic, key, value, (("trace", b"\x00abc"),), partition)


async def take(source: Consumer | Reader, count: int, seconds: float = 20.0) -> list[Record]:
    """Exactly the next `count` records, or fail at the deadline with what came."""
    found: list[Record] = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found += await source.batch(count - len(found), 0.2)
    return found


async def test_a_published_record_is_read_back_as_it_was(log: EventLog, topic: str) -> None:
    ends = await log.ends(topic)
    value = bytes(range(256))
    [position] = await log.publish([outgoing(topic, "sensor-1", value)])
    async with log.read(topic, ends) as reader:
        [record] = await take(reader, 1)
    assert (record.partition, record.offset) == (position.partition, position.offset)
    assert (record.key, record.value) == ("sensor-1", value)
    assert record.headers == (("trace", b"\x00abc"),)
    assert record.logged_us > 1_600_000_000_000_000


async def test_positions_are_returned_in_the_order_given(log: EventLog, topic: str) -> None:
    records = [outgoing(topic, f"s{n}", b"%d" % n, n % 3) for n in range(30)]
    positions = await log.publish(records)
    assert [at.partition for at in positions] == [n % 3 for n in range(30)]
    for partition in range(3):
        offsets = [at.offset for at in positions if at.partition == partition]
        assert offsets == list(range(offsets[0], offsets[0] + 10))


async def test_the_same_key_keeps_its_order(log: EventLog, topic: str) -> None:
    ends = await log.ends(topic)
    for start in range(0, 100, 10):
        await log.publish([outgoing(topic, "one", b"%d" % n) for n in range(start, start + 10)])
    async with log.read(topic, ends) as reader:
        values = [int(record.value) for record in await take(reader, 100)]
    assert values == list(range(100))


async def test_concurrent_publishers_leave_neither_gap_nor_double(
    log: EventLog, topic: str
) -> None:
    ends = await log.ends(topic)
    batches = [
        [outgoing(topic, f"k{n}", f"{n}-{m}".encode(), m % 4) for m in range(8)] for n in range(50)
    ]
    positions = [at for got in await asyncio.gather(*map(log.publish, batches)) for at in got]
    for partition in range(4):
        offsets = sorted(at.offset for at in positions if at.partition == partition)
        assert offsets == list(range(ends[partition], ends[partition] + 100))
    async with log.read(topic, ends) as reader:
        assert len({record.value for record in await take(reader, 400)}) == 400


async def test_a_new_member_continues_after_the_last_commit(log: EventLog, topic: str) -> None:
    group = f"group-{uuid4()}"
    async with log.consume(topic, group) as consumer:
        await drain(consumer)
        await log.publish([outgoing(topic, "a", b"%d" % n, 0) for n in range(10)])
        records = await take(consumer, 10)
        await consumer.commit({0: records[5].offset + 1})
    async with log.consume(topic, group) as consumer:
        assert [record.value for record in await take(consumer, 4)] == [b"6", b"7", b"8", b"9"]


async def test_uncommitted_records_are_delivered_again(log: EventLog, topic: str) -> None:
    group = f"group-{uuid4()}"
    async with log.consume(topic, group) as consumer:
        await drain(consumer)
        await log.publish([outgoing(topic, "a", b"again", 1)])
        await take(consumer, 1)
    async with log.consume(topic, group) as consumer:
        assert [record.value for record in await take(consumer, 1)] == [b"again"]


async def test_groups_do_not_disturb_each_other(log: EventLog, topic: str) -> None:
    names = [f"group-{uuid4()}", f"group-{uuid4()}"]
    for name in names:
        async with log.consume(topic, name) as consumer:
            await drain(consumer)
    await log.publish([outgoing(topic, "a", b"both", 2)])
    for name in names:
        async with log.consume(topic, name) as consumer:
            assert [record.value for record in await take(consumer, 1)] == [b"both"]


async def test_lag_counts_what_a_group_has_not_committed(log: EventLog, topic: str) -> None:
    group = f"group-{uuid4()}"
    async with log.consume(topic, group) as consumer:
        await drain(consumer)
        assert await log.lag(topic, group) == 0
        await log.publish([outgoing(topic, "a", b"x", 0) for _ in range(7)])
        assert await log.lag(topic, group) == 7
        records = await take(consumer, 7)
        await consumer.commit({0: records[-1].offset + 1})
        assert await log.lag(topic, group) == 0


async def test_a_waiting_reader_is_woken_by_a_publish(log: EventLog, topic: str) -> None:
    ends = await log.ends(topic)
    async with log.read(topic, ends) as reader:
        waiting = asyncio.create_task(take(reader, 1))
        await asyncio.sleep(0)
        await log.publish([outgoing(topic, "a", b"wake", 0)])
        assert [record.value for record in await waiting] == [b"wake"]


async def test_the_incarnation_stays_the_same(log: EventLog) -> None:
    first = await log.incarnation()
    assert first
    assert await log.incarnation() == first


async def drain(consumer: Consumer) -> None:
    """Bring a new group to the end of the topic: other tests have left records there."""
    last: dict[int, int] = {}
    quiet: Sequence[Record] = await consumer.batch(10_000, 2.0)
    while quiet:
        last |= {record.partition: record.offset + 1 for record in quiet}
        quiet = await consumer.batch(10_000, 0.5)
    if last:
        await consumer.commit(last)
