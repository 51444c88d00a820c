"""The registry in the database."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shapely.geometry import shape
from sqlalchemy import RowMapping, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.registry import saving
from services.ingest.registry.area_files import Known
from services.ingest.registry.atlas import Cell
from services.ingest.registry.boundaries import Area
from services.ingest.registry.catalogue import Definition
from services.ingest.registry.changes import EACH_AT_MOST, registered, towns_replaced
from services.ingest.registry.sensor import Location, Sensor, SensorFilter
from shared.store.audit import SYSTEM, Action, By, record, record_change, said
from shared.store.locks import Lock, hold
from shared.store.tables import areas, ingest_audit, metric_classes, metrics, retention, sensors

PAGE = 1_000
_ORDER = ("city", "district", "town", "cell")


class Repository:
    """Sensors, metrics and areas."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all_sensors(self) -> list[Sensor]:
        """Every sensor."""
        async with self._engine.connect() as connection:
            return await all_sensors(connection)

    async def list_sensors(self, wanted: SensorFilter, limit: int) -> list[Sensor]:
        """By id, at most `limit`."""
        query = _narrowed(select(sensors), wanted).order_by(sensors.c.sensor_id).limit(limit)
        async with self._engine.connect() as connection:
            return [_sensor(row) for row in (await connection.execute(query)).mappings()]

    async def each_sensor(self, wanted: SensorFilter) -> AsyncIterator[Sequence[Sensor]]:
        """All of them, by id, page by page."""
        while page := await self.list_sensors(wanted, PAGE):
            yield page
            wanted = replace(wanted, after=page[-1].sensor_id)

    async def sensor(self, sensor_id: str) -> Sensor | None:
        """One sensor."""
        found = await self.find_sensors([sensor_id])
        return found[0] if found else None

    async def find_sensors(self, sensor_ids: Sequence[str]) -> list[Sensor]:
        """Those of them that are registered."""
        if not sensor_ids:
            return []
        query = select(sensors).where(sensors.c.sensor_id == func.any(list(sensor_ids)))
        async with self._engine.connect() as connection:
            return [_sensor(row) for row in (await connection.execute(query)).mappings()]

    async def changes_since(self, moment: datetime) -> dict[str, datetime]:
        """The sensors changed at or after `moment`, and when."""
        query = select(sensors.c.sensor_id, sensors.c.updated_at)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.where(sensors.c.updated_at >= moment))
            return {row.sensor_id: row.updated_at for row in rows}

    async def save(self, made: Sequence[Sensor], cells: Iterable[Cell], by: By = SYSTEM) -> None:
        """Make or replace sensors, and the cells they stand in."""
        async with self._engine.begin() as connection:
            before = await _few(connection, made)
            await saving.save_sensors(connection, made)
            await saving.save_cells(connection, cells)
            await record(connection, ingest_audit, by, *registered(before, made))

    async def all_metrics(self) -> list[Definition]:
        """The catalogue, by code."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(metrics).order_by(metrics.c.metric))
            return [Definition.model_construct(**row) for row in rows.mappings()]

    async def kept_days(self) -> dict[str, int]:
        """Metric → days that its readings are kept, for those that are not kept for ever."""
        name = func.coalesce(metric_classes.c["class"], "standard")
        query = (
            select(metrics.c.metric, retention.c.raw_days)
            .join(metric_classes, metric_classes.c.metric == metrics.c.metric, isouter=True)
            .join(retention, retention.c["class"] == name)
            .where(retention.c.raw_days.is_not(None))
        )
        async with self._engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def save_metric(self, metric: Definition, by: By = SYSTEM) -> None:
        """Make or replace a metric as somebody has edited it."""
        async with self._engine.begin() as connection:
            query = select(metrics).where(metrics.c.metric == metric.metric)
            row = (await connection.execute(query)).mappings().first()
            before = None if row is None else Definition.model_construct(**row)
            await saving.save_metrics(connection, [metric], edited=True)
            was, now = said(before, "updated_at"), said(metric, "updated_at")
            action = Action("metric.defined", metric.metric, metric.updated_at, was, now)
            await record_change(connection, ingest_audit, by, action)

    async def is_measured(self, metric: str) -> bool:
        """True when a sensor, retired or not, has the metric."""
        query = select(sensors.c.sensor_id).where(sensors.c.metrics.any(metric)).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def all_areas(self, polygons: bool, level: str | None = None) -> list[dict[str, Any]]:
        """The city, its districts, their towns, then cells; of one `level`, if it is named."""
        columns = [c for c in areas.c if polygons or c.name != "polygon"]
        rank = func.array_position(list(_ORDER), areas.c.level)
        query = select(*columns).order_by(rank, areas.c.area_id)
        if level is not None:
            query = query.where(areas.c.level == level)
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def area_parents(self) -> dict[str, str | None]:
        """Area → the area it lies in; without the grid, whose cells sensors name themselves."""
        query = select(areas.c.area_id, areas.c.parent_id).where(areas.c.level != "cell")
        async with self._engine.connect() as connection:
            return {row.area_id: row.parent_id for row in await connection.execute(query)}

    async def areas_changed_at(self) -> datetime | None:
        """When a district or town changed last."""
        query = select(func.max(areas.c.updated_at)).where(areas.c.level != "cell")
        async with self._engine.connect() as connection:
            moment: datetime | None = await connection.scalar(query)
            return moment

    async def known_areas(self) -> Known:
        """Districts and towns with their outlines, and every id that is taken otherwise."""
        async with self._engine.connect() as connection:
            return await known_areas(connection)

    async def replace_towns(
        self, wanted: Sequence[Area], removed: Iterable[str], moved: Sequence[Sensor],
        cells: Iterable[Cell], by: By = SYSTEM,
    ) -> None:  # fmt: skip
        """Towns as an import wants them, and the sensors as they lie then."""
        async with self._engine.begin() as connection:
            await hold(connection, Lock.REGISTRY)
            gone = list(removed)
            await saving.remove_areas(connection, gone)
            await saving.save_areas(connection, wanted)
            await saving.save_sensors(connection, moved)
            await saving.save_cells(connection, cells)
            await record(connection, ingest_audit, by, towns_replaced(wanted, gone, moved))


async def _few(connection: AsyncConnection, made: Sequence[Sensor]) -> dict[str, Sensor]:
    """What few sensors were before; of many that would be too much to keep."""
    if len(made) > EACH_AT_MOST:
        return {}
    query = select(sensors).where(sensors.c.sensor_id.in_([one.sensor_id for one in made]))
    rows = (await connection.execute(query)).mappings()
    return {row["sensor_id"]: _sensor(row) for row in rows}


async def all_sensors(connection: AsyncConnection) -> list[Sensor]:
    """Every sensor."""
    return [_sensor(row) for row in (await connection.execute(select(sensors))).mappings()]


async def known_areas(connection: AsyncConnection) -> Known:
    """See `Repository.known_areas`."""
    query = select(areas).where(areas.c.level.in_(("city", "district", "town")))
    rows = (await connection.execute(query.order_by(areas.c.area_id))).mappings()
    found = [_area(row) for row in rows if row["polygon"] is not None]
    return Known(
        [area for area in found if area.level == "district"],
        [area for area in found if area.level == "town"],
        {area.area_id for area in found if area.level == "city"},
    )


def _area(row: RowMapping) -> Area:
    outline = shape(row["polygon"])
    inside = outline.representative_point()
    names = (row["area_id"], row["parent_id"], row["level"], row["name_zh"], row["name_en"])
    return Area(*names, outline, (inside.x, inside.y))


def _narrowed(query: "Select[Any]", wanted: SensorFilter) -> "Select[Any]":
    if wanted.area_id is not None:
        query = query.where(_within(wanted.area_id))
    if wanted.lent:
        query = query.where(or_(*(_within(area_id) for area_id in sorted(wanted.lent))))
    if wanted.metric is not None:
        query = query.where(sensors.c.metrics.any(wanted.metric))
    if wanted.domain is not None:
        codes = select(func.array_agg(metrics.c.metric)).where(metrics.c.domain == wanted.domain)
        query = query.where(sensors.c.metrics.op("&&")(codes.scalar_subquery()))
    if wanted.retired is not None:
        query = query.where(sensors.c.retired.is_(wanted.retired))
    if wanted.unplaced is not None:
        is_unplaced = sensors.c.area_id.is_(None)
        query = query.where(is_unplaced if wanted.unplaced else ~is_unplaced)
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        query = query.where(sensors.c.lon.between(west, east), sensors.c.lat.between(south, north))
    if wanted.q:
        query = query.where(
            or_(
                sensors.c.sensor_id.icontains(wanted.q, autoescape=True),
                sensors.c.name.icontains(wanted.q, autoescape=True),
            )
        )
    if wanted.after is not None:
        query = query.where(sensors.c.sensor_id > wanted.after)
    return query


def _within(area_id: str) -> Any:
    """The sensor lies in an area of any level."""
    below = select(areas.c.area_id).where(areas.c.parent_id == area_id)
    return or_(
        sensors.c.area_id == area_id,
        sensors.c.town_id == area_id,
        sensors.c.cell_id == area_id,
        sensors.c.area_id.in_(below),
    )


def _sensor(row: RowMapping) -> Sensor:
    placed = row["lon"] is not None and row["lat"] is not None
    location = Location(lon=row["lon"], lat=row["lat"]) if placed else None
    return Sensor(
        sensor_id=row["sensor_id"],
        name=row["name"],
        metrics=tuple(row["metrics"]),
        location=location,
        area_id=row["area_id"],
        town_id=row["town_id"],
        cell_id=row["cell_id"],
        retired=row["retired"],
        updated_at=row["updated_at"],
    )
