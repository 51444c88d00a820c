"""Rules over several sensors: two stages, both on a real log, restarted and repeated."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine import loop
from services.alerts.engine.beats import decode_beat
from services.alerts.engine.combining import CombiningEngine
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from services.alerts.engine.repository import Repository
from services.alerts.incidents.gathering import Gathering
from services.alerts.rules.rule import Rule
from shared.clock import system_clock, to_micros
from shared.contracts.incident import AlertState
from shared.contracts.reading import Reading
from shared.contracts.topics import CONDITIONS, READINGS
from shared.eventlog.log import EventLog, Outgoing
from shared.store.tables import snapshots
from tests.integration.alerting import all_incidents, repository, steps, written
from tests.integration.story import record, ticks
from tests.waiting import eventually

START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
LEVEL = "water.level"
RIVER = Rule.model_validate({
    "id": "river", "title": {"zh": "西江三站超警", "en": "three gauges"}, "metric": LEVEL,
    "subject": "group", "groups": [{"id": "xijiang", "sensors": [f"w{n}" for n in range(5)]}],
    "count": {"at_least": 3, "of": {"above": 5.0}}, "grade": 2, "priority": 1,
})  # fmt: skip


def at(second: int, *levels: float) -> list[Outgoing]:
    """A reading of each gauge in a record of its own, then the clock."""
    now = START + timedelta(seconds=second)
    readings = [Reading(f"w{n}", LEVEL, to_micros(now), level) for n, level in enumerate(levels)]
    return [record([reading], to_micros(now)) for reading in readings] + ticks(now)


async def both(
    engine: AsyncEngine, log: EventLog, rules: Sequence[Rule], portions: Sequence[list[Outgoing]]
) -> None:
    """Both stages, until all of it is judged; then dead, without a farewell."""
    store = await repository(engine, log)
    gathering = Gathering(system_clock)
    whole = Repository(engine, await log.incarnation(), gathering, asyncio.Event(), CONDITIONS)
    stop = asyncio.Event()
    running = [
        asyncio.create_task(Engine(rules, Places(store), store).run(log, stop)),
        asyncio.create_task(CombiningEngine(rules, Places(store), whole).run(log, stop)),
    ]
    for portion in portions:
        await log.publish(portion)

    async def done() -> bool:
        assert not any(task.done() for task in running), running
        readings, conditions = await log.ends(READINGS), await log.ends(CONDITIONS)
        return (
            await written(store) >= sum(readings.values())
            and sum((await whole.written()).values()) >= sum(conditions.values()) > 0
        )

    assert await eventually(done, 30)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


STORY = [
    at(0, 4, 4, 4, 4, 4),
    at(60, 6, 6, 4, 4, 4),
    at(120, 6, 6, 6, 4, 4),
    at(180, 6, 6, 6, 6, 4),
    at(240, 4, 4, 6, 6, 4),
    at(300, 4, 4, 4, 4, 4),
    ticks(START + timedelta(seconds=330)),
]


async def test_three_gauges_of_a_river_are_one_alert(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await both(engine, event_log, [RIVER], STORY)
    [found] = await all_incidents(engine)
    assert (found.rule_id, found.subjects) == ("river", ("xijiang",))
    assert found.observed_at == START + timedelta(seconds=120)
    assert (found.alert_state, found.version) == (AlertState.CLEARED, 2)


@pytest.mark.parametrize("snapshot_seconds", [0.0, 3600.0])
async def test_killed_after_every_step_it_tells_the_same(
    engine: AsyncEngine,
    event_log: EventLog,
    snapshot_seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", snapshot_seconds)
    for portion in STORY:
        await both(engine, event_log, [RIVER], [portion])
    [found] = await all_incidents(engine)
    assert found.observed_at == START + timedelta(seconds=120)
    assert (found.alert_state, found.version, len(await steps(engine))) == (
        AlertState.CLEARED, 2, 2,
    )  # fmt: skip


async def test_what_is_published_twice_is_heard_once(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await both(engine, event_log, [RIVER], STORY[:3])
    async with engine.begin() as connection:  # the first stage begins again, and says all again
        await connection.execute(delete(snapshots).where(snapshots.c.topic == READINGS))
    await both(engine, event_log, [RIVER], STORY[3:])
    async with event_log.read(CONDITIONS, {}) as reader:
        beats = [decode_beat(one.value) for one in await reader.batch(1_000, 1)]
    assert sum(len(beat.changes) for beat in beats) >= 5
    [found] = await all_incidents(engine)
    assert found.observed_at == START + timedelta(seconds=120)


async def test_without_such_rules_nothing_is_published(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    plain = Rule.model_validate(
        {"id": "plain", "title": {"zh": "水", "en": "w"}, "metric": LEVEL, "above": 5.0,
         "grade": 3, "priority": 3}
    )  # fmt: skip
    store = await repository(engine, event_log)
    stop = asyncio.Event()
    running = asyncio.create_task(Engine([plain], Places(store), store).run(event_log, stop))
    await event_log.publish(at(0, 6, 6, 6))

    async def done() -> bool:
        return await written(store) >= 7

    assert await eventually(done, 20)
    stop.set()
    await running
    assert sum((await event_log.ends(CONDITIONS)).values()) == 0
