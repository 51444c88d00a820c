"""Alerts gather into incidents on a real database: in batches, twice, and in any order."""

import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.incidents import ledger, loading
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.gathering import Gathering
from services.alerts.judging.transition import Transition
from shared.clock import system_clock
from shared.contracts.incident import Incident, IncidentState
from shared.store.tables import alerts, incidents, outbox, timeline
from tests.unit.alerts.storms import City, place, rule, told

RAIN, WATER, GAS = rule("rain"), rule("water", priority=2), rule("gas", priority=1)


async def take(engine: AsyncEngine, *batch: Transition, **wiring: Any) -> None:
    """One transaction of the engine's."""
    places = {one.subject: place(one.subject) for one in batch}
    async with engine.begin() as connection:
        await Gathering(system_clock, **wiring).take(connection, batch, places)


async def standing(engine: AsyncEngine) -> list[Incident]:
    """What was not merged, in the order of events."""
    query = select(incidents).where(incidents.c.merged_into.is_(None))
    query = query.order_by(incidents.c.observed_at, incidents.c.id)
    async with engine.connect() as connection:
        return [ledger.to_incident(row) for row in await connection.execute(query)]


async def count(engine: AsyncEngine, table: Any) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


def backlog(seed: int) -> list[Transition]:
    """Storms of two districts, each alert cleared but the last ones."""
    chance = random.Random(seed)
    found = []
    for number in range(40):
        subject = f"{number:02}-44120{chance.choice('23')}"
        start = chance.randint(0, 240)
        which = chance.choice((RAIN, RAIN, WATER, GAS))
        found.append(told(which, subject, start, historical=True))
        if number % 5:
            end = start + chance.randint(1, 90)
            found.append(told(which, subject, end, "cleared", start=start, historical=True))
    return found


def facts(found: Sequence[Incident]) -> list[Any]:
    left_out = {"version", "opened_at", "updated_at", "deadline_at"}
    return [incident.model_dump(exclude=left_out) for incident in found]


async def test_a_backlog_in_any_batches_gives_the_incidents_of_the_live_stream(
    engine: AsyncEngine,
) -> None:
    story = sorted(backlog(1), key=lambda one: one.observed_us)
    expected = facts(City().hear(*story).incidents())
    chance = random.Random(2)
    by_subject: dict[str, list[Transition]] = {}
    for one in story:
        by_subject.setdefault(one.subject, []).append(one)
    streams = list(by_subject.values())
    mixed = []
    while streams:
        stream = chance.choice(streams)
        mixed.append(stream.pop(0))
        streams = [one for one in streams if one]
    while mixed:
        some = chance.randint(1, 9)
        await take(engine, *mixed[:some])
        await take(engine, *mixed[:some])  # the engine was killed, and says it again
        mixed = mixed[some:]
    assert facts(await standing(engine)) == expected
    assert await count(engine, timeline) == await count(engine, outbox)
    async with engine.connect() as connection:
        held = await ledger.load_alerts(connection, alerts.c.alert_id.is_not(None))
    assert len(held) == 40
    assert {one.incident_id for one in held} == {one.id for one in await standing(engine)}


async def test_a_step_names_the_reading_behind_it(engine: AsyncEngine) -> None:
    await take(engine, told(RAIN, "a", 0, value=31))
    async with engine.connect() as connection:
        [cause] = (await connection.execute(select(timeline.c.cause))).scalars()
    assert (cause["subject"], cause["metric"], cause["value"]) == ("a", "m.rain", 31)


async def test_four_hundred_alerts_in_one_batch_are_few_statements(engine: AsyncEngine) -> None:
    batch = [told(RAIN, f"{number}", number / 40) for number in range(400)]
    said: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    await take(engine, *batch)
    [found] = await standing(engine)
    assert (found.members, found.version) == (400, 400)
    assert len(said) < 40


async def test_what_people_closed_is_not_opened_again(engine: AsyncEngine) -> None:
    await take(engine, told(RAIN, "a", 0))
    async with engine.begin() as connection:
        closed = incidents.update().values(state=IncidentState.CLOSED, touched=True)
        await connection.execute(closed)
    await take(engine, told(RAIN, "a", 1, "cleared", start=0), told(RAIN, "b", 2))
    found = await standing(engine)
    assert [one.state for one in found] == [IncidentState.CLOSED, IncidentState.OPEN]
    assert [one.alert_state for one in found] == ["cleared", "active"]


async def test_an_incident_long_past_is_not_even_loaded(engine: AsyncEngine) -> None:
    story = [told(RAIN, "a", 0), told(RAIN, "a", 1, "cleared", start=0)]
    await take(engine, *story)
    book = Casebook(system_clock())
    async with engine.begin() as connection:
        later = [told(RAIN, "b", 120)]
        await loading.load(connection, book, later, {"b": place("b")})
    assert not book.cases


async def test_a_long_backlog_fits_into_statements(engine: AsyncEngine) -> None:
    lone = rule("lone", group_by=("subject",), cause=None)
    await take(engine, *[told(lone, f"s{n}", 0, historical=True) for n in range(2_500)])
    assert await count(engine, alerts) == await count(engine, incidents) == 2_500
