"""Outbox → `city.incidents`, at least once, the steps of an incident in their order (each holds
the incident's row until it is committed). Consumers drop what they have seen."""

import asyncio
import json
from contextlib import suppress

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.connection import reachable
from shared.contracts.topics import INCIDENTS
from shared.eventlog.log import EventLog, Outgoing
from shared.store.locks import Lock, try_hold
from shared.store.tables import outbox

BATCH = 500
LOOK_SECONDS = 1.0  # for what a process has left that did not live to publish it
RIVAL_SECONDS = 0.1


class Relay:
    """Publishes what transactions have left in the outbox."""

    def __init__(self, engine: AsyncEngine, log: EventLog, wake: asyncio.Event) -> None:
        self._engine = engine
        self._log = log
        self._wake = wake

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; looks at once when woken, else now and then."""
        while not stop.is_set():
            self._wake.clear()
            published = await self.publish_some()
            if published:
                continue
            with suppress(TimeoutError):
                pause = RIVAL_SECONDS if published is None else LOOK_SECONDS
                await asyncio.wait_for(self._wake.wait(), pause)

    async def publish_some(self) -> int | None:
        """Publish the oldest events and forget them once the log has them; how many. None: another
        process is at it, and may have looked before our own were there."""
        async with reachable(self._engine.begin()) as connection:
            if not await try_hold(connection, Lock.RELAY):
                return None
            query = select(outbox).order_by(outbox.c.id).limit(BATCH)
            rows = (await connection.execute(query)).all()
            if not rows:
                return 0
            await self._log.publish(
                [
                    Outgoing(
                        INCIDENTS,
                        str(row.incident_id),
                        json.dumps(row.event, ensure_ascii=False).encode(),
                    )
                    for row in rows
                ]
            )
            # By name, not "up to the last": a lower id may have been committed after we looked.
            published = [row.id for row in rows]
            await connection.execute(delete(outbox).where(outbox.c.id.in_(published)))
        return len(rows)
