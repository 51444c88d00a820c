"""What the engine remembers: snapshots, rules that change meanwhile, another log, an upgrade."""

import asyncio
import json
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine import loop
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from services.alerts.rules.rule import Rule, Title
from shared.clock import to_micros
from shared.contracts.incident import AlertState
from shared.contracts.topics import READINGS, partition_of
from shared.eventlog.log import EventLog
from shared.store.tables import alert_progress, log_groups, snapshots, timeline
from tests.integration.alerting import (
    DELAYED,
    RULE,
    RULES,
    START,
    all_incidents,
    gas,
    outgoing,
    play,
    post,
    repository,
    steps,
    written,
)
from tests.waiting import eventually

LEVEL = "water.level"
LATE = DELAYED.model_copy(update={"for_seconds": 9})


async def change(
    engine: AsyncEngine,
    log: EventLog,
    first: list[Rule],
    then: list[Rule],
    *values: tuple[str, str, int, float],
) -> None:
    """An engine that has judged everything takes other rules, then more readings."""
    store, stop = await repository(engine, log), asyncio.Event()
    judge = Engine(first, Places(store), store)
    running = asyncio.create_task(judge.run(log, stop))
    ends = await log.ends(READINGS)

    async def arrived() -> bool:
        assert not running.done(), running.exception()
        return await written(store) >= sum(ends.values())

    assert await eventually(arrived, 20)
    judge.adopt(then)
    await log.publish([outgoing([value]) for value in values])
    ends = await log.ends(READINGS)
    assert await eventually(arrived, 20)
    stop.set()
    await running


async def notes(engine: AsyncEngine) -> list[tuple[str, str]]:
    query = select(timeline.c.type, timeline.c.note).order_by(timeline.c.at, timeline.c.version)
    async with engine.connect() as connection:
        return [(row.type, row.note) for row in await connection.execute(query)]


async def test_a_pending_alert_survives_restarts_by_its_snapshot(
    engine: AsyncEngine, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", 0.0)
    await post(engine, event_log, ("a", LEVEL, 0, 30))
    await post(engine, event_log, ("a", LEVEL, 3, 30))
    await post(engine, event_log, ("a", LEVEL, 6, 30))
    [found] = await all_incidents(engine)
    assert found.observed_at == START


async def test_without_a_fresh_snapshot_the_log_brings_it_back(
    engine: AsyncEngine, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", 3600.0)
    for second in range(8):
        await post(
            engine, event_log, gas(second, 30 if second % 2 else 1), ("a", LEVEL, second, 30)
        )
    async with engine.connect() as connection:
        kept = (await connection.execute(select(snapshots.c.next_offset))).scalars().all()
    assert max(kept) < 16  # most of it came from the log
    by_rule = {item.rule_id: item for item in await all_incidents(engine)}
    assert by_rule["slow"].observed_at == START
    assert by_rule["gas"].version == 7
    assert len(await steps(engine)) == 8


async def test_the_log_keeps_what_comes_after_the_snapshot(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, *(gas(second, 30 if second % 2 else 1) for second in range(9)))
    async with engine.connect() as connection:
        kept = dict((await connection.execute(
            select(snapshots.c.partition, snapshots.c.next_offset))).tuples().all())  # fmt: skip
        group = dict((await connection.execute(
            select(log_groups.c.partition, log_groups.c.next_offset)
            .where(log_groups.c.group == "alerts"))).tuples().all())  # fmt: skip
    assert all(group[partition] <= offset for partition, offset in kept.items())


async def test_a_retired_rule_clears_its_alerts_and_says_why(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await event_log.publish([outgoing([gas(0, 30)]), outgoing([("b", LEVEL, 0, 30)])])
    await change(engine, event_log, RULES, [DELAYED], gas(1, 40), ("b", LEVEL, 6, 30))
    found = {item.rule_id: item.alert_state for item in await all_incidents(engine)}
    assert found == {"gas": AlertState.CLEARED, "slow": AlertState.ACTIVE}
    assert ("incident.cleared", "rule_retired") in await notes(engine)
    await play(engine, event_log, 4, [DELAYED])
    assert len(await steps(engine)) == 3


async def test_other_words_change_nothing_another_condition_starts_afresh(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    worded = DELAYED.model_copy(update={"version": 2, "title": Title(zh="水", en="w"), "grade": 1})
    stricter = RULE.model_copy(update={"version": 2, "above": 25.0})
    await event_log.publish([outgoing([gas(0, 30)]), outgoing([("b", LEVEL, 0, 30)])])
    await change(engine, event_log, RULES, [stricter, worded], gas(1, 30), ("b", LEVEL, 5, 30))
    found = {item.rule_id: item for item in await all_incidents(engine)}
    assert found["slow"].observed_at == START  # its on-delay went on
    assert (found["slow"].rule_version, found["slow"].grade) == (2, 1)
    assert ("incident.cleared", "rule_changed") in await notes(engine)
    assert found["gas"].alert_state is AlertState.ACTIVE


async def test_rules_that_changed_while_it_was_dead_are_as_if_it_had_lived(
    engine: AsyncEngine, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", 3600.0)
    await post(engine, event_log, gas(0, 1), gas(1, 30), ("a", LEVEL, 0, 30))
    stricter = RULE.model_copy(update={"version": 2, "above": 35.0})
    await event_log.publish([outgoing([gas(2, 30)]), outgoing([("a", LEVEL, 5, 30)])])
    await play(engine, event_log, 5, [stricter, DELAYED])
    found = {item.rule_id: item.alert_state for item in await all_incidents(engine)}
    assert found == {"gas": AlertState.CLEARED, "slow": AlertState.ACTIVE}
    assert ("incident.cleared", "rule_changed") in await notes(engine)


async def test_a_rule_that_leaves_a_sensor_out_clears_its_alert_there(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    narrowed = RULE.model_copy(update={"version": 2, "sensors": ("c*",)})
    await event_log.publish([outgoing([gas(0, 30)]), outgoing([gas(0, 30, "c")])])
    await change(engine, event_log, [RULE], [narrowed], gas(1, 30), gas(1, 30, "c"))
    found = {item.subjects[0]: item.alert_state for item in await all_incidents(engine)}
    assert found == {"a": AlertState.CLEARED, "c": AlertState.ACTIVE}
    assert ("incident.cleared", "rule_left_out") in await notes(engine)


async def test_another_log_starts_with_what_is_known(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, gas(5, 30), ("b", LEVEL, 0, 30))
    async with engine.begin() as connection:  # the log is made anew, the database is not
        await connection.execute(update(alert_progress).values(incarnation="another"))
        await connection.execute(update(snapshots).values(incarnation="another"))
        await connection.execute(log_groups.delete())
    await event_log.publish([outgoing([gas(6, 1)]), outgoing([("b", LEVEL, 5, 30)])])
    await play(engine, event_log, 4)
    found = {item.rule_id: item.alert_state for item in await all_incidents(engine)}
    assert found == {"gas": AlertState.CLEARED, "slow": AlertState.ACTIVE}
    assert len(await steps(engine)) == 3


async def test_an_unreadable_snapshot_stops_nobody(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, gas(0, 30))
    async with engine.begin() as connection:
        await connection.execute(update(snapshots).values(kept=b"\x00 not a snapshot"))
    await post(engine, event_log, gas(1, 1), gas(2, 30))
    assert [item.version for item in await all_incidents(engine)] == [2]


async def test_an_upgrade_loses_no_active_alert_and_raises_none_twice(
    engine: AsyncEngine, event_log: EventLog, database_url: str
) -> None:
    """As 0011 leaves it: one row with what was known of all partitions."""
    await post(engine, event_log, gas(0, 30), ("b", LEVEL, 0, 30))
    rows = [
        {"rule_id": rule_id, "subject": subject, "phase": phase, "since_us": at, "last_us": at}
        for rule_id, subject, phase, at in (
            ("gas", "a", "active", to_micros(START)), ("slow", "b", "pending", to_micros(START)),
        )
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(snapshots.delete())
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute(
            "INSERT INTO alerts.snapshots VALUES (%s, -1, '', 0, 0, %s, now())",
            (READINGS, json.dumps(rows).encode()),
        )
    await event_log.publish([outgoing([gas(1, 31)]), outgoing([("b", LEVEL, 5, 30)])])
    await play(engine, event_log, 4)
    found = await all_incidents(engine)
    assert {(item.rule_id, item.version, item.observed_at) for item in found} == {
        ("gas", 1, START),
        ("slow", 1, START),
    }
    async with engine.connect() as connection:
        mine = select(func.count()).where(snapshots.c.partition == partition_of("a", 4))
        assert (await connection.execute(mine)).scalar() == 1
    await post(engine, event_log, gas(2, 1))
    [cleared] = [item for item in await all_incidents(engine) if item.rule_id == "gas"]
    assert (cleared.version, cleared.alert_state) == (2, AlertState.CLEARED)
    assert cleared.updated_at > START + timedelta(seconds=2)


async def test_a_log_made_anew_is_judged_from_its_beginning(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await event_log.publish([outgoing([gas(0, 30)])])
    async with engine.begin() as connection:
        row = {"topic": "city.readings", "incarnation": await event_log.incarnation()}
        for partition in range(4):
            values = row | {"partition": partition, "next_offset": 9_000}
            await connection.execute(insert(alert_progress).values(values))
    store = await repository(engine, event_log)
    running = asyncio.create_task(
        Engine(RULES, Places(store), store).run(event_log, asyncio.Event())
    )

    async def opened() -> bool:
        return len(await all_incidents(engine)) == 1

    assert await eventually(opened, 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
