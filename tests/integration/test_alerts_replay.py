"""One day, lived through, replayed sixty times as fast, and found as a backlog: the same alerts.

The records are those that the border would have written: when they were accepted, and the clock's
ticks, are made to fit. What is older than an hour on arrival is marked so and pages nobody: that,
and the floods that only what happens now can make, may differ; nothing else does.
"""

import asyncio
import gzip
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine import loop
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from services.alerts.rules.rule import Rule, Title
from shared.clock import from_micros, to_micros
from shared.contracts.reading import Reading
from shared.contracts.topics import READINGS, partition_of
from shared.eventlog.log import EventLog, Outgoing
from tests.conftest import DATA
from tests.integration.alerting import repository, written
from tests.integration.story import PARTITIONS, forget, record, ticks, told
from tests.waiting import eventually

METR_LA = DATA / "series" / "metr_la_week_speed_mph.csv.gz"
STEP = timedelta(minutes=5)
STEPS = 288
METRIC = "traffic.speed"
START = datetime(2026, 3, 1, tzinfo=UTC)
EXCLUDED = {"historical", "parent_id", "version", "steps", "suppressed", "merged_into", "touched"}

SLOW = Rule(id="slow", title=Title(zh="缓行", en="slow"), metric=METRIC, below=40.0, deadband=5.0,
            for_seconds=600, grade=4, priority=3, cause="congestion")  # fmt: skip
JAM = SLOW.model_copy(update={"id": "jam", "below": 15.0, "priority": 1, "cause": None})
SILENT = Rule(id="silent", title=Title(zh="失联", en="silent"), metric=METRIC, absent=1500,
              grade=4, priority=4, cause="devices")  # fmt: skip
RULES = [SLOW, JAM, SILENT]

Step = tuple[datetime, list[Reading]]
Pace = Callable[[datetime], datetime]  # when it was observed → when it was accepted


def recorded_day() -> list[Step]:
    """METR-LA, its first day."""
    if not METR_LA.exists():
        pytest.skip(f"NO RECORDED DATA: {METR_LA.name} is not here")
    with gzip.open(METR_LA, "rt") as lines:
        names = next(lines).strip().split(",")[1:]
        return [_row(names, line.strip().split(",")) for line in islice(lines, STEPS)]


def _row(names: Sequence[str], cells: Sequence[str]) -> Step:
    at = datetime.fromisoformat(cells[0]).replace(tzinfo=UTC)
    values = [(name, float(cell) * 1.609344) for name, cell in zip(names, cells[1:], strict=True)]
    # METR-LA writes 0 for what is missing.
    return at, [Reading(name, METRIC, to_micros(at), value) for name, value in values if value]


def invented_day() -> list[Step]:
    """Thirty sensors; two rush hours; some fall silent, two for good."""
    chance = random.Random(7)
    names = [f"road-{number}" for number in range(30)]
    gone = {name: chance.randrange(STEPS) for name in names[:9]}
    steps: list[Step] = []
    for number in range(STEPS):
        at, hour = START + number * STEP, number / 12
        rush = 7 <= hour < 9 or 17 <= hour < 19
        heard = [
            name for name in names
            if name not in gone or number < gone[name]
            or (name not in names[:2] and number > gone[name] + 9)
        ]  # fmt: skip
        values = [chance.gauss(30 if rush and name[-1] in "2468" else 60, 9) for name in heard]
        steps.append(
            (at, [Reading(*each, to_micros(at), value)
                  for each, value in zip(((name, METRIC) for name in heard), values, strict=True)])
        )  # fmt: skip
    return steps


def portions(day: Iterable[Step], pace: Pace) -> Iterator[list[Outgoing]]:
    """Of each step a record per partition, then a tick; afterwards the clock goes on."""
    end = None
    for at, readings in day:
        accepted = pace(at)
        dealt: list[list[Reading]] = [[] for _ in range(PARTITIONS)]
        for reading in readings:
            dealt[partition_of(reading.sensor_id, PARTITIONS)].append(reading)
        records = [record(some, to_micros(accepted)) for some in dealt if some]
        yield records + ticks(accepted + timedelta(seconds=1))
        end = accepted
    assert end is not None
    for minute in range(1, 61):
        yield ticks(end + timedelta(minutes=minute))


async def run(
    engine: AsyncEngine, log: EventLog, stream: Iterable[list[Outgoing]], at_once: bool
) -> dict[str, Any]:
    """What an engine tells of it. Unless `at_once`, every portion is judged before the next."""
    await forget(engine)
    store, stop = await repository(engine, log), asyncio.Event()
    judging = asyncio.create_task(Engine(RULES, Places(store), store).run(log, stop))
    held = list(stream)
    if at_once:
        held = [[one for portion in held for one in portion]]
    for portion in held:
        for first in range(0, len(portion), 1_000):
            await log.publish(portion[first : first + 1_000])
        goal = sum((await log.ends(READINGS)).values())

        async def judged(goal: int = goal) -> bool:
            assert not judging.done(), judging.exception()
            return await written(store) >= goal

        assert await eventually(judged, 120)
    stop.set()
    await judging
    return {name: without(one) for name, one in (await told(engine)).items() if counts(one)}


def counts(incident: dict[str, Any]) -> bool:
    return incident["kind"] == "alert" and incident["merged_into"] is None


def without(told_of: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in told_of.items() if name not in EXCLUDED}
    kept["subjects"], kept["alarms"] = sorted(kept["subjects"]), sorted(kept["alarms"])
    kept["alerts"] = [
        {name: value for name, value in alert.items() if name not in EXCLUDED}
        for alert in kept["alerts"]
    ]
    return kept


@pytest.mark.parametrize("day", [invented_day, recorded_day])
async def test_a_day_is_the_same_at_any_pace(
    engine: AsyncEngine,
    event_log: EventLog,
    day: Callable[[], list[Step]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "WRITE_SECONDS", 0.0)
    steps = day()
    start = steps[0][0]
    later = from_micros(to_micros(steps[-1][0])) + timedelta(hours=3)
    live = await run(engine, event_log, portions(steps, lambda at: at), at_once=False)
    fast = await run(
        engine, event_log, portions(steps, lambda at: later + (at - start) / 60), at_once=True
    )
    backlog = await run(engine, event_log, portions(steps, lambda _: later), at_once=True)
    assert {alert["rule_id"] for one in live.values() for alert in one["alerts"]} >= {
        "slow",
        "silent",
    }
    for other in (fast, backlog):
        assert other.keys() == live.keys()
        for incident, story in live.items():
            assert other[incident] == story
