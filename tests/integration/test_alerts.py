"""The engine on a real database and the embedded log: restarts, rivals, commands, the outbox."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.engine import loop
from services.alerts.engine.engine import Engine
from services.alerts.engine.kept import Kept, Overtaken, Snapshot
from services.alerts.engine.places import Places
from services.alerts.engine.repository import Repository
from services.alerts.incidents.gathering import Gathering
from services.alerts.incidents.lifecycle import STEPS, Command, Wanted, step
from services.alerts.incidents.repository import Desk
from services.alerts.judging.partition import Judgement
from services.alerts.judging.rulebook import Book
from services.alerts.judging.transition import Place, Span, Transition
from shared.clock import from_micros, system_clock, to_micros
from shared.contracts.incident import AlertState, Incident, IncidentState, incident_id
from shared.contracts.reading import Reading, decode_batch
from shared.contracts.topics import SENSORS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Outgoing
from shared.store.tables import alert_progress, log_groups, sensors, snapshots
from tests.integration.alerting import (
    RULE,
    RULES,
    START,
    Values,
    all_incidents,
    desk,
    gas,
    outgoing,
    person,
    play,
    post,
    repository,
    steps,
    written,
)
from tests.waiting import eventually


class Mortal(Repository):
    """A store whose process is killed, before or after a commit, whenever `fate` says so."""

    fate = random.Random(0)

    async def apply(
        self,
        span: Span,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
        snapshot: Snapshot | None = None,
    ) -> None:
        if self.fate.random() < 0.3:
            raise Unavailable("killed before the commit")
        await super().apply(span, transitions, places, snapshot)
        if self.fate.random() < 0.3:
            raise Unavailable("killed after the commit")


def wild_stream(seed: int) -> list[Outgoing]:
    """Excursions, late readings and repeats of several sensors, a few readings per record."""
    chance = random.Random(seed)
    records = []
    for second in range(60):
        values = [
            (sensor, metric, max(0, second - chance.choice((0, 0, 0, 1, 7))),
             chance.choice((1.0, 18.0, 30.0, 30.0)))
            for sensor in chance.sample("abcdef", 2)
            for metric in ("gas.concentration", "water.level")
        ]  # fmt: skip
        records += [outgoing([value]) for value in values]
    return records


@pytest.mark.parametrize(("seed", "snapshot_seconds"), [(1, 0.0), (2, 0.1), (3, 10.0)])
async def test_killed_anywhere_it_tells_the_same_story(
    engine: AsyncEngine,
    event_log: EventLog,
    seed: int,
    snapshot_seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", snapshot_seconds)
    records = wild_stream(seed)
    expected = undisturbed(records)
    Mortal.fate = random.Random(seed)
    gathering = Gathering(system_clock)
    store = Mortal(engine, await event_log.incarnation(), gathering, asyncio.Event())
    for start in range(0, len(records), 40):
        await event_log.publish(records[start : start + 40])
        while await written(store) < min(start + 40, len(records)):
            await live_a_little(Engine(RULES, Places(store), store), store, event_log, start + 40)
    found = await all_incidents(engine)
    assert {(item.rule_id, item.subjects[0], item.observed_at) for item in found} == set(expected)
    told = await steps(engine)
    for item in found:
        kinds = [kind for name, _, kind in told if name == str(item.id)]
        assert item.rule_id is not None
        assert (
            len(kinds) == item.version == expected[item.rule_id, item.subjects[0], item.observed_at]
        )


async def live_a_little(judge: Engine, store: Repository, log: EventLog, until: int) -> None:
    """Run an engine until it dies or has written everything there is."""
    running = asyncio.create_task(judge.run(log, asyncio.Event()))

    async def over() -> bool:
        return running.done() or await written(store) >= until

    await eventually(over, 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def undisturbed(records: list[Outgoing]) -> dict[tuple[str, str, object], int]:
    """(rule, sensor, start) of each incident → its number of steps; nobody closes any."""
    book = Book(RULES)
    judgement = Judgement(book)
    for record in records:
        for reading in decode_batch(record.value).items:
            asking = book.watchers(reading.sensor_id, reading.metric, frozenset())
            judgement.hear(reading, asking, reading.observed_us)
    found: dict[tuple[str, str, object], int] = {}
    current: dict[tuple[str, str], tuple[str, str, object]] = {}
    for told in judgement.changes().transitions:
        key = told.key
        name = current.setdefault(key, (*key, from_micros(told.started_us)))
        found[name] = found.get(name, 0) + 1
    return found


async def test_restarts_anywhere_change_nothing(engine: AsyncEngine, event_log: EventLog) -> None:
    stream: list[Values] = [  # "a" and "c" share a partition
        [gas(0, 30), ("c", "water.level", 0, 30)],
        [gas(1, 31), ("c", "water.level", 3, 30)],
        [("c", "water.level", 5, 30)],
        [gas(2, 10)],
        [gas(3, 50), ("c", "water.level", 6, 1)],
        [gas(4, 10)],
    ]
    for number, values in enumerate(stream, start=1):
        await event_log.publish([outgoing(values)])
        await play(engine, event_log, number)
    found = await all_incidents(engine)
    assert [(item.rule_id, item.subjects, item.version) for item in found] == [
        ("gas", ("a",), 4),  # opened, cleared, fired again, cleared
        ("slow", ("c",), 2),
    ]
    assert all(item.alert_state is AlertState.CLEARED for item in found)
    assert [item.observed_at for item in found] == [START, START]
    assert [item.id for item in found] == [
        incident_id("gas", "a", START), incident_id("slow", "c", START),
    ]  # fmt: skip
    assert len(await steps(engine)) == 6


async def test_a_record_seen_again_changes_nothing(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, gas(0, 30), gas(1, 1))
    [opened] = await all_incidents(engine)
    await command(desk(engine), opened, Command.CLOSE)
    before = await steps(engine)
    await post(engine, event_log, gas(0, 30), gas(1, 1), gas(2, 1))
    assert await steps(engine) == before
    assert [item.state for item in await all_incidents(engine)] == [IncidentState.CLOSED]


async def test_another_copy_of_the_log_changes_nothing(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, gas(0, 30), gas(1, 1))
    before = await steps(engine)
    async with engine.begin() as connection:  # as if both had been lost
        await connection.execute(snapshots.delete())
        await connection.execute(log_groups.delete())
        await connection.execute(update(alert_progress).values(incarnation="another"))
    await play(engine, event_log, 2)
    assert await steps(engine) == before


async def test_who_was_overtaken_writes_nothing(engine: AsyncEngine, event_log: EventLog) -> None:
    store = await repository(engine, event_log)
    book = Book([RULE])
    judgement = Judgement(book)
    asking = book.watchers("a", "gas.concentration", frozenset())
    judgement.hear(Reading("a", "gas.concentration", to_micros(START), 30), asking, 0)
    transitions, places = judgement.changes().transitions, {"a": Place("a")}
    await store.apply(Span(0, 0, 5), transitions, places, Snapshot(5, 1, b"known"))
    before = await steps(engine)
    for span in (Span(0, 0, 5), Span(0, 0, 9), Span(0, 4, 9)):
        with pytest.raises(Overtaken):
            await store.apply(span, transitions, places, Snapshot(9, 1, b"wrong"))
    assert await store.load(0) == Kept(5, True, [Snapshot(5, 1, b"known")])
    assert await steps(engine) == before
    await store.apply(Span(0, 5, 6), [], {})


async def test_a_rule_for_an_area_follows_a_sensor_that_moves(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    async with engine.begin() as connection:
        values = {"sensor_id": "a", "metrics": ["gas.concentration"], "area_id": "441203"}
        await connection.execute(insert(sensors).values(values))
    rules = [RULE.model_copy(update={"areas": ("441202",)})]
    store = await repository(engine, event_log)
    places, stop = Places(store), asyncio.Event()
    jobs = [
        asyncio.create_task(Engine(rules, places, store).run(event_log, stop)),
        asyncio.create_task(places.follow(event_log, stop)),
    ]
    await event_log.publish([outgoing([gas(0, 30)])])
    assert await eventually(lambda: at_least(store, 1), 10)
    assert await all_incidents(engine) == []
    async with engine.begin() as connection:
        await connection.execute(update(sensors).values(area_id="441202"))
    await event_log.publish([Outgoing(SENSORS, "a", b"{}")])

    async def opened() -> bool:
        await event_log.publish([outgoing([gas(next(seconds), 30)])])
        return bool(await all_incidents(engine))

    seconds = iter(range(1, 1000))
    assert await eventually(opened, 10)
    stop.set()
    await asyncio.gather(*jobs)
    assert (await all_incidents(engine))[0].area_id == "441202"


async def at_least(store: Repository, records: int) -> bool:
    return await written(store) >= records


async def command(at: Desk, incident: Incident, name: Command) -> object:
    return await at.command(
        incident.id,
        lambda found: step(found, name, system_clock(), Wanted("n", version=incident.version)),
        person("tester"),
        STEPS[name],
        "n",
    )


async def test_what_fires_again_joins_the_incident_until_people_close_it(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, gas(0, 30), gas(1, 1), gas(2, 40))
    [joined] = await all_incidents(engine)
    assert (joined.version, joined.alert_state, joined.value) == (3, AlertState.ACTIVE, 40)
    await command(desk(engine), joined, Command.CLOSE)
    await post(engine, event_log, gas(3, 1), gas(4, 50))
    closed, opened = await all_incidents(engine)
    assert (closed.state, closed.alert_state) == (IncidentState.CLOSED, AlertState.CLEARED)
    assert (opened.state, opened.observed_at) == (IncidentState.OPEN, START + timedelta(seconds=4))


async def test_what_happens_now_never_hides_in_a_historical_incident(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    late = system_clock() + timedelta(hours=2)
    await event_log.publish([outgoing([gas(0, 30)], late), outgoing([gas(1, 1)], late)])
    await event_log.publish([outgoing([gas(2, 30)])])
    await play(engine, event_log, 3)
    assert [item.historical for item in await all_incidents(engine)] == [True, False]


async def test_of_two_who_act_at_once_one_is_told(engine: AsyncEngine, event_log: EventLog) -> None:
    await post(engine, event_log, gas(0, 30))
    [found] = await all_incidents(engine)
    outcomes = await asyncio.gather(
        *(command(desk(engine), found, Command.ACKNOWLEDGE) for _ in range(5))
    )
    assert sum(isinstance(outcome, Incident) for outcome in outcomes) == 1
