"""Which areas a point lies in, by the boundaries that the registry keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents.report import Spot
from shared.store.tables import areas

LEVELS = ("town", "district")  # the nearest first; cells are computed, the city is everything


@dataclass(frozen=True)
class Whereabouts:
    """`area_id`: the district, as incidents of sensors have it; `area_ids`: the nearest first."""

    area_id: str | None = None
    area_ids: tuple[str, ...] = ()
    name: str = ""


class Boundaries:
    """Boundaries in memory, read again when the registry has changed one."""

    def __init__(self) -> None:
        self._version: tuple[int, datetime | None] | None = None
        self._outlines: list[tuple[str, str, BaseGeometry]] = []

    async def find(self, connection: AsyncConnection, spot: Spot) -> Whereabouts:
        """Where a point is; nowhere, when it is outside of the city."""
        await self._refresh(connection)
        point = Point(spot.lon, spot.lat)
        found = {
            level: area_id
            for area_id, level, outline in reversed(self._outlines)
            if outline.intersects(point)
        }
        nearest = next((found[level] for level in LEVELS if level in found), None)
        return Whereabouts() if nearest is None else await above(connection, nearest)

    async def _refresh(self, connection: AsyncConnection) -> None:
        bounded = areas.c.level.in_(LEVELS) & areas.c.polygon.is_not(None)
        query = select(func.count(), func.max(areas.c.updated_at)).where(bounded)
        row = (await connection.execute(query)).one()
        version = (row[0], row[1])
        if version == self._version:
            return
        rows = await connection.execute(
            select(areas.c.area_id, areas.c.level, areas.c.polygon)
            .where(bounded)
            .order_by(areas.c.area_id)
        )
        self._outlines = [
            (row.area_id, row.level, shape(row.polygon)) for row in rows if row.polygon
        ]
        self._version = version


async def above(connection: AsyncConnection, area_id: str) -> Whereabouts:
    """An area and all that it lies in. Nowhere, when there is no such area."""
    found: list[tuple[str, str, str]] = []
    wanted: str | None = area_id
    while wanted is not None and wanted not in {one[0] for one in found}:
        query = select(areas.c.area_id, areas.c.level, areas.c.name_zh, areas.c.parent_id)
        row = (await connection.execute(query.where(areas.c.area_id == wanted))).first()
        if row is None:
            break
        found.append((row.area_id, row.level, row.name_zh))
        wanted = row.parent_id
    return _whereabouts(found)


def _whereabouts(found: Sequence[tuple[str, str, str]]) -> Whereabouts:
    if not found:
        return Whereabouts()
    named = [one for one in found if one[1] != "cell"] or list(found)
    district = next((one[0] for one in found if one[1] == "district"), found[-1][0])
    return Whereabouts(district, tuple(one[0] for one in found), named[0][2])
