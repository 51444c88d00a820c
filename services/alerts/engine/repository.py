"""The engine's store on PostgreSQL: snapshots and the log's position, written with the alerts."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, and_, delete, func, select
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.engine.kept import Kept, Overtaken, Snapshot
from services.alerts.judging.transition import Key, Place, Span, Transition
from shared.contracts.topics import READINGS
from shared.store.tables import alert_progress, areas, sensors, snapshots

LOST = ""  # incarnation of a log that is no more
_KEYS = [snapshots.c.topic, snapshots.c.partition, snapshots.c.incarnation]


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
    """`kept.Store` of a topic, and `places.Source`. `wake`: set whenever something is in the
    outbox."""

    def __init__(
        self,
        engine: AsyncEngine,
        incarnation: str,
        gathering: Gathering,
        wake: asyncio.Event,
        topic: str = READINGS,
    ) -> None:
        self._engine = engine
        self._incarnation = incarnation
        self._gathering = gathering
        self._wake = wake
        self._topic = topic

    async def forget_beyond(self, ends: Mapping[int, int]) -> None:
        """See `kept.Store.forget_beyond`. What is known of a log that is no more stays known."""
        async with reachable(self._engine.begin()) as connection:
            for partition, end in ends.items():
                beyond = delete(alert_progress).where(
                    *self._mine(partition), alert_progress.c.next_offset > end
                )
                gone = (await connection.execute(beyond)).rowcount > 0
                own = await self._snapshots(connection, self._own(partition))
                if own and (gone or own[0].next_offset > end):
                    older = {**self._key(partition), "incarnation": LOST}
                    await connection.execute(_keep(older, _snapshot(own[0])))
                    await connection.execute(delete(snapshots).where(self._own(partition)))

    async def load(self, partition: int) -> Kept:
        """See `kept.Store.load`. Positions of another incarnation mean nothing."""
        query = select(alert_progress.c.next_offset).where(*self._mine(partition))
        async with reachable(self._engine.connect()) as connection:
            # One view: snapshot and position must be of the same moment.
            await connection.execution_options(isolation_level="REPEATABLE READ")
            written = (await connection.execute(query)).scalar() or 0
            own = await self._snapshots(connection, self._own(partition))
            found = own or await self._snapshots(connection, snapshots.c.topic == self._topic)
        return Kept(written, bool(own), [_snapshot(row) for row in found])

    async def reached(self) -> dict[int, int]:
        """See `kept.Store.reached`."""
        query = select(snapshots.c.partition, snapshots.c.next_offset).where(
            snapshots.c.topic == self._topic, snapshots.c.incarnation == self._incarnation
        )
        found = await self.written()
        async with reachable(self._engine.connect()) as connection:
            for row in await connection.execute(query):
                found[row.partition] = max(found.get(row.partition, 0), row.next_offset)
        return found

    async def written(self) -> dict[int, int]:
        """Partition → the next offset after what has been said."""
        query = select(alert_progress.c.partition, alert_progress.c.next_offset).where(
            alert_progress.c.topic == self._topic,
            alert_progress.c.incarnation == self._incarnation,
        )
        async with reachable(self._engine.connect()) as connection:
            return {row.partition: row.next_offset for row in await connection.execute(query)}

    async def apply(
        self,
        span: Span,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
        snapshot: Snapshot | None = None,
    ) -> None:
        """See `kept.Store.apply`."""
        async with reachable(self._engine.begin()) as connection:
            await self._move_on(connection, span)
            await self._gathering.take(connection, transitions, places)
            if snapshot is not None:
                await connection.execute(_keep(self._key(span.partition), snapshot))
        if transitions:
            self._wake.set()

    async def find_place(self, sensor_id: str) -> Place:
        """See `places.Source`. The subject of a rule over several sensors may be an area."""
        query = (
            select(sensors.c.name, sensors.c.area_id, sensors.c.town_id, sensors.c.cell_id,
                   areas.c.name_zh, areas.c.parent_id)
            .outerjoin(areas, areas.c.area_id == sensors.c.area_id)
            .where(sensors.c.sensor_id == sensor_id)
        )  # fmt: skip
        async with reachable(self._engine.connect()) as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return await _place_of_area(connection, sensor_id)
        around = frozenset(filter(None, (row.cell_id, row.town_id, row.area_id, row.parent_id)))
        return Place(sensor_id, row.name, row.area_id, row.name_zh or "", around)

    async def _move_on(self, connection: AsyncConnection, span: Span) -> None:
        """Our position, if it still is what we believe; the row stays locked until the end."""
        values = {
            "topic": self._topic,
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
            alert_progress.c.topic == self._topic,
            alert_progress.c.partition == partition,
            alert_progress.c.incarnation == self._incarnation,
        )

    def _key(self, partition: int) -> dict[str, Any]:
        return {
            "topic": self._topic,
            "partition": partition,
            "incarnation": self._incarnation,
        }

    def _own(self, partition: int) -> ColumnElement[bool]:
        key = self._key(partition)
        return and_(*(snapshots.c[name] == value for name, value in key.items()))

    async def _snapshots(
        self, connection: AsyncConnection, which: ColumnElement[bool]
    ) -> Sequence[Row[Any]]:
        """Of this log last: it knows better than what was before."""
        mine = snapshots.c.incarnation == self._incarnation
        query = select(snapshots).where(which).order_by(mine, snapshots.c.written_at)
        return (await connection.execute(query)).all()


def _keep(key: Mapping[str, Any], snapshot: Snapshot) -> Insert:
    changed = {**vars(snapshot), "written_at": func.now()}
    statement = upsert(snapshots).values({**key, **changed})
    return statement.on_conflict_do_update(index_elements=_KEYS, set_=changed)


def _snapshot(row: Row[Any]) -> Snapshot:
    return Snapshot(row.next_offset, row.form, row.kept)


async def _place_of_area(connection: AsyncConnection, name: str) -> Place:
    query = select(areas.c.name_zh, areas.c.parent_id).where(areas.c.area_id == name)
    area = (await connection.execute(query)).first()
    if area is None:
        return Place(name)
    around = frozenset(filter(None, (name, area.parent_id)))
    return Place(name, area.name_zh, name, "", around)
