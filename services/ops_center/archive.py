"""Reads stored readings: one series over a span of time."""

from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.history import ORIGIN, History, Item, Span, bucket_seconds
from services.ops_center.view import rfc3339
from shared.store.tables import metrics, sensors

_RAW = text(
    """
    SELECT observed_at, value, value, value, 1, value, (quality = 2)::int FROM ingest.readings
    WHERE sensor_id = :sensor_id AND metric = :metric
      AND observed_at >= :start AND observed_at < :end
    ORDER BY observed_at LIMIT :limit
    """
)
# A bucket is judged by its trustworthy values; only one that has none shows its bad ones.
_BUCKETS = text(
    """
    SELECT date_bin(:width, observed_at, :origin) AS at,
           coalesce(avg(value) FILTER (WHERE quality < 2), avg(value)),
           coalesce(min(value) FILTER (WHERE quality < 2), min(value)),
           coalesce(max(value) FILTER (WHERE quality < 2), max(value)),
           count(*),
           (array_agg(value ORDER BY quality = 2, observed_at DESC))[1],
           count(*) FILTER (WHERE quality = 2)
    FROM ingest.readings
    WHERE sensor_id = :sensor_id AND metric = :metric
      AND observed_at >= :start AND observed_at < :end
    GROUP BY at ORDER BY at
    """
)


class Archive:
    """The stored readings, read only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def unit(self, metric: str) -> str | None:
        """Of a metric; None if the catalogue does not have it."""
        async with self._engine.connect() as connection:
            found = await connection.scalar(
                select(metrics.c.unit).where(metrics.c.metric == metric)
            )
            return None if found is None else str(found)

    async def has_sensor(self, sensor_id: str) -> bool:
        """Whether the registry knows it, placed or not, retired or not."""
        query = select(exists().where(sensors.c.sensor_id == sensor_id))
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(query))

    async def history(
        self, sensor_id: str, metric: str, unit: str, span: Span, points: int
    ) -> History:
        """At most `points` items, in order of time: single readings if they are few enough."""
        values = {"sensor_id": sensor_id, "metric": metric, "start": span.start, "end": span.end}
        async with self._engine.connect() as connection:
            items = await _items(connection, _RAW, values | {"limit": points + 1})
            if len(items) <= points:
                return History(sensor_id, metric, unit, 0, items)
            seconds = bucket_seconds(span, points)
            width = {"width": timedelta(seconds=seconds), "origin": ORIGIN}
            items = await _items(connection, _BUCKETS, values | width)
            return History(sensor_id, metric, unit, seconds, items)


async def _items(connection: AsyncConnection, query: Any, values: dict[str, Any]) -> list[Item]:
    rows = await connection.execute(query, values)
    return [Item(rfc3339(row[0]), *row[1:]) for row in rows]
