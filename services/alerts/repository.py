"""The engine's store and the commands' store, on PostgreSQL."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts import changes as made
from services.alerts import ledger
from services.alerts.changes import Changes, Key, Place, Span, Transition
from services.alerts.connection import reachable
from services.alerts.engine import Overtaken
from services.alerts.machine import Subject, belonging
from shared.clock import Clock
from shared.contracts.incident import AlertState, Incident
from shared.contracts.topics import READINGS
from shared.store.tables import alert_progress, areas, incidents, sensors, subjects, timeline

ROWS_AT_ONCE = 1_000  # PostgreSQL takes 65,535 parameters per statement


class Repository:
    """`engine.Store` and more. `wake`: set whenever something was put into the outbox."""

    def __init__(
        self, engine: AsyncEngine, incarnation: str, clock: Clock, wake: asyncio.Event
    ) -> None:
        self._engine = engine
        self._incarnation = incarnation
        self._clock = clock
        self._wake = wake

    async def forget_beyond(self, ends: Mapping[int, int]) -> None:
        """See `engine.Store.forget_beyond`."""
        async with reachable(self._engine.begin()) as connection:
            for partition, end in ends.items():
                beyond = delete(alert_progress).where(
                    *self._mine(partition), alert_progress.c.next_offset > end
                )
                await connection.execute(beyond)

    async def load(self, partition: int) -> tuple[dict[Key, Subject], int]:
        """See `engine.Store.load`. Positions of another incarnation mean nothing."""
        query = select(alert_progress.c.next_offset).where(*self._mine(partition))
        async with reachable(self._engine.connect()) as connection:
            # One snapshot: states and position must be of the same moment.
            await connection.execution_options(isolation_level="REPEATABLE READ")
            known = {
                (row.rule_id, row.subject): msgspec.convert(row.state, Subject)
                for row in await connection.execute(select(subjects))
            }
            done = (await connection.execute(query)).scalar()
        return known, done or 0

    async def apply(
        self, span: Span, changes: Changes, places: Mapping[str, Place]
    ) -> dict[Key, str]:
        """See `engine.Store.apply`."""
        raised: dict[Key, str] = {}
        async with reachable(self._engine.begin()) as connection:
            await self._move_on(connection, span)
            for transition in changes.transitions:
                place = places[transition.sensor_id]
                if transition.kind == "raised":
                    await self._raise(connection, transition, place, raised)
                else:
                    await self._clear(connection, transition, raised)
            await _write_subjects(connection, changes.subjects, raised)
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
                await ledger.record(connection, made.event(changed, event, actor, note))
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

    async def find_place(self, sensor_id: str) -> Place:
        """See `places.Source`."""
        query = (
            select(sensors.c.name, sensors.c.area_id, sensors.c.town_id, sensors.c.cell_id,
                   areas.c.name_zh, areas.c.parent_id)
            .outerjoin(areas, areas.c.area_id == sensors.c.area_id)
            .where(sensors.c.sensor_id == sensor_id)
        )  # fmt: skip
        async with reachable(self._engine.connect()) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return Place(sensor_id)
        around = frozenset(filter(None, (row.cell_id, row.town_id, row.area_id, row.parent_id)))
        return Place(sensor_id, row.name, row.area_id, row.name_zh or "", around)

    async def _raise(
        self,
        connection: AsyncConnection,
        transition: Transition,
        place: Place,
        raised: dict[Key, str],
    ) -> None:
        key = (transition.rule.id, transition.sensor_id)
        new = made.opened(transition, place, self._clock())
        known = await ledger.find(connection, new.id)
        if known is None:
            known = await ledger.find_open(connection, *key, transition.historical)
            if known is None:
                await ledger.record(connection, made.event(new, "incident.opened"))
            else:
                again = made.refired(known, transition, self._clock())
                await ledger.record(connection, made.event(again, "incident.refired"))
        # Else the same start was judged before, from another copy of the log: it is recorded.
        raised[key] = str(new.id if known is None else known.id)

    async def _clear(
        self, connection: AsyncConnection, transition: Transition, raised: dict[Key, str]
    ) -> None:
        key = (transition.rule.id, transition.sensor_id)
        incident = raised.pop(key, None) or transition.subject.incident
        found = await ledger.find(connection, UUID(incident)) if incident else None
        if found is not None and found.alert_state is AlertState.ACTIVE:
            cleared = made.cleared(found, self._clock())
            await ledger.record(connection, made.event(cleared, "incident.cleared"))

    async def _move_on(self, connection: AsyncConnection, span: Span) -> None:
        """Our position, if it still is what we believe; the row stays locked until the end."""
        values = {
            "topic": READINGS,
            "partition": span.partition,
            "incarnation": self._incarnation,
            "next_offset": span.following,
        }
        statement = upsert(alert_progress).values(values)
        unmoved = (alert_progress.c.incarnation != self._incarnation) | (
            alert_progress.c.next_offset == span.first
        )
        done = await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[alert_progress.c.topic, alert_progress.c.partition],
                set_=values,
                where=unmoved,
            ).returning(alert_progress.c.next_offset)
        )
        if done.first() is None:
            raise Overtaken(f"partition {span.partition} is no longer at {span.first}")

    def _mine(self, partition: int) -> tuple[ColumnElement[bool], ...]:
        return (
            alert_progress.c.topic == READINGS,
            alert_progress.c.partition == partition,
            alert_progress.c.incarnation == self._incarnation,
        )


async def _write_subjects(
    connection: AsyncConnection, changed: Mapping[Key, Subject], raised: Mapping[Key, str]
) -> None:
    rows = []
    for (rule_id, sensor_id), subject in changed.items():
        incident = raised.get((rule_id, sensor_id))
        state = subject if incident is None else belonging(subject, incident)
        row = {"rule_id": rule_id, "subject": sensor_id, "state": msgspec.to_builtins(state)}
        rows.append(row)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        statement = upsert(subjects).values(rows[start : start + ROWS_AT_ONCE])
        keys = [subjects.c.rule_id, subjects.c.subject]
        changed_state = {"state": statement.excluded.state}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=changed_state)
        )


def _page(query: Select[Any], after: tuple[Any, UUID] | None, limit: int) -> Select[Any]:
    order = tuple_(incidents.c.opened_at, incidents.c.id)
    if after is not None:
        query = query.where(order < after)
    return query.order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)
