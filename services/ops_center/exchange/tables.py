"""Sensors and incidents as pages of rows, each page a query of its own."""

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.exchange.shape import COLUMNS
from services.ops_center.history.table import Row

PAGE = 2_000

_SENSORS = text(
    """
    SELECT sensor_id, name, array_to_string(metrics, ' '), lon, lat, area_id, retired::text,
           updated_at
    FROM ingest.sensors
    WHERE sensor_id = ANY (:sensor_ids)
      AND (CAST(:since AS timestamptz) IS NULL OR updated_at >= :since)
    ORDER BY sensor_id
    """
)
_NAMES = ", ".join(f"i.{column.name}" for column in COLUMNS["incidents"])
_INCIDENTS = text(
    f"""
    SELECT {_NAMES} FROM alerts.incidents AS i
    WHERE i.opened_at >= :start AND i.opened_at < :end AND (i.opened_at, i.id) > (:opened, :last)
      AND (CAST(:since AS timestamptz) IS NULL OR i.updated_at >= :since)
      AND (CAST(:within AS text[]) IS NULL OR i.area_id = ANY (:within))
    ORDER BY i.opened_at, i.id LIMIT {PAGE}
    """
)
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_OPENED = [column.name for column in COLUMNS["incidents"]].index("opened_at")


async def sensors(
    engine: AsyncEngine, sensor_ids: Sequence[str], since: datetime | None
) -> AsyncGenerator[Sequence[Row], None]:
    """By id. `since`: only those that were changed from then on."""
    for first in range(0, len(sensor_ids), PAGE):
        values = {"sensor_ids": sensor_ids[first : first + PAGE], "since": since}
        async with engine.connect() as connection:
            rows = (await connection.execute(_SENSORS, values)).all()
        yield rows


async def incidents(
    engine: AsyncEngine,
    start: datetime | None,
    end: datetime,
    since: datetime | None,
    within: Collection[str] | None,
) -> AsyncGenerator[Sequence[Row], None]:
    """By opening. `since`: only those that were changed from then on; `within`: areas (None:
    everywhere)."""
    opened, last = _FIRST, UUID(int=0)
    areas = None if within is None else sorted(within)
    while True:
        values: dict[str, Any] = {
            "start": start or _FIRST,
            "end": end,
            "since": since,
            "within": areas,
        }
        values |= {"opened": opened, "last": last}
        async with engine.connect() as connection:
            rows = (await connection.execute(_INCIDENTS, values)).all()
        yield [(str(row[0]), *row[1:]) for row in rows]
        if len(rows) < PAGE:
            return
        opened, last = rows[-1][_OPENED], rows[-1][0]
