"""Arbitrary publishing, reading and committing on both event logs, against a list per partition."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.contracts.topics import partition_of
from shared.eventlog.log import EventLog, Outgoing, Record

GROUPS = count(1)
Step = tuple[str, Any]

headers = st.lists(
    st.tuples(st.text(max_size=8).filter(lambda t: "\0" not in t), st.binary(max_size=8)),
    max_size=3,
)
keys = st.text(max_size=12).filter(lambda text: "\0" not in text)
outgoing = st.tuples(keys, st.binary(max_size=200), headers, st.none() | st.integers(0, 3))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.lists(outgoing, min_size=1, max_size=6)),
        st.tuples(st.just("consume"), st.integers(1, 8)),
        st.tuples(st.just("read"), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@dataclass
class Model:
    """What must lie in the log: per partition the records from `first` on, and what a group has
    committed."""

    first: dict[int, int]
    partitions: dict[int, list[Outgoing]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[int, int] = field(default_factory=dict)

    def end(self, partition: int) -> int:
        """The next offset."""
        return self.first[partition] + len(self.partitions[partition])

    def check(self, record: Record) -> None:
        """It is what was published there."""
        told = self.partitions[record.partition][record.offset - self.first[record.partition]]
        assert (record.key, record.value, record.headers) == (told.key, told.value, told.headers)

    def behind(self) -> int:
        """Records that the group has not committed."""
        return sum(self.end(n) - self.committed[n] for n in self.first)


async def test_both_logs_do_what_a_list_does(log: EventLog, topic: str) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None,
        phases=[Phase.generate],
    )  # fmt: skip
    @given(steps)
    def example(drawn: list[Step]) -> None:
        asyncio.run_coroutine_threadsafe(play(log, topic, drawn), loop).result(120)

    await asyncio.to_thread(example)


async def play(log: EventLog, topic: str, drawn: list[Step]) -> None:
    """One example, in a group of its own that begins where the log ends now."""
    ends = await log.ends(topic)
    model, group = Model(dict(ends)), f"model-{next(GROUPS)}"
    async with log.consume(topic, group) as consumer:
        await consumer.commit(ends)
    model.committed = dict(ends)
    for kind, what in drawn:
        match kind:
            case "publish":
                await publish(log, topic, model, what)
            case "consume":
                await consume(log, topic, group, model, what)
            case _:
                await read(log, topic, model, what)
    assert await log.ends(topic) == {n: model.end(n) for n in model.first}
    assert await log.lag(topic, group) == model.behind()


async def publish(log: EventLog, topic: str, model: Model, items: list[Any]) -> None:
    records = [Outgoing(topic, key, value, tuple(h), where) for key, value, h, where in items]
    for record, position in zip(records, await log.publish(records), strict=True):
        wanted = record.partition
        if wanted is None:
            wanted = partition_of(record.key, len(model.first))
        assert (position.partition, position.offset) == (wanted, model.end(wanted))
        model.partitions[wanted].append(record)


async def consume(log: EventLog, topic: str, group: str, model: Model, most: int) -> None:
    """Take some, commit half of them: the rest comes again to whoever is next."""
    waiting = model.behind()
    async with log.consume(topic, group) as consumer:
        found: list[Record] = []
        async with asyncio.timeout(60):
            while len(found) < min(most, waiting):
                found += await consumer.batch(most - len(found), 0.2)
        next_of = dict(model.committed)
        for record in found:
            assert record.offset == next_of[record.partition]
            next_of[record.partition] += 1
            model.check(record)
        done = {record.partition: record.offset + 1 for record in found[: len(found) // 2 + 1]}
        if done:
            await consumer.commit(done)
            model.committed |= done


async def read(log: EventLog, topic: str, model: Model, back: int) -> None:
    """From some records before the end of each partition."""
    start = {n: max(model.first[n], model.end(n) - back) for n in model.first}
    wanted = sum(model.end(n) - start[n] for n in start)
    async with log.read(topic, start) as reader:
        found: list[Record] = []
        async with asyncio.timeout(60):
            while len(found) < wanted:
                found += await reader.batch(100, 0.2)
        for record in found:
            model.check(record)
