"""Whether a backup receives the database's log: the replication slots that docs/backup.md names."""

import asyncio
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics

EVERY_SECONDS = 15.0
_SLOTS = text("""
SELECT slot_name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)
FROM pg_replication_slots WHERE starts_with(slot_name, 'yiwang_backup')
""")


class Backups:
    """`run` is a job of the writer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_SECONDS)

    async def look(self) -> None:
        """Once."""
        async with self._engine.connect() as connection:
            slots = (await connection.execute(_SLOTS)).all()
        metrics.BACKUP_RECEIVING.clear()
        metrics.BACKUP_BEHIND.clear()
        for name, active, behind in slots:
            metrics.BACKUP_RECEIVING.labels(name).set(int(active))
            metrics.BACKUP_BEHIND.labels(name).set(int(behind or 0))
