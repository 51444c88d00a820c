"""What was set aside, told on `city.readings.quarantine` to whoever wants to know at once.

The table's own flag says what was told, so an item is told at least once whatever crashes; the
database's rows stay the truth, the topic is news of them.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.topics import QUARANTINE
from shared.eventlog.log import EventLog, Outgoing
from shared.store.locks import Lock, try_hold
from shared.store.tables import quarantine

LOOK_SECONDS = 2.0
TOLD_AT_ONCE = 500
_TOLD = ("id", "code", "detail", "source", "format", "item", "reading", "quarantined_at")


class Announcer:
    """Publishes each new item of the quarantine."""

    def __init__(self, engine: AsyncEngine, log: EventLog) -> None:
        self._engine = engine
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`; what was not told is told later."""
        while not stop.is_set():
            if await self.announce() == TOLD_AT_ONCE:
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def announce(self) -> int:
        """Tell what is new; how many."""
        new = select(*(quarantine.c[name] for name in _TOLD)).where(~quarantine.c.announced)
        async with self._engine.begin() as connection:
            if not await try_hold(connection, Lock.QUARANTINE_NEWS):
                return 0
            found = await connection.execute(new.order_by(quarantine.c.id).limit(TOLD_AT_ONCE))
            rows = found.mappings().all()
            if rows:
                await self._log.publish([_news(row) for row in rows])
                numbers = [row["id"] for row in rows]
                told = quarantine.update().where(quarantine.c.id.in_(numbers))
                await connection.execute(told.values(announced=True))
        return len(rows)


def _news(row: Mapping[Any, Any]) -> Outgoing:
    value = json.dumps(dict(row), ensure_ascii=False, default=lambda moment: moment.isoformat())
    return Outgoing(QUARANTINE, row["source"], value.encode())
