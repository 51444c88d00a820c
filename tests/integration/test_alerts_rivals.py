"""Two engines that both believe that a partition is theirs: as one alone."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine import loop
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from shared.contracts.topics import READINGS
from shared.eventlog.log import EventLog, Outgoing, Record
from shared.eventlog.stretch import Take
from tests.integration.alerting import RULES, all_incidents, gas, outgoing, repository, steps


class Silent:
    """A group that keeps no positions."""

    async def batch(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        raise AssertionError("records are handed in")

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        return None


def on_the_log(number: int, record: Outgoing) -> Record:
    return Record(READINGS, 0, number, record.key, record.value, (), 0)


class Told:
    """The past, as the records that are handed in."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records

    async def replay(self, partition: int, first: int, following: int, take: Take) -> None:
        for record in self.records[first:following]:
            await take(record)


class Slow:
    """A log that takes its time to say where it ends; `meanwhile` others go on."""

    def __init__(self, log: EventLog, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._log = log
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def ends(self, topic: str) -> dict[int, int]:
        found = await self._log.ends(topic)
        await self._meanwhile()
        return found


async def test_who_comes_takes_no_position_from_who_is_at_work(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    store = await repository(engine, event_log)
    at_work = Engine(RULES, Places(store), store, Told([]))
    wanted = [outgoing([gas(second, 1.0)]) for second in range(9)]
    partitions: set[int] = set()

    async def work() -> None:
        if not partitions:
            partitions.update(at.partition for at in await event_log.publish(wanted))
            (partition,) = partitions
            records = [
                replace(on_the_log(number, record), partition=partition)
                for number, record in enumerate(wanted)
            ]
            await at_work.take(records, Silent())

    stopped = asyncio.Event()
    stopped.set()
    slow: Any = Slow(event_log, work)
    await Engine(RULES, Places(store), store).run(slow, stopped)
    kept = await store.load(partitions.pop())
    assert kept.own
    assert kept.written == kept.snapshots[0].next_offset == len(wanted)


@pytest.mark.parametrize("snapshot_seconds", [0.0, 0.05, 60.0])
@pytest.mark.parametrize("seed", range(4))
async def test_two_engines_on_one_partition_judge_as_one(
    engine: AsyncEngine,
    event_log: EventLog,
    seed: int,
    snapshot_seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", snapshot_seconds)
    chance = random.Random(seed)
    stream = []
    for second in range(60):
        over = 30.0 if second // 3 % 2 == 0 else 1.0
        stream += [gas(second, over), ("b", "water.level", second, 30.0 if second % 20 < 15 else 1)]
        stream += [gas(chance.randint(0, second), 30.0)]  # late, or a repeat with another value
    records = [on_the_log(number, outgoing([value])) for number, value in enumerate(stream)]
    rivals = []
    for _ in range(2):
        store = await repository(engine, event_log)
        rivals.append(Engine(RULES, Places(store), store, Told(records)))
    heard = [0, 0]
    while min(heard) < len(records):
        who = chance.randrange(2)
        until = heard[who] + chance.randint(1, 20)
        await rivals[who].take(records[heard[who] : until], Silent())
        heard[who] = min(until, len(records))
    by_rule = {item.rule_id: item for item in await all_incidents(engine)}
    assert set(by_rule) == {"gas", "slow"}
    assert by_rule["gas"].version == 20  # raised at 0, 6, … and cleared at 3, 9, …
    assert by_rule["slow"].version == 6
    assert len(await steps(engine)) == 26
