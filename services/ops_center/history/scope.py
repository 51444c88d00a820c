"""Looks up in the registry what a question names: units, series, areas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ops_center.history.question import Selection
from services.ops_center.history.span import BadParameter

_UNIT = text("SELECT unit FROM ingest.metrics WHERE metric = :metric")
_PLACE = text("SELECT lon, lat FROM ingest.sensors WHERE sensor_id = :sensor_id")
_UNKNOWN = text(
    """
    SELECT * FROM (
        SELECT 'metric' AS parameter, wanted FROM unnest(CAST(:metrics AS text[])) AS wanted
        WHERE NOT EXISTS (SELECT FROM ingest.metrics WHERE metric = wanted)
        UNION ALL
        SELECT 'sensor_id', wanted FROM unnest(CAST(:sensor_ids AS text[])) AS wanted
        WHERE NOT EXISTS (SELECT FROM ingest.sensors WHERE sensor_id = wanted)
        UNION ALL
        SELECT 'area_id', wanted FROM unnest(CAST(:area_ids AS text[])) AS wanted
        WHERE NOT EXISTS (SELECT FROM ingest.areas WHERE area_id = wanted)
    ) AS unknown LIMIT 1
    """
)
_BELOW = """
WITH RECURSIVE below AS (
    SELECT area_id FROM ingest.areas WHERE area_id = ANY (:area_ids)
    UNION SELECT a.area_id FROM ingest.areas AS a JOIN below ON a.parent_id = below.area_id
)
"""
_IN_AREAS = """
(CAST(:area_ids AS text[]) IS NULL OR area_id IN (SELECT area_id FROM below)
 OR cell_id IN (SELECT area_id FROM below))
"""
_SENSORS = text(
    f"""
    {_BELOW}, inside AS (
        SELECT area_id FROM ingest.areas WHERE area_id = ANY (:within)
        UNION SELECT a.area_id FROM ingest.areas AS a JOIN inside ON a.parent_id = inside.area_id
    )
    SELECT sensor_id FROM ingest.sensors
    WHERE {_IN_AREAS}
      AND (CAST(:within AS text[]) IS NULL OR area_id IN (SELECT area_id FROM inside)
           OR cell_id IN (SELECT area_id FROM inside))
      AND (CAST(:sensor_ids AS text[]) IS NULL OR sensor_id = ANY (:sensor_ids))
      AND (CAST(:metrics AS text[]) IS NULL OR metrics && :metrics)
    ORDER BY sensor_id
    """
)
_SERIES = text(
    """
    SELECT s.sensor_id, m.metric, m.unit, s.lon, s.lat, m.interval_seconds
    FROM ingest.sensors AS s
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(s.metrics) AS metric) AS u
    JOIN ingest.metrics AS m ON m.metric = u.metric
    WHERE s.sensor_id = ANY (:sensor_ids)
      AND (CAST(:metrics AS text[]) IS NULL OR m.metric = ANY (:metrics))
      AND (CAST(:domains AS text[]) IS NULL OR m.domain = ANY (:domains))
    ORDER BY s.sensor_id, m.metric
    """
)
# Downwards from the areas of the level that is asked for, to those that have the sensors: their
# districts and grid cells.
_MEMBERS = text(
    f"""
    {_BELOW}, down AS (
        SELECT area_id AS top, area_id FROM ingest.areas WHERE level = :level
        UNION SELECT down.top, a.area_id FROM ingest.areas AS a JOIN down
        ON a.parent_id = down.area_id
    ), chosen AS MATERIALIZED (
        SELECT sensor_id, area_id, cell_id FROM ingest.sensors
        WHERE :metric = ANY (metrics) AND {_IN_AREAS}
    )
    SELECT top AS area_id, sensor_id FROM chosen JOIN down USING (area_id)
    UNION
    SELECT top, sensor_id FROM chosen JOIN down ON down.area_id = cell_id
    ORDER BY area_id, sensor_id
    """
)
_LEVELS = text("SELECT DISTINCT level FROM ingest.areas ORDER BY level")
_NAMES = text(
    "SELECT area_id, name_zh, name_en FROM ingest.areas WHERE area_id = ANY (:area_ids)"
    " ORDER BY area_id"
)
_WITHIN = text(f"{_BELOW} SELECT area_id FROM below")
_LONGEST_INTERVAL = text("SELECT max(interval_seconds) FROM ingest.metrics")


@dataclass(frozen=True, slots=True)
class Members:
    """Sensors and, at the same position, the position of each one's area in `areas`. Those of an
    area lie together, in the order of the areas."""

    areas: Sequence[RowMapping]
    sensor_ids: list[str]
    places: list[int]

    def parts(self, most: int) -> list["Members"]:
        """The same in at most `most` parts of about the same size, each with whole areas."""
        found: list[Members] = []
        begun = end = 0
        for _, same in groupby(self.places):
            end += len(list(same))
            if (end - begun) * most >= len(self.places) or end == len(self.places):
                found.append(
                    Members(self.areas, self.sensor_ids[begun:end], self.places[begun:end])
                )
                begun = end
        return found


async def unit(connection: AsyncConnection, metric: str) -> str:
    """Of a metric that there is."""
    return str(await connection.scalar(_UNIT, {"metric": metric}))


async def place(connection: AsyncConnection, sensor_id: str) -> tuple[float, float] | None:
    """(lon, lat), WGS 84."""
    row = (await connection.execute(_PLACE, {"sensor_id": sensor_id})).first()
    return None if row is None or None in row else (row[0], row[1])


async def refuse_unknown(connection: AsyncConnection, selection: Selection) -> None:
    """Raises `BadParameter` for a name that the registry does not have."""
    values = {
        "metrics": list(selection.metrics),
        "sensor_ids": list(selection.sensor_ids),
        "area_ids": list(selection.area_ids),
    }
    row = (await connection.execute(_UNKNOWN, values)).first()
    if row is not None:
        kind = row.parameter.removesuffix("_id")
        raise BadParameter(row.parameter, f"there is no {kind} {row.wanted}", f"unknown_{kind}")


async def sensors_of(connection: AsyncConnection, selection: Selection) -> list[str]:
    """In order; retired ones too."""
    names = ("sensor_ids", "metrics", "area_ids", "within")
    values = {name: list(getattr(selection, name)) or None for name in names}
    return list((await connection.scalars(_SENSORS, values)).all())


async def refuse_outside(
    connection: AsyncConnection, sensor_id: str, within: Sequence[str]
) -> None:
    """Raises `BadParameter` as if there were no such sensor, unless it is in one of the areas."""
    inside = Selection(sensor_ids=(sensor_id,), within=tuple(within))
    if within and not await sensors_of(connection, inside):
        raise BadParameter("sensor_id", f"there is no sensor {sensor_id}", "unknown_sensor")


async def series_of(
    connection: AsyncConnection, sensor_ids: Sequence[str], selection: Selection
) -> Sequence[Any]:
    """(sensor_id, metric, unit, lon, lat, interval_seconds) of every selected series of some
    sensors."""
    values = {"sensor_ids": list(sensor_ids), **kinds(selection)}
    return (await connection.execute(_SERIES, values)).all()


def kinds(selection: Selection) -> Mapping[str, list[str] | None]:
    """The values of `:metrics` and `:domains`."""
    return {"metrics": list(selection.metrics) or None, "domains": list(selection.domains) or None}


async def members(
    connection: AsyncConnection, metric: str, level: str, area_ids: Sequence[str]
) -> Members:
    """The sensors of a metric by their areas of a level. Raises `BadParameter`."""
    values = {"metric": metric, "level": level, "area_ids": list(area_ids) or None}
    rows = (await connection.execute(_MEMBERS, values)).all()
    if not rows:
        await _refuse_level(connection, level)
    wanted = sorted({row.area_id for row in rows})
    areas = (await connection.execute(_NAMES, {"area_ids": wanted})).mappings().all()
    numbers = {area["area_id"]: number for number, area in enumerate(areas)}
    return Members(areas, [r.sensor_id for r in rows], [numbers[r.area_id] for r in rows])


async def _refuse_level(connection: AsyncConnection, level: str) -> None:
    levels = list((await connection.scalars(_LEVELS)).all())
    if level not in levels:
        raise BadParameter("group_by", f"one of the areas' levels: {', '.join(levels)}")


async def within(connection: AsyncConnection, area_ids: Sequence[str]) -> set[str]:
    """These areas and all below them."""
    return set((await connection.scalars(_WITHIN, {"area_ids": list(area_ids)})).all())


async def longest_interval(connection: AsyncConnection) -> int:
    """Seconds, over all metrics."""
    return int(await connection.scalar(_LONGEST_INTERVAL) or 0)
