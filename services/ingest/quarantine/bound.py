"""The quarantine's bound: per source, by rows and by age. What it costs is counted.

Within a source what was discarded goes first, then what was replayed, then what waits, each oldest
first. No source's items ever go because of another's.
"""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest import metrics
from services.ingest.quarantine.selection import Bound, Count
from shared.clock import Clock
from shared.store.locks import Lock, try_hold

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
DROP_AT_ONCE = 10_000

_CROWDED = text(
    "SELECT source, count(*) FROM ingest.quarantine GROUP BY source HAVING count(*) > :max_rows"
)
_DROP = """
WITH gone AS (
  DELETE FROM ingest.quarantine WHERE id IN ({which}) RETURNING source, code, state
), counted AS (
  SELECT source, code, state, count(*) AS dropped FROM gone GROUP BY source, code, state
), kept AS (
  INSERT INTO ingest.quarantine_dropped AS d (source, code, state, dropped)
  SELECT * FROM counted ON CONFLICT (source, code, state)
  DO UPDATE SET dropped = d.dropped + excluded.dropped, last_at = now()
)
SELECT coalesce(sum(dropped), 0) FROM counted
"""
_DROP_EXCESS = text(
    _DROP.format(
        which="SELECT id FROM ingest.quarantine WHERE source = :source ORDER BY"
        " CASE state WHEN 'discarded' THEN 0 WHEN 'replayed' THEN 1 ELSE 2 END, id LIMIT :excess"
    )
)
_DROP_OLD = text(
    _DROP.format(
        which="SELECT id FROM ingest.quarantine WHERE quarantined_at < :before"
        " ORDER BY quarantined_at LIMIT :excess"
    )
)


class Counts(Protocol):
    """See `repository.Quarantine`."""

    async def counts(self) -> list[Count]:
        """What lies there."""
        ...

    async def dropped(self) -> list[Count]:
        """What the bound has cost."""
        ...


class Keeper:
    """Keeps the bound and the figures of the metrics page."""

    def __init__(self, engine: AsyncEngine, counts: Counts, bound: Bound, clock: Clock) -> None:
        self._engine = engine
        self._counts = counts
        self._bound = bound
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            await self.sweep()
            await self.measure()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SWEEP_SECONDS)

    async def sweep(self) -> int:
        """Drop what is beyond the bound; how many. Nothing while another process does it."""
        async with self._engine.begin() as connection:
            if not await try_hold(connection, Lock.QUARANTINE_BOUND):
                return 0
            before = self._clock() - timedelta(days=self._bound.max_days)
            dropped = await _drop(connection, _DROP_OLD, {"before": before}, DROP_AT_ONCE)
            crowded = await connection.execute(_CROWDED, {"max_rows": self._bound.max_rows})
            for source, rows in crowded.all():
                excess = rows - self._bound.max_rows
                dropped += await _drop(connection, _DROP_EXCESS, {"source": source}, excess)
        if dropped:
            _log.warning("quarantine: %d items beyond the bound are dropped (counted)", dropped)
        return dropped

    async def measure(self) -> None:
        """Set the gauges."""
        lying: Counter[tuple[str, str]] = Counter()
        for count in await self._counts.counts():
            lying[count.code, count.state] += count.items
        metrics.QUARANTINED.clear()
        for labels, items in lying.items():
            metrics.QUARANTINED.labels(*labels).set(items)
        gone: Counter[tuple[str, str]] = Counter()
        for count in await self._counts.dropped():
            gone[count.source, count.code] += count.items
        for labels, items in gone.items():
            metrics.QUARANTINE_DROPPED.labels(*labels).set(items)


async def _drop(
    connection: AsyncConnection, statement: Any, values: dict[str, Any], excess: int
) -> int:
    dropped = 0
    while dropped < excess:
        some = min(DROP_AT_ONCE, excess - dropped)
        gone = (await connection.execute(statement, values | {"excess": some})).scalar_one()
        dropped += int(gone)
        if gone < some:
            break
    return dropped
