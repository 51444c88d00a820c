"""Queues our public warnings for the neighbouring cities that they concern.

It compares what is published with what each was told, as the publisher compares incidents with what
is published: whatever was missed is made good at the next look.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.cap.newest import newest
from services.alerts.channels.cap import HEARTBEAT
from services.alerts.connection import reachable
from services.alerts.delivery.discretion import WARNING
from services.alerts.delivery.endpoints import NOBODY
from services.alerts.incidents.jurisdiction import ANYWHERE
from services.alerts.neighbours.interest import Interest, Published, Told, is_due
from services.alerts.outgoing import Outgoing, queue
from shared.clock import Clock
from shared.errors import Unavailable
from shared.store.locks import Lock, hold
from shared.store.tables import cap_messages, deliveries, endpoints, incidents, neighbours

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
HEARTBEAT_EVERY = timedelta(minutes=15)
LIFTED_WITHIN = timedelta(days=3)  # a Cancel is still told to who was away so long


class Sharing:
    """A job. `due`: the deliverer's."""

    def __init__(self, engine: AsyncEngine, clock: Clock, due: asyncio.Event) -> None:
        self._engine = engine
        self._clock = clock
        self._due = due

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a lost database is tried again."""
        while not stop.is_set():
            try:
                if await self.share():
                    self._due.set()
            except Unavailable as error:
                _log.warning("neighbouring cities wait: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def share(self) -> int:
        """Queue what is due; how many messages."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            cities = await _cities(connection)
            if not cities:
                return 0
            await hold(connection, Lock.NEIGHBOURS)
            found = [
                *await _warnings(connection, cities, now),
                *await _heartbeats(connection, cities, now),
            ]
            await queue(connection, found)
        return len(found)


async def _cities(connection: AsyncConnection) -> Sequence[Any]:
    """Neighbours that can be told something."""
    query = (
        select(neighbours.c.endpoint_id, neighbours.c.interest)
        .join(endpoints, endpoints.c.endpoint_id == neighbours.c.endpoint_id)
        .where(neighbours.c.removed_at.is_(None), endpoints.c.enabled)
    )
    return (await connection.execute(query)).all()


async def _warnings(
    connection: AsyncConnection, cities: Sequence[Any], now: datetime
) -> list[Outgoing]:
    rows = await _newest(connection, now)
    told = await _told(connection, cities, rows)
    found = []
    for row in rows:
        place = await ANYWHERE.around(connection, [row.area_id])
        warning = Published(row.identifier, row.kind, row.colour, row.category, place.areas)
        for city in cities:
            wanted = None if city.interest is None else Interest(**city.interest)
            if is_due(warning, wanted, told.get((city.endpoint_id, row.incident_id))):
                found.append(_outgoing(city.endpoint_id, row, warning, now))
    return found


async def _newest(connection: AsyncConnection, now: datetime) -> Sequence[Any]:
    """What is said last of each incident, if it holds or was lifted lately; the oldest first."""
    last = newest(cap_messages.c.sent_at > now - LIFTED_WITHIN).subquery()
    lifted = last.c.kind == "Cancel"
    query = (
        select(last, incidents.c.category, incidents.c.area_id)
        .join(incidents, incidents.c.id == last.c.incident_id)
        .where(or_(last.c.expires_at > now, lifted))
        .order_by(last.c.sent_at, last.c.identifier)
    )
    return (await connection.execute(query)).all()


async def _told(
    connection: AsyncConnection, cities: Sequence[Any], rows: Sequence[Any]
) -> dict[tuple[UUID, UUID], Told]:
    """What each was sent last of each incident, by (endpoint, incident)."""
    pair = (deliveries.c.endpoint_id, deliveries.c.incident_id)
    mine = and_(
        deliveries.c.endpoint_id.in_([city.endpoint_id for city in cities]),
        deliveries.c.incident_id.in_([row.incident_id for row in rows]),
        deliveries.c.type.like(literal_column(f"'{WARNING}%'")),
    )
    query = (
        select(*pair, deliveries.c.event_id, deliveries.c.type)
        .distinct(*pair)
        .where(mine)
        .order_by(*pair, deliveries.c.created_at.desc())
    )
    found = await connection.execute(query)
    return {(row.endpoint_id, row.incident_id): Told(row.event_id, row.type) for row in found}


async def _heartbeats(
    connection: AsyncConnection, cities: Sequence[Any], now: datetime
) -> list[Outgoing]:
    """Signs of life, sent once and not again: the next one comes soon."""
    mine = neighbours.c.endpoint_id.in_([city.endpoint_id for city in cities])
    silent = or_(neighbours.c.beat_at.is_(None), neighbours.c.beat_at <= now - HEARTBEAT_EVERY)
    statement = update(neighbours).where(mine, silent).values(beat_at=now)
    due = (await connection.execute(statement.returning(neighbours.c.endpoint_id))).scalars()
    body = json.dumps({"type": HEARTBEAT, "timestamp": now.isoformat(), "data": {}})
    return [
        Outgoing(endpoint_id, uuid4(), NOBODY, HEARTBEAT, body, now, now, "test")
        for endpoint_id in due
    ]


def _outgoing(endpoint_id: UUID, row: Any, warning: Published, now: datetime) -> Outgoing:
    body = {
        "type": warning.type,
        "timestamp": row.sent_at.isoformat(),
        "data": {"identifier": row.identifier, "document": row.document},
    }
    said = json.dumps(body, ensure_ascii=False)
    event_id, incident_id = warning.event_id, row.incident_id
    return Outgoing(endpoint_id, event_id, incident_id, warning.type, said, now, now)
