"""Writing the registry to the database, inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.registry.atlas import Cell
from services.ingest.registry.boundaries import Area
from services.ingest.registry.catalogue import Definition
from services.ingest.registry.sensor import Sensor
from shared.store.tables import areas, metrics

ROWS_AT_ONCE = 1_000
_SENSORS_AT_ONCE = 5_000
_METRICS = list(Definition.model_fields)
_SENSOR_COLUMNS = {
    "sensor_id": "text",
    "name": "text",
    "metrics": "text[]",
    "lon": "double precision",
    "lat": "double precision",
    "area_id": "text",
    "town_id": "text",
    "cell_id": "text",
    "retired": "boolean",
    "updated_at": "timestamptz",
}
# One statement for thousands of rows: a tenth of the time of a statement each.
_SAVE_SENSORS = text(
    f"INSERT INTO ingest.sensors ({', '.join(_SENSOR_COLUMNS)})"
    f" SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
    f" AS r ({', '.join(f'{name} {kind}' for name, kind in _SENSOR_COLUMNS.items())})"
    f" ON CONFLICT (sensor_id) DO UPDATE SET"
    f" {', '.join(f'{name} = excluded.{name}' for name in _SENSOR_COLUMNS if name != 'sensor_id')}"
)


async def save_sensors(connection: AsyncConnection, made: Sequence[Sensor]) -> None:
    """Make or replace; the last of several with one id counts."""
    rows = [_row(sensor) for sensor in {sensor.sensor_id: sensor for sensor in made}.values()]
    for start in range(0, len(rows), _SENSORS_AT_ONCE):
        some = msgspec.json.encode(rows[start : start + _SENSORS_AT_ONCE]).decode()
        await connection.execute(_SAVE_SENSORS, {"rows": some})


async def save_cells(connection: AsyncConnection, cells: Iterable[Cell]) -> None:
    """Make or replace."""
    rows = [
        {
            "area_id": cell.cell_id,
            "parent_id": cell.parent_id,
            "level": "cell",
            "name_zh": f"网格 {cell.name}",
            "name_en": f"Cell {cell.name}",
            "polygon": cell.polygon,
        }
        for cell in cells
    ]
    await _save_areas(connection, rows)


async def save_areas(connection: AsyncConnection, found: Iterable[Area]) -> None:
    """Make or replace areas that have boundaries of their own."""
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
    await _save_areas(connection, rows)


async def remove_areas(connection: AsyncConnection, area_ids: Iterable[str]) -> None:
    """Remove them, and the cells and towns that this leaves without a parent."""
    gone = list(area_ids)
    while gone:
        await connection.execute(delete(areas).where(areas.c.area_id.in_(gone)))
        orphans = delete(areas).where(areas.c.parent_id.in_(gone)).returning(areas.c.area_id)
        gone = list(await connection.scalars(orphans))


async def save_metrics(
    connection: AsyncConnection, wanted: Sequence[Definition], *, edited: bool = False
) -> None:
    """Make or replace; unless `edited`, metrics that people have edited are left as they are.
    A row that is already as wanted is not touched."""
    statement = insert(metrics)
    values = {name: statement.excluded[name] for name in _METRICS if name != "metric"}
    content = [name for name in values if name != "updated_at"]
    changed = or_(*(metrics.c[name].is_distinct_from(values[name]) for name in content))
    where = changed if edited else (metrics.c.origin == "catalogue") & changed
    statement = statement.on_conflict_do_update(index_elements=["metric"], set_=values, where=where)
    await connection.execute(statement, [one.model_dump(include=set(_METRICS)) for one in wanted])


async def _save_areas(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    statement = insert(areas)
    names = ("parent_id", "level", "name_zh", "name_en", "polygon")
    values = {name: statement.excluded[name] for name in names}
    changed = or_(*(areas.c[name].is_distinct_from(values[name]) for name in names))
    statement = statement.on_conflict_do_update(
        index_elements=["area_id"], set_=values | {"updated_at": text("now()")}, where=changed
    )
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await connection.execute(statement, rows[start : start + ROWS_AT_ONCE])


def _row(sensor: Sensor) -> dict[str, Any]:
    place = sensor.location
    return sensor.model_dump(exclude={"location"}) | {
        "lon": place.lon if place else None,
        "lat": place.lat if place else None,
    }
