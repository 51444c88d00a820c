"""The registry in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.registry.atlas import Cell
from services.ingest.registry.boundaries import Area
from services.ingest.registry.catalogue import Metric
from services.ingest.registry.sensor import Location, Sensor, SensorFilter
from shared.store.tables import areas, metrics, sensors

ROWS_AT_ONCE = 1_000
_SENSOR_COLUMNS = ("name", "metrics", "lon", "lat", "area_id", "cell_id", "retired", "updated_at")


class Repository:
    """Sensors, metrics and areas."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all_sensors(self) -> list[Sensor]:
        """Every sensor."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(sensors))
            return [_sensor(row) for row in rows.mappings()]

    async def list_sensors(self, wanted: SensorFilter, limit: int) -> list[Sensor]:
        """By id, at most `limit`."""
        query = _narrowed(select(sensors), wanted).order_by(sensors.c.sensor_id).limit(limit)
        async with self._engine.connect() as connection:
            return [_sensor(row) for row in (await connection.execute(query)).mappings()]

    async def sensor(self, sensor_id: str) -> Sensor | None:
        """One sensor."""
        async with self._engine.connect() as connection:
            query = select(sensors).where(sensors.c.sensor_id == sensor_id)
            row = (await connection.execute(query)).mappings().first()
            return None if row is None else _sensor(row)

    async def save(self, made: Sequence[Sensor], cells: Iterable[Cell]) -> None:
        """Make or replace sensors, and the cells they stand in."""
        async with self._engine.begin() as connection:
            await save_sensors(connection, made)
            await save_cells(connection, cells)

    async def all_metrics(self) -> list[dict[str, Any]]:
        """The catalogue, by code."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(metrics).order_by(metrics.c.metric))
            return [dict(row) for row in rows.mappings()]

    async def all_areas(self, polygons: bool) -> list[dict[str, Any]]:
        """Every area: the city, its districts, then cells."""
        columns = [c for c in areas.c if polygons or c.name != "polygon"]
        order = (func.length(areas.c.area_id), areas.c.area_id)
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(*columns).order_by(*order))
            return [dict(row) for row in rows.mappings()]

    async def area_parents(self) -> dict[str, str | None]:
        """Area → the area it lies in; without the grid, whose cells sensors name themselves."""
        query = select(areas.c.area_id, areas.c.parent_id).where(areas.c.level != "cell")
        async with self._engine.connect() as connection:
            return {row.area_id: row.parent_id for row in await connection.execute(query)}

    async def districts(self) -> list[tuple[str, dict[str, Any]]]:
        """(area_id, GeoJSON geometry) of every district."""
        query = select(areas.c.area_id, areas.c.polygon).where(areas.c.level == "district")
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(areas.c.area_id))
            return [(row.area_id, row.polygon) for row in rows]


async def has_sensors(connection: AsyncConnection) -> bool:
    """False in a fresh database."""
    query = select(sensors.c.sensor_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def save_sensors(connection: AsyncConnection, made: Sequence[Sensor]) -> None:
    """Make or replace; the last of several with one id counts."""
    rows = list({sensor.sensor_id: _row(sensor) for sensor in made}.values())
    statement = insert(sensors)
    changed = {name: statement.excluded[name] for name in _SENSOR_COLUMNS}
    statement = statement.on_conflict_do_update(index_elements=["sensor_id"], set_=changed)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await connection.execute(statement, rows[start : start + ROWS_AT_ONCE])


async def save_cells(connection: AsyncConnection, cells: Iterable[Cell]) -> None:
    """Make those that are missing."""
    rows = [
        {
            "area_id": cell.cell_id,
            "parent_id": cell.district_id,
            "level": "cell",
            "name_zh": f"网格 {cell.name}",
            "name_en": f"Cell {cell.name}",
            "polygon": cell.polygon,
        }
        for cell in cells
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        await connection.execute(insert(areas).on_conflict_do_nothing(), some)


async def save_areas(connection: AsyncConnection, found: Sequence[Area]) -> None:
    """Make or replace the city and its districts."""
    rows = [
        {
            "area_id": area.area_id,
            "parent_id": area.parent_id,
            "level": area.level,
            "name_zh": area.name_zh,
            "name_en": area.name_en,
            "polygon": area.polygon,
        }
        for area in found
    ]
    await _replace(connection, areas, "area_id", rows)


async def save_metrics(connection: AsyncConnection, catalogue: Mapping[str, Metric]) -> None:
    """Make or replace the catalogue's metrics."""
    rows = [
        {
            "metric": code,
            "domain": metric.domain,
            "unit": metric.unit,
            "name_zh": metric.zh,
            "name_en": metric.en,
            "minimum": metric.plausible[0],
            "maximum": metric.plausible[1],
            "normal_low": metric.normal[0],
            "normal_high": metric.normal[1],
            "interval_seconds": metric.interval,
            "max_age_seconds": metric.max_age,
        }
        for code, metric in catalogue.items()
    ]
    await _replace(connection, metrics, "metric", rows)


async def lock_seed(connection: AsyncConnection) -> None:
    """Until the transaction ends, nobody else seeds."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(441202)"))


async def _replace(
    connection: AsyncConnection, table: Any, key: str, rows: list[dict[str, Any]]
) -> None:
    statement = insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.c if c.name != key}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[key], set_=changed), rows
    )


def _narrowed(query: "Select[Any]", wanted: SensorFilter) -> "Select[Any]":
    if wanted.area_id is not None:
        below = select(areas.c.area_id).where(areas.c.parent_id == wanted.area_id)
        query = query.where(
            or_(
                sensors.c.area_id == wanted.area_id,
                sensors.c.cell_id == wanted.area_id,
                sensors.c.area_id.in_(below),
            )
        )
    if wanted.metric is not None:
        query = query.where(sensors.c.metrics.any(wanted.metric))
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


def _row(sensor: Sensor) -> dict[str, Any]:
    place = sensor.location
    return sensor.model_dump(exclude={"location", "metrics"}) | {
        "metrics": list(sensor.metrics),
        "lon": place.lon if place else None,
        "lat": place.lat if place else None,
    }


def _sensor(row: RowMapping) -> Sensor:
    placed = row["lon"] is not None and row["lat"] is not None
    location = Location(lon=row["lon"], lat=row["lat"]) if placed else None
    updated_at: datetime = row["updated_at"]
    return Sensor(
        sensor_id=row["sensor_id"],
        name=row["name"],
        metrics=tuple(row["metrics"]),
        location=location,
        area_id=row["area_id"],
        cell_id=row["cell_id"],
        retired=row["retired"],
        updated_at=updated_at,
    )
