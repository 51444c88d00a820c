"""The stored past as a replay needs it, read only."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.history.archive import STATEMENT_SECONDS, Archive
from services.ops_center.history.question import MomentQuestion, Selection
from services.ops_center.picture import Latest
from services.ops_center.registry import SeriesKey
from services.ops_center.replay import statements
from services.ops_center.replay.portions import Due, Place
from shared.clock import to_micros
from shared.contracts.reading import Reading
from shared.errors import Unavailable

_LIMITS = text(
    "SELECT set_config('statement_timeout', :milliseconds, true), set_config('jit', 'off', true)"
)
_QUALITIES: Sequence[Literal["good", "suspect", "bad"]] = ("good", "suspect", "bad")
_encode = msgspec.json.encode


class Past:
    """Every method raises `Unavailable` when the database is away or takes too long."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._archive = Archive(engine)

    async def kept_from(self) -> datetime | None:
        """Before this moment no readings are kept; None: no bound."""
        async with self._reading() as connection:
            found: datetime | None = await connection.scalar(text(statements.KEPT_FROM))
        return found

    async def latest(self, at: datetime) -> Mapping[SeriesKey, Latest]:
        """The newest reading of every series at a moment, as `GET /v1/history?at=` tells it."""
        table = await self._archive.moment(MomentQuestion(at, Selection()))
        names = [column.name for column in table.columns]
        series, metric, value, quality, observed = map(
            names.index, ("sensor_id", "metric", "value", "quality", "observed_at")
        )
        return {
            (row[series], row[metric]): Latest(
                to_micros(row[observed]), row[value], row[quality] == "bad"
            )
            async for page in table.pages
            for row in page
            if row[observed] is not None
        }

    async def open_incidents(self, at: datetime) -> list[bytes]:
        """Each as JSON, as it was then."""
        async with self._reading() as connection:
            rows = await connection.execute(text(statements.OPEN_INCIDENTS), {"at": at})
            return [row.data.encode() for row in rows]

    async def readings(self, after: Place, until: datetime, limit: int) -> Sequence[Reading]:
        """See `portions.Source`."""
        values = {"after": after.at, "sensor_id": after.sensor_id, "metric": after.metric}
        async with self._reading() as connection:
            rows = await connection.execute(
                text(statements.READINGS), values | {"until": until, "limit": limit}
            )
            return [
                Reading(row[0], row[1], row[4], row[2], quality=_QUALITIES[row[3]]) for row in rows
            ]

    async def steps(self, after: datetime, until: datetime) -> Sequence[Due]:
        """See `portions.Source`."""
        async with self._reading() as connection:
            rows = await connection.execute(
                text(statements.STEPS), {"after": after, "until": until}
            )
            return [Due(*row) for row in rows]

    async def events(self, due: Sequence[Due]) -> list[bytes]:
        """The steps as `IncidentEvent`s, in the same order, at their event time."""
        values = {
            "event_ids": [step.event_id for step in due],
            "shown_at": [step.shown_at for step in due],
            "first_at": [step.first_at for step in due],
        }
        async with self._reading() as connection:
            rows = await connection.execute(text(statements.EVENTS), values)
            return [
                _encode({
                    "id": row.event_id, "type": row.type, "timestamp": row.shown_at.isoformat(),
                    "actor": row.actor, "note": row.note, "data": msgspec.Raw(row.data.encode()),
                    "cause": msgspec.Raw((row.cause or "null").encode()),
                })
                for row in rows
            ]  # fmt: skip

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                limit = {"milliseconds": str(STATEMENT_SECONDS * 1000)}
                await connection.execute(_LIMITS, limit)
                yield connection
        except DBAPIError as error:
            raise Unavailable(f"history: {error.orig}") from error
