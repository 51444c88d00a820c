"""The engine's store and the commands' store, on PostgreSQL."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts import changes as made
from services.alerts import ledger
from services.alerts.changes import Changes, Place, Transition
from services.alerts.engine import Key
from services.alerts.machine import Subject
from shared.clock import Clock
from shared.contracts.incident import Incident
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.store.tables import alert_progress, areas, incidents, sensors, subjects, timeline


class Repository:
    """`engine.Store` and more. `wake`: set whenever something was put into the outbox."""

    def __init__(
        self, engine: AsyncEngine, incarnation: str, clock: Clock, wake: asyncio.Event
    ) -> None:
        self._engine = engine
        self._incarnation = incarnation
        self._clock = clock
        self._wake = wake

    async def load(self) -> tuple[dict[Key, Subject], dict[int, int]]:
        """See `engine.Store.load`. Positions of another incarnation mean nothing."""
        try:
            async with self._engine.connect() as connection:
                known = {
                    (row.rule_id, row.subject): msgspec.convert(row.state, Subject)
                    for row in await connection.execute(select(subjects))
                }
                query = select(alert_progress).where(
                    alert_progress.c.topic == READINGS,
                    alert_progress.c.incarnation == self._incarnation,
                )
                done = {row.partition: row.next_offset for row in await connection.execute(query)}
        except (OperationalError, InterfaceError) as error:
            raise Unavailable(f"database: {error.orig}") from error
        return known, done

    async def apply(self, changes: Changes) -> dict[Key, str]:
        """See `engine.Store.apply`."""
        raised: dict[Key, str] = {}
        try:
            async with self._engine.begin() as connection:
                for transition in changes.transitions:
                    await self._apply_transition(connection, transition, raised)
                await _write_subjects(connection, changes, raised)
                await self._write_progress(connection, changes.next_offsets)
        except (OperationalError, InterfaceError) as error:
            raise Unavailable(f"database: {error.orig}") from error
        if changes.transitions:
            self._wake.set()
        return raised

    async def command(
        self, incident: UUID, change: Callable[[Incident], Incident | Any], actor: str, event: str,
        note: str,
    ) -> Any:  # fmt: skip
        """Lock, change, record. `change` returns the new incident, or a refusal that is passed
        on and writes nothing. None: there is no such incident."""
        async with self._engine.begin() as connection:
            found = await ledger.find(connection, incident)
            if found is None:
                return None
            changed = change(found)
            if isinstance(changed, Incident):
                step = made.event(changed, event, self._clock(), actor, note)
                await ledger.record(connection, step)
        self._wake.set()
        return changed

    async def get(self, incident: UUID) -> tuple[Incident, list[dict[str, Any]]] | None:
        """An incident and its timeline, oldest step first."""
        async with self._engine.connect() as connection:
            query = select(incidents).where(incidents.c.id == incident)
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            steps = (
                select(
                    timeline.c.type,
                    timeline.c.at,
                    timeline.c.actor,
                    timeline.c.note,
                    timeline.c.version,
                )
                .where(timeline.c.incident_id == incident)
                .order_by(timeline.c.version)
            )
            found = [dict(step._mapping) for step in await connection.execute(steps)]
        return ledger.to_incident(row), found

    async def page(
        self,
        *,
        state: str | None,
        area_id: str | None,
        priority: int | None,
        after: tuple[Any, UUID] | None,
        limit: int,
    ) -> list[Incident]:
        """Newest first, from `after` (opened_at, id) on."""
        query = select(incidents)
        for column, wanted in (("state", state), ("area_id", area_id), ("priority", priority)):
            if wanted is not None:
                query = query.where(incidents.c[column] == wanted)
        query = _page(query, after, limit)
        async with self._engine.connect() as connection:
            return [ledger.to_incident(row) for row in await connection.execute(query)]

    async def find(self, sensor_id: str) -> Place:
        """See `engine.Places.find`."""
        query = (
            select(sensors.c.name, sensors.c.area_id, areas.c.name_zh)
            .outerjoin(areas, areas.c.area_id == sensors.c.area_id)
            .where(sensors.c.sensor_id == sensor_id)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return Place(sensor_id, "", None, "")
        return Place(sensor_id, row.name, row.area_id, row.name_zh or "")

    async def _apply_transition(
        self, connection: AsyncConnection, transition: Transition, raised: dict[Key, str]
    ) -> None:
        now = self._clock()
        key = (transition.rule.id, transition.place.sensor_id)
        if transition.kind == "raised":
            new = made.opened(transition, now)
            if await ledger.find(connection, new.id) is not None:
                raised[key] = str(new.id)  # the same start, judged again: already recorded
                return
            joined = await ledger.find_open(connection, *key)
            if joined is None:
                step = made.event(new, "incident.opened", now)
            else:
                again = made.refired(joined, transition, now)
                step = made.event(again, "incident.refired", now)
            raised[key] = str(step.data.id)
            await ledger.record(connection, step)
            return
        incident = raised.pop(key, None) or transition.subject.incident
        found = await ledger.find(connection, UUID(incident)) if incident else None
        if found is not None:
            step = made.event(made.cleared(found, now), "incident.cleared", now)
            await ledger.record(connection, step)

    async def _write_progress(
        self, connection: AsyncConnection, next_offsets: dict[int, int]
    ) -> None:
        for partition, offset in next_offsets.items():
            values = {
                "topic": READINGS,
                "partition": partition,
                "incarnation": self._incarnation,
                "next_offset": offset,
            }
            statement = upsert(alert_progress).values(values)
            keys = [alert_progress.c.topic, alert_progress.c.partition]
            await connection.execute(
                statement.on_conflict_do_update(index_elements=keys, set_=values)
            )


async def _write_subjects(
    connection: AsyncConnection, changes: Changes, raised: dict[Key, str]
) -> None:
    normal = [key for key, subject in changes.subjects.items() if subject is None]
    if normal:
        keys = tuple_(subjects.c.rule_id, subjects.c.subject)
        await connection.execute(delete(subjects).where(keys.in_(normal)))
    for key, subject in changes.subjects.items():
        if subject is None:
            continue
        state = msgspec.to_builtins(subject)
        state["incident"] = raised.get(key, subject.incident)
        values = {"rule_id": key[0], "subject": key[1], "state": state}
        statement = upsert(subjects).values(values)
        keys_ = [subjects.c.rule_id, subjects.c.subject]
        await connection.execute(
            statement.on_conflict_do_update(index_elements=keys_, set_={"state": state})
        )


def _page(query: Select[Any], after: tuple[Any, UUID] | None, limit: int) -> Select[Any]:
    order = tuple_(incidents.c.opened_at, incidents.c.id)
    if after is not None:
        query = query.where(order < after)
    return query.order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)
