"""Reads what the other services have written: registry, newest readings, open incidents."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.feed import Loaded
from services.ops_center.picture import Latest
from services.ops_center.registry import Area, Registry, Sensor, SeriesKey
from shared.contracts.incident import Incident
from shared.contracts.live import MetricInfo
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.store.tables import areas, incidents, metrics, progress, sensors

BAD_QUALITY = 2

# One index probe per series, on every edition; a hypertable's chunks are taken newest first.
_LATEST = text(
    """
    SELECT s.sensor_id, s.metric, r.value, r.quality,
           (extract(epoch FROM r.observed_at) * 1000000)::bigint AS observed_us
    FROM unnest(CAST(:sensor_ids AS text[]), CAST(:metrics AS text[])) AS s (sensor_id, metric)
    CROSS JOIN LATERAL (
        SELECT value, quality, observed_at FROM ingest.readings
        WHERE sensor_id = s.sensor_id AND metric = s.metric
        ORDER BY observed_at DESC LIMIT 1
    ) AS r
    """
)


class Repository:
    """The database as the live picture and the map need it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self, incarnation: str) -> Loaded:
        """See `Loader.load`."""
        async with self._snapshot() as connection:
            registry = await _registry(connection)
            latest = await _latest(connection, registry.index.keys())
            query = select(progress.c.partition, progress.c.next_offset).where(
                progress.c.topic == READINGS, progress.c.incarnation == incarnation
            )
            stored = {row[0]: row[1] for row in await connection.execute(query)}
            return Loaded(registry, latest, stored, await _open_incidents(connection))

    async def fingerprint(self) -> str:
        """See `Loader.fingerprint`."""
        async with self._snapshot() as connection:
            of_sensors = select(func.count(), func.max(sensors.c.updated_at)).select_from(sensors)
            of_metrics = select(func.count(), func.max(metrics.c.updated_at)).select_from(metrics)
            found = [(await connection.execute(query)).one() for query in (of_sensors, of_metrics)]
            return str(found)

    async def refresh(
        self, known: Collection[SeriesKey]
    ) -> tuple[Registry, Mapping[SeriesKey, Latest]]:
        """See `Loader.refresh`."""
        async with self._snapshot() as connection:
            registry = await _registry(connection)
            return registry, await _latest(connection, registry.index.keys() - set(known))

    async def sensor_counts(self) -> dict[str, int]:
        """How many sensors there are, and how many of them have no place."""
        unplaced = func.count().filter(sensors.c.lon.is_(None))
        query = select(func.count(), unplaced).where(sensors.c.retired.is_(False))
        async with self._engine.connect() as connection:
            total, nowhere = (await connection.execute(query)).one()
        return {"total": total, "unplaced": nowhere}

    async def boundaries(self) -> list[tuple[Area, str, str]]:
        """The city and its districts: (area, level, GeoJSON geometry as text)."""
        query = text(
            "SELECT area_id, parent_id, name_zh, name_en, level, polygon::text FROM ingest.areas"
            " WHERE level IN ('city', 'district') AND polygon IS NOT NULL ORDER BY level, area_id"
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [(Area(*row[:4]), row[4], row[5]) for row in rows]

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        """One moment of the database for all queries. Raises `Unavailable`."""
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                yield connection
        except DBAPIError as error:
            raise Unavailable(f"database: {error.orig}") from error


async def _registry(connection: AsyncConnection) -> Registry:
    columns = (areas.c.area_id, areas.c.parent_id, areas.c.name_zh, areas.c.name_en)
    found_areas = await connection.execute(
        select(*columns).where(areas.c.level.in_(("city", "district")))
    )
    found_metrics = await connection.execute(
        select(*(metrics.c[name] for name in MetricInfo.__struct_fields__))
    )
    names = ("sensor_id", "name", "lon", "lat", "area_id", "metrics", "town_id", "cell_id")
    placed = select(*(sensors.c[name] for name in names)).where(
        sensors.c.lon.is_not(None), sensors.c.lat.is_not(None), sensors.c.retired.is_(False)
    )
    content = (
        [Area(*row) for row in found_areas],
        [MetricInfo(*row) for row in found_metrics],
        [_sensor(row) for row in await connection.execute(placed)],
    )
    return await asyncio.to_thread(Registry, *content)  # 100 ms for 20,000 sensors


def _sensor(row: Row[Any]) -> Sensor:
    within = tuple(place for place in (row.town_id, row.cell_id) if place is not None)
    metrics = tuple(row.metrics)
    return Sensor(row.sensor_id, row.name, row.lon, row.lat, row.area_id, metrics, within)


async def _latest(
    connection: AsyncConnection, series: Collection[SeriesKey]
) -> dict[SeriesKey, Latest]:
    if not series:
        return {}
    wanted = {"sensor_ids": [one[0] for one in series], "metrics": [one[1] for one in series]}
    rows = await connection.execute(_LATEST, wanted)
    return {
        (row.sensor_id, row.metric): Latest(row.observed_us, row.value, row.quality == BAD_QUALITY)
        for row in rows
    }


async def _open_incidents(connection: AsyncConnection) -> list[bytes]:
    rows = await connection.execute(select(incidents).where(incidents.c.state != "closed"))
    return [
        Incident.model_validate(dict(row)).model_dump_json().encode() for row in rows.mappings()
    ]
