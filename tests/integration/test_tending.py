"""What time alone does to incidents: floods end, consequences outlive their causes."""

import asyncio
from datetime import timedelta

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.incidents.tending import Tending
from shared.clock import system_clock
from shared.contracts.incident import AlertState, Incident, IncidentState
from shared.store.tables import dependencies, incidents
from tests.integration.test_gathering import standing, take
from tests.unit.alerts.storms import rule, told

LONE = rule("lone", group_by=("subject",), cause=None)
BURST = [told(LONE, f"s{number}", number / 10) for number in range(30)]


async def look(engine: AsyncEngine, **later: float) -> None:
    clock = lambda: system_clock() + timedelta(**later)  # noqa: E731
    await Tending(engine, clock, asyncio.Event(), 1).look()


async def top(engine: AsyncEngine) -> list[Incident]:
    return [one for one in await standing(engine) if one.parent_id is None]


async def test_a_flood_survives_restarts_and_ends_by_itself(engine: AsyncEngine) -> None:
    for some in range(0, 30, 4):  # each transaction knows only what is in the database
        await take(engine, *BURST[some : some + 4])
    [flood] = await top(engine)
    assert (flood.kind, flood.members, flood.alert_state) == ("flood", 30, AlertState.ACTIVE)
    await look(engine, minutes=5)
    assert (await top(engine))[0].alert_state is AlertState.ACTIVE
    await look(engine, minutes=11)
    assert (await top(engine))[0].alert_state is AlertState.CLEARED
    await take(engine, told(LONE, "after", 30))
    assert len(await top(engine)) == 2


async def test_a_closed_flood_leaves_its_members_in_the_list(engine: AsyncEngine) -> None:
    await take(engine, *BURST)
    async with engine.begin() as connection:
        closed = update(incidents).where(incidents.c.kind == "flood")
        await connection.execute(closed.values(state=IncidentState.CLOSED))
    await look(engine)
    assert len([one for one in await top(engine) if one.kind == "alert"]) == 30


async def test_what_outlives_its_cause_stands_alone(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        edge = {"upstream": "substation", "downstream": "pump-*", "created_by": "t"}
        await connection.execute(insert(dependencies).values(edge))
    power = rule("power", cause="power")
    await take(engine, told(LONE, "pump-1", 1))
    await take(engine, told(power, "substation", 2))
    assert [one.subjects for one in await top(engine)] == [("substation",)]
    await take(engine, told(power, "substation", 3, "cleared", start=2))
    await look(engine, minutes=4)
    assert len(await top(engine)) == 1
    await look(engine, minutes=6)
    assert len(await top(engine)) == 2
