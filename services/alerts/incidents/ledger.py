"""Incidents and their alerts on PostgreSQL. The only place that writes a step: the incident, its
timeline, the outbox and the deliveries, or nothing at all."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts import attention
from services.alerts.incidents.alert import Alert
from services.alerts.incidents.case import Case
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.steps import ENGINE, happened
from services.alerts.outgoing import ROWS_AT_ONCE, Outgoing, queue
from shared.contracts.incident import (
    SUBJECTS_IN_WEBHOOK,
    Incident,
    IncidentEvent,
    Suppression,
    webhook_body,
)
from shared.store.locks import Lock, hold
from shared.store.tables import alerts, endpoints, incidents, outbox, timeline

# Steps after which people hear of an incident for the first time, as if it had just opened.
FIRST_HEARD = frozenset({"incident.unsuppressed", "incident.released"})


def to_incident(row: Row[Any]) -> Incident:
    """A row of `alerts.incidents` as the wire model."""
    return Incident.model_validate(dict(row._mapping))


def to_row(incident: Incident) -> dict[str, Any]:
    """The wire model as columns of `alerts.incidents`."""
    fields = incident.model_dump(mode="python", exclude={"suppressed"})
    hidden = incident.suppressed
    return fields | {
        "subjects": list(incident.subjects),
        "links": list(incident.links),
        "held": list(incident.held),
        "suppressed": None if hidden is None else hidden.model_dump(mode="json"),
    }


async def one_at_a_time(connection: AsyncConnection) -> None:
    """Until the transaction ends nobody else changes several incidents at once. Before any of them
    is locked: who waits for this while holding one blocks whoever has this and wants it."""
    await hold(connection, Lock.INCIDENTS)


async def find(connection: AsyncConnection, incident: UUID) -> Incident | None:
    """The incident, locked until the transaction ends."""
    query = select(incidents).where(incidents.c.id == incident).with_for_update()
    row = (await connection.execute(query)).first()
    return None if row is None else to_incident(row)


async def load_cases(
    connection: AsyncConnection, *which: ColumnElement[bool], locked: bool = True
) -> list[Case]:
    """The incidents that a condition names, in the order of their ids; not `locked`: only to look
    at them."""
    query = select(incidents).where(*which).order_by(incidents.c.id)
    found = await connection.execute(query.with_for_update() if locked else query)
    return [_to_case(row) for row in found]


async def load_alerts(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Alert]:
    """The alerts that a condition names."""
    columns = [column for column in alerts.c if column.name != "recorded_at"]
    rows = await connection.execute(select(*columns).where(*which))
    return [_to_alert(row) for row in rows]


async def record(connection: AsyncConnection, step: IncidentEvent) -> None:
    """Write one step and everything that must happen because of it."""
    values = to_row(step.data)
    if step.actor != ENGINE:
        values["touched"] = True
    await _upsert(connection, incidents, [values], [incidents.c.id])
    await record_steps(connection, [step])


async def record_book(connection: AsyncConnection, book: Casebook) -> None:
    """Write all that has changed in a casebook."""
    await _record_cases(connection, book.changed_cases.values(), book.changed_alerts.values())
    await record_steps(connection, book.steps)


async def _record_cases(
    connection: AsyncConnection, cases: Collection[Case], changed: Collection[Alert]
) -> None:
    rows = [
        to_row(case.incident) | {
            "group_key": case.group_key, "first_at": case.first_at, "last_at": case.last_at,
            "first_alert": case.first_alert, "touched": case.touched,
        }
        for case in _parents_first(cases)
    ]  # fmt: skip
    await _upsert(connection, incidents, rows, [incidents.c.id])
    members = [
        asdict(one) | {"suppressed": one.suppressed and one.suppressed.model_dump(mode="json")}
        for one in changed
    ]
    await _upsert(connection, alerts, members, [alerts.c.alert_id])


async def record_steps(connection: AsyncConnection, steps: Sequence[IncidentEvent]) -> None:
    """Write the timeline, the outbox and the deliveries of steps whose incidents are written."""
    for start in range(0, len(steps), ROWS_AT_ONCE):
        some = steps[start : start + ROWS_AT_ONCE]
        events = [step.model_dump(mode="json") for step in some]
        entries = zip(some, happened(some), events, strict=True)
        await connection.execute(insert(timeline), [_entry(*one) for one in entries])
        queued = zip(some, events, strict=True)
        rows = [{"incident_id": step.data.id, "event": event} for step, event in queued]
        await connection.execute(insert(outbox), rows)
    telling = [step for step in steps if _tells(step)]
    await _queue_deliveries(connection, telling)
    await _call_attention(connection, steps, {step.data.id for step in telling})


async def _call_attention(
    connection: AsyncConnection, steps: Sequence[IncidentEvent], told: Collection[UUID]
) -> None:
    if not steps:
        return
    live = {step.data.id for step in steps if not step.data.historical}
    now = max(step.timestamp for step in steps)
    await attention.want(connection, told, now)
    await attention.remind(connection, live - set(told), now)


def _tells(step: IncidentEvent) -> bool:
    """Whether anybody is told: not of the past, of what is quiet, nor of each part of a whole."""
    incident = step.data
    if incident.historical or incident.suppressed is not None:
        return False
    if step.actor != ENGINE:
        return True
    part = incident.parent_id is not None and step.type != "incident.merged"
    repeated = step.type == "incident.refired" and incident.flapping
    return not (part or repeated or (incident.kind == "flood" and step.type == "incident.joined"))


async def _queue_deliveries(connection: AsyncConnection, steps: Sequence[IncidentEvent]) -> None:
    if not steps:
        return
    query = select(endpoints.c.endpoint_id, endpoints.c.events).where(endpoints.c.enabled)
    # Who is disabled meanwhile is queued nothing; how well it is may change meanwhile.
    query = query.order_by(endpoints.c.endpoint_id).with_for_update(read=True, key_share=True)
    known = (await connection.execute(query)).all()
    messages: list[Outgoing] = []
    for step in steps:
        wanted = [row.endpoint_id for row in known if _wants(row.events, step.type)]
        if wanted:
            body = json.dumps(webhook_body(step), ensure_ascii=False, separators=(",", ":"))
            messages += [_delivery(endpoint, step, body) for endpoint in wanted]
    await queue(connection, messages)


def _wants(events: Collection[str], kind: str) -> bool:
    first = kind in FIRST_HEARD and "incident.opened" in events
    return "*" in events or kind in events or first


def _delivery(endpoint: UUID, step: IncidentEvent, body: str) -> Outgoing:
    # Steps of one incident may share a moment: the version keeps their deliveries in order.
    made: datetime = step.timestamp + timedelta(microseconds=step.data.version)
    return Outgoing(endpoint, step.id, step.data.id, step.type, body, step.timestamp, made)


def _entry(step: IncidentEvent, event_at: datetime, event: dict[str, Any]) -> dict[str, Any]:
    after = event["data"]
    return {
        "event_id": step.id,
        "incident_id": step.data.id,
        "version": step.data.version,
        "type": step.type,
        "at": step.timestamp,
        "actor": step.actor,
        "note": step.note,
        "cause": event["cause"],
        "state": step.data.state,
        "step_due_at": step.data.step_due_at,
        "deadline_at": step.data.deadline_at,
        "event_at": event_at,
        "after": after | {"subjects": after["subjects"][:SUBJECTS_IN_WEBHOOK]},
    }


def _parents_first(cases: Collection[Case]) -> list[Case]:
    """So that what an incident refers to is there already, however many statements it takes."""
    known = {case.id: case for case in cases}
    ordered: dict[UUID, Case] = {}

    def place(case: Case) -> None:
        if case.id in ordered:
            return
        ordered[case.id] = case
        for other in (case.incident.parent_id, case.incident.merged_into):
            if other is not None and other in known and other not in ordered:
                del ordered[case.id]
                place(known[other])
                ordered[case.id] = case

    for case in cases:
        place(case)
    return list(ordered.values())


async def _upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    keys: Iterable[ColumnElement[Any]],
) -> None:
    if not rows:
        return
    statement = upsert(table)
    changed = {name: statement.excluded[name] for name in rows[0]}
    statement = statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
    await connection.execute(statement, rows)  # one after another, without waiting in between


def _to_case(row: Row[Any]) -> Case:
    return Case(
        to_incident(row),
        row.group_key,
        row.first_at,
        row.last_at,
        row.first_alert,
        row.touched,
    )


def _to_alert(row: Row[Any]) -> Alert:
    fields = dict(row._mapping)
    hidden = fields["suppressed"]
    fields["suppressed"] = None if hidden is None else Suppression.model_validate(hidden)
    return Alert(**fields)
