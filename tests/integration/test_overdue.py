"""Overdue steps: told once, whoever looks and however often; and who takes what rules open."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.incidents import ledger
from services.alerts.incidents import steps as made
from services.alerts.incidents.gathering import Gathering
from services.alerts.incidents.lifecycle import STEPS, Command, Wanted, step
from services.alerts.incidents.overdue import ACTOR, Escalation
from shared.contracts.incident import Incident, IncidentState, Suppression
from shared.store.tables import deliveries, endpoints, incidents, timeline
from tests.integration.alerting import desk, person, roster
from tests.unit.alerts.storms import place, rule, told

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
DUE = NOW + timedelta(minutes=5)


async def opened(engine: AsyncEngine, **fields: Any) -> UUID:
    incident = Incident(**{
        "id": uuid4(), "title": "t", "state": IncidentState.OPEN, "grade": 1, "priority": 3,
        "area_id": None, "subjects": (), "rule_id": None, "rule_version": None, "opened_at": NOW,
        "updated_at": NOW, "observed_at": NOW, "deadline_at": None, "step_due_at": DUE,
        "department": "水利局",
    } | fields)  # fmt: skip
    async with engine.begin() as connection:
        await ledger.record(connection, made.event(incident, "incident.opened"))
    return incident.id


def escalation(engine: AsyncEngine, at: datetime) -> Escalation:
    """A process of its own."""
    return Escalation(engine, lambda: at, asyncio.Event())


async def told_overdue(engine: AsyncEngine) -> list[Any]:
    query = select(timeline).where(timeline.c.type == "incident.overdue").order_by(timeline.c.at)
    async with engine.connect() as connection:
        return list(await connection.execute(query))


async def find(engine: AsyncEngine, incident: UUID) -> Incident:
    found = await desk(engine).get(incident)
    assert found is not None
    return found[0]


async def test_a_late_step_is_told_once_and_is_more_urgent(engine: AsyncEngine) -> None:
    receiver = {"endpoint_id": uuid4(), "url": "https://a", "events": ["*"], "secret": "s"}
    async with engine.begin() as connection:
        await connection.execute(insert(endpoints).values(receiver))
    number = await opened(engine)
    assert await escalation(engine, DUE).escalate_some() == 0  # due now is not late yet
    later = DUE + timedelta(seconds=1)
    assert await escalation(engine, later).escalate_some() == 1
    assert await escalation(engine, later + timedelta(days=9)).escalate_some() == 0  # a new process
    found = await find(engine, number)
    assert (found.overdue, found.priority, found.version) == (True, 2, 2)
    [entry] = await told_overdue(engine)
    assert (entry.actor, entry.at) == (ACTOR, later)
    assert entry.note == "acknowledge · 水利局 · 2026-11-27T10:05:00+0000"
    async with engine.connect() as connection:
        query = select(deliveries.c.type).order_by(deliveries.c.created_at)
        assert list((await connection.execute(query)).scalars()) == [
            "incident.opened", "incident.overdue",
        ]  # fmt: skip


async def test_the_next_step_may_be_late_again(engine: AsyncEngine) -> None:
    number = await opened(engine)
    late = DUE + timedelta(minutes=1)
    assert await escalation(engine, late).escalate_some() == 1
    await desk(engine).command(
        number,
        lambda found: step(found, Command.ACKNOWLEDGE, late, Wanted()),
        person("li"),
        STEPS[Command.ACKNOWLEDGE],
        "",
    )
    found = await find(engine, number)
    assert (found.overdue, found.step_due_at) == (False, late + timedelta(minutes=10))
    assert await escalation(engine, late + timedelta(minutes=11)).escalate_some() == 1
    await desk(engine).command(
        number,
        lambda found: step(found, Command.CLOSE, late, Wanted("x")),
        person("li"),
        STEPS[Command.CLOSE],
        "",
    )
    assert await escalation(engine, late + timedelta(days=9)).escalate_some() == 0
    assert [entry.note.split()[0] for entry in await told_overdue(engine)] == [
        "acknowledge", "dispatch",
    ]  # fmt: skip
    assert (await find(engine, number)).priority == 1


async def test_replicas_tell_a_late_step_once(engine: AsyncEngine) -> None:
    numbers = [await opened(engine) for _ in range(60)]
    late = DUE + timedelta(minutes=1)

    async def one_replica() -> int:
        job, total = escalation(engine, late), 0
        while some := await job.escalate_some():
            total += some
        return total

    told_by = await asyncio.gather(*(one_replica() for _ in range(4)))
    assert await escalation(engine, late).escalate_some() + sum(told_by) == len(numbers)
    entries = await told_overdue(engine)
    assert sorted(entry.incident_id for entry in entries) == sorted(numbers)


async def test_what_calls_nobody_does_not_escalate(engine: AsyncEngine) -> None:
    parent = await opened(engine, step_due_at=None)
    quiet = Suppression(by="silence", id="s")
    for fields in (
        {"historical": True}, {"suppressed": quiet}, {"parent_id": parent},
        {"state": IncidentState.CLOSED}, {"step_due_at": None},
    ):  # fmt: skip
        await opened(engine, **fields)
    assert await escalation(engine, DUE + timedelta(days=1)).escalate_some() == 0


async def test_the_job_runs_until_it_is_stopped(engine: AsyncEngine) -> None:
    number, stop = await opened(engine), asyncio.Event()
    wake = asyncio.Event()
    job = asyncio.create_task(
        Escalation(engine, lambda: DUE + timedelta(minutes=1), wake).run(stop)
    )
    await asyncio.wait_for(wake.wait(), 10)
    stop.set()
    await asyncio.wait_for(job, 10)
    assert (await find(engine, number)).overdue


async def test_rules_open_incidents_with_a_department_and_deadlines(engine: AsyncEngine) -> None:
    duties = roster(engine)
    await duties.seed()
    gas = rule("gas", grade=2, priority=1, cause=None, category="gas", department="燃气公司")
    pump = rule("pump", grade=2, priority=1, cause=None, category="pump", department=None)
    found = {}
    for which in (gas, pump):
        async with engine.begin() as connection:
            taken = Gathering(lambda: NOW, rota=duties)
            raised = await taken.take(connection, [told(which, "a", 0)], {"a": place("a")})
        found[which.id] = await find(engine, UUID(raised[(which.id, "a")]))
    assert found["gas"].department == "燃气公司"
    assert found["pump"].department == "排水管理处"
    assert found["gas"].step_due_at == NOW + timedelta(minutes=10)
    assert found["gas"].deadline_at == NOW + timedelta(hours=6)
    past = told(rule("old", cause=None), "b", 0, historical=True)
    async with engine.begin() as connection:
        taken = Gathering(lambda: NOW, rota=duties)
        raised = await taken.take(connection, [past], {"b": place("b")})
    assert (await find(engine, UUID(raised[("old", "b")]))).step_due_at is None


async def test_a_grade_that_people_gave_is_kept_when_rules_go_on(engine: AsyncEngine) -> None:
    ladder = rule("rain", cause=None)
    taken = Gathering(lambda: NOW, rota=roster(engine))
    async with engine.begin() as connection:
        raised = await taken.take(connection, [told(ladder, "a", 0)], {"a": place("a")})
    number = UUID(raised[("rain", "a")])
    wanted = Wanted("looks worse", scales={"grade": 1})
    await desk(engine).command(
        number,
        lambda found: step(found, Command.REGRADE, NOW, wanted),
        person("li"),
        STEPS[Command.REGRADE],
        "looks worse",
    )
    cleared = told(ladder, "a", 5, "cleared", start=0)
    async with engine.begin() as connection:
        await taken.take(connection, [cleared], {"a": place("a")})
    found = await find(engine, number)
    assert (found.grade, found.priority, found.held, found.alert_state) == (
        1, 3, ("grade",), "cleared",
    )  # fmt: skip


async def test_the_timeline_cannot_be_changed(engine: AsyncEngine) -> None:
    await opened(engine)
    for change in (delete(timeline), update(timeline).values(note="nothing happened")):
        with pytest.raises(IntegrityError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(change)
    with pytest.raises(IntegrityError):
        async with engine.begin() as connection:
            await connection.execute(delete(incidents))
    async with engine.connect() as connection:
        count = await connection.execute(text("SELECT count(*) FROM alerts.timeline"))
        assert count.scalar() == 1
