"""The engine's store on PostgreSQL: states and the log's position, written with their incidents."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.engine.engine import Overtaken
from services.alerts.judging.machine import Subject, belonging
from services.alerts.judging.transition import Changes, Key, Place, Span, Transition
from shared.contracts.topics import READINGS
from shared.store.tables import alert_progress, areas, sensors, subjects

ROWS_AT_ONCE = 1_000  # PostgreSQL takes 65,535 parameters per statement


class Gathering(Protocol):
    """What transitions do to incidents."""

    async def take(
        self,
        connection: AsyncConnection,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
    ) -> dict[Key, str]:
        """Into incidents, in the caller's transaction; the incident of each raised subject."""
        ...


class Repository:
    """`engine.Store` and `places.Source`. `wake`: set whenever something is in the outbox."""

    def __init__(
        self, engine: AsyncEngine, incarnation: str, gathering: Gathering, wake: asyncio.Event
    ) -> None:
        self._engine = engine
        self._incarnation = incarnation
        self._gathering = gathering
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
        async with reachable(self._engine.begin()) as connection:
            await self._move_on(connection, span)
            raised = await self._gathering.take(connection, changes.transitions, places)
            await _write_subjects(connection, changes.subjects, raised)
        if changes.transitions:
            self._wake.set()
        return raised

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
