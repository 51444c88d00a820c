"""What is kept of the vital signs, and what the stored readings say about them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.vital_signs import statements
from services.ops_center.vital_signs.index import FATES, Vital
from shared.errors import Unavailable
from shared.store.rollups import ORIGIN
from shared.store.tables import vital_signs

STEP_SECONDS = 300
KEPT = timedelta(days=400)
SLACK = timedelta(minutes=10)  # a comparison is with a moment that is at most so much earlier
LOOKED_BACK = timedelta(days=7)  # for since when something is as it is
STATEMENT_SECONDS = 30
_LIMIT = text("SELECT set_config('statement_timeout', :milliseconds, true)")


@dataclass(frozen=True, slots=True)
class Departure:
    """A series that has left its normal range; without one: that has turned bad."""

    sensor_id: str
    metric: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Since:
    """`at`: the first reading that was so; `before`: or earlier, further than is looked back."""

    at: datetime
    before: bool = False


class Records:
    """Every method raises `Unavailable` when the database is away or takes too long."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, at: datetime, vitals: Sequence[Vital]) -> None:
        """One step; what another replica has kept of it stays."""
        rows = [_row(at, vital) for vital in vitals if any(vital.sensors.values())]
        if not rows:
            return
        async with self._connected() as connection:
            await connection.execute(insert(vital_signs).on_conflict_do_nothing(), rows)

    async def forget(self, now: datetime) -> None:
        """Drop what is older than `KEPT`."""
        async with self._connected() as connection:
            await connection.execute(delete(vital_signs).where(vital_signs.c.at < now - KEPT))

    async def at(self, moments: Sequence[datetime]) -> Mapping[tuple[datetime, str, str], Row[Any]]:
        """By moment, area and domain the newest step at or before it, if there is one within
        `SLACK`."""
        values = {"moments": list(moments), "slack": SLACK}
        rows = await self._rows(statements.AT, values)
        return {(row.moment, row.area_id, row.domain): row for row in rows}

    async def history(
        self, area_id: str, domain: str, start: datetime, end: datetime, seconds: int
    ) -> Sequence[Row[Any]]:
        """start, score, lowest, heard and the numbers of sensors, by buckets of `seconds`."""
        values = {"area_id": area_id, "domain": domain, "start": start, "end": end}
        width = {"width": timedelta(seconds=seconds), "origin": ORIGIN}
        return await self._rows(statements.HISTORY, values | width)

    async def since(self, departures: Sequence[Departure], now: datetime) -> list[Since | None]:
        """Since when each is so; None: nothing of it is stored yet."""
        columns = {
            "sensor_ids": [one.sensor_id for one in departures],
            "metrics": [one.metric for one in departures],
            "lows": [one.low for one in departures], "highs": [one.high for one in departures],
        }  # fmt: skip
        found: list[Since | None] = [None] * len(departures)
        if departures:
            rows = await self._rows(statements.DEPARTURES, columns | {"oldest": now - LOOKED_BACK})
            for row in rows:
                if row.at is not None:
                    found[row.number - 1] = Since(row.at, row.before)
        return found

    async def rolled_to(self) -> datetime | None:
        """Up to where hours are made; None: none is yet."""
        rows = await self._rows(statements.ROLLED_TO, {})
        return rows[0][0] if rows else None

    async def air(self, hour: datetime, metrics: Sequence[str]) -> Sequence[Row[Any]]:
        """By station and metric: means of the hour that begins at `hour` and of the 24 up to its
        end, and of how many hours the latter is."""
        return await self._rows(statements.AIR, {"hour": hour, "metrics": list(metrics)})

    async def day(self, day: datetime, metrics: Sequence[str]) -> Sequence[Row[Any]]:
        """By station and metric, of the 24 hours from `day`: their mean and number, the greatest
        hour, the greatest mean of eight hours and the number of such."""
        return await self._rows(statements.DAY, {"day": day, "metrics": list(metrics)})

    async def traffic(self, hour: datetime) -> Sequence[Row[Any]]:
        """By sensor: mean speed and flow of the hour, free flow, and of how many hours it is."""
        return await self._rows(statements.TRAFFIC, {"hour": hour})

    async def due(self, now: datetime, least_hours: int) -> list[str]:
        """The sensors whose free flow is to be learned now."""
        return [row[0] for row in await self._rows(
            statements.DUE, {"now": now, "least": least_hours}
        )]  # fmt: skip

    async def learn(
        self, sensor_ids: Sequence[str], since: datetime, now: datetime, share: float
    ) -> None:
        """The free flow of some sensors: the speed that `share` of their hours do not exceed."""
        values = {"sensor_ids": list(sensor_ids), "since": since, "now": now, "share": share}
        async with self._connected() as connection:
            await connection.execute(text(statements.LEARN), values)
            await connection.execute(text(statements.FORGET))

    async def _rows(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        async with self._connected() as connection:
            return (await connection.execute(text(statement), dict(values))).all()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                await connection.execute(_LIMIT, {"milliseconds": str(STATEMENT_SECONDS * 1000)})
                yield connection
        except DBAPIError as error:
            raise Unavailable(f"vital signs: {error.orig}") from error


def _row(at: datetime, vital: Vital) -> dict[str, Any]:
    numbers: dict[str, int] = {fate: vital.sensors[fate] for fate in FATES if fate != "normal"}
    counted = sum(vital.sensors.values()) - vital.sensors["never"]
    return {
        "area_id": vital.area_id, "domain": vital.domain, "at": at, "score": vital.index,
        "heard": vital.heard, "counted": counted, "figures": dict(vital.figures), **numbers,
    }  # fmt: skip
