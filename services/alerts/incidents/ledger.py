"""Writes a step of an incident: the row, its timeline, the outbox, the deliveries. One place."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.incident import Incident, IncidentEvent, IncidentState, webhook_body
from shared.store.tables import deliveries, endpoints, incidents, outbox, timeline


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
        "suppressed": None if hidden is None else hidden.model_dump(mode="json"),
    }


async def find(connection: AsyncConnection, incident: UUID) -> Incident | None:
    """The incident, locked until the transaction ends."""
    query = select(incidents).where(incidents.c.id == incident).with_for_update()
    row = (await connection.execute(query)).first()
    return None if row is None else to_incident(row)


async def find_open(
    connection: AsyncConnection, rule_id: str, subject: str, historical: bool
) -> Incident | None:
    """The newest incident of a rule and subject that is not closed, locked.

    What happens now never joins a historical incident: nobody would be told.
    """
    query = (
        select(incidents)
        .where(
            incidents.c.rule_id == rule_id,
            incidents.c.subjects.contains([subject]),
            incidents.c.state != IncidentState.CLOSED,
            incidents.c.historical == historical,
        )
        .order_by(incidents.c.opened_at.desc())
        .limit(1)
        .with_for_update()
    )
    row = (await connection.execute(query)).first()
    return None if row is None else to_incident(row)


async def record(connection: AsyncConnection, step: IncidentEvent) -> None:
    """Write one step and everything that must happen because of it, or nothing at all."""
    values = to_row(step.data)
    statement = upsert(incidents).values(values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[incidents.c.id], set_=values)
    )
    await connection.execute(
        insert(timeline).values(
            event_id=step.id,
            incident_id=step.data.id,
            version=step.data.version,
            type=step.type,
            at=step.timestamp,
            actor=step.actor,
            note=step.note,
            cause=None if step.cause is None else step.cause.model_dump(mode="json"),
            state=step.data.state,
            step_due_at=step.data.step_due_at,
            deadline_at=step.data.deadline_at,
        )
    )
    await connection.execute(
        insert(outbox).values(incident_id=step.data.id, event=step.model_dump(mode="json"))
    )
    if not step.data.historical:
        await _queue_deliveries(connection, step)


async def _queue_deliveries(connection: AsyncConnection, step: IncidentEvent) -> None:
    query = select(endpoints.c.endpoint_id, endpoints.c.events).where(endpoints.c.enabled)
    query = query.with_for_update(read=True)  # who is disabled meanwhile is queued nothing
    wanted = [
        row.endpoint_id
        for row in await connection.execute(query)
        if "*" in row.events or step.type in row.events
    ]
    if not wanted:
        return
    body = json.dumps(webhook_body(step), ensure_ascii=False, separators=(",", ":"))
    # Steps of one incident may share a moment: the version keeps their deliveries in order.
    made = step.timestamp + timedelta(microseconds=step.data.version)
    rows = [_delivery(endpoint, step, body, made) for endpoint in wanted]
    await connection.execute(insert(deliveries), rows)


def _delivery(endpoint: UUID, step: IncidentEvent, body: str, made: datetime) -> dict[str, Any]:
    return {
        "delivery_id": uuid5(endpoint, str(step.id)),
        "endpoint_id": endpoint,
        "event_id": step.id,
        "incident_id": step.data.id,
        "type": step.type,
        "body": body,
        "state": "queued",
        "attempts": [],
        "due_at": step.timestamp,
        "created_at": made,
    }
