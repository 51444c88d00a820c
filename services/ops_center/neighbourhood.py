"""What neighbouring cities warn of, as screens are told it.

The database is asked once a second: what is in force changes with time too, when a warning expires,
and no message says so.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.view import rfc3339
from shared.clock import Clock
from shared.contracts.live import NeighbourCity, Neighbours, NeighbourWarning
from shared.store.neighbourhood import holds
from shared.store.tables import neighbour_warnings, neighbours

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
AT_MOST = 50  # warnings on a screen
_GRAVITY = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")


class Watch:
    """A job. `tell`: every screen, if it is new."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, tell: Callable[[Neighbours | None], None]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._tell = tell

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; while the database is away, what was known stands."""
        while not stop.is_set():
            try:
                self._tell(await self.look())
            except (SQLAlchemyError, OSError) as error:
                _log.warning("neighbouring cities cannot be looked up: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def look(self) -> Neighbours | None:
        """What holds now; None: there are no neighbours."""
        now = self._clock()
        here = neighbours.c.removed_at.is_(None)
        warned = (
            select(neighbour_warnings)
            .join(neighbours, neighbours.c.adcode == neighbour_warnings.c.adcode)
            .where(here, holds(now))
        )
        async with self._engine.connect() as connection:
            cities = (await connection.execute(select(neighbours).where(here))).all()
            if not cities:
                return None
            found = (await connection.execute(warned)).all()
        return Neighbours(
            [_city(row, now) for row in sorted(cities, key=lambda row: row.adcode)],
            [_warning(row) for row in _gravest(found)[:AT_MOST]],
        )


def _gravest(rows: Sequence[Any]) -> list[Any]:
    """The gravest first, of these the newest."""
    newest = sorted(rows, key=lambda row: (row.sent_at, row.identifier), reverse=True)
    return sorted(newest, key=lambda row: _GRAVITY.index(row.severity))


def _city(row: Any, now: datetime) -> NeighbourCity:
    heard = row.heard_at or row.created_at
    patience = row.silent_after_minutes
    silent = patience is not None and heard < now - timedelta(minutes=patience)
    heard_at = None if row.heard_at is None else _moment(row.heard_at)
    return NeighbourCity(row.adcode, row.name_zh, row.name_en, heard_at, silent)


def _warning(row: Any) -> NeighbourWarning:
    zh, en = row.wording["zh"], row.wording["en"]
    return NeighbourWarning(
        row.adcode, row.identifier, row.severity, row.exercise, zh["event"], en["event"],
        zh["headline"], en["headline"], zh["area"], en["area"], _moment(row.since),
        _moment(row.sent_at), _moment(row.expires_at), row.outline or [],
    )  # fmt: skip


def _moment(at: datetime) -> str:
    return rfc3339(at.astimezone(UTC))
