"""Which area a point lies in: the district and town by their boundaries, and a computed H3 cell.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h3
from shapely import STRtree
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from services.ingest.registry.sensor import Location

CELL_RESOLUTION = 7  # about 5 km²

Outlines = Sequence[tuple[str, BaseGeometry]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A grid cell below a district or town. `polygon`: GeoJSON."""

    cell_id: str
    parent_id: str
    polygon: dict[str, Any]

    @property
    def name(self) -> str:
        """Its id without the filling that all cells of this resolution end with."""
        return self.cell_id.rstrip("f")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sensor stands. All None: outside of the city, `unplaced`."""

    district_id: str | None
    town_id: str | None
    cell_id: str | None


UNPLACED = Place(None, None, None)


class Atlas:
    """The districts and, where a city has them, the towns in them; indexed."""

    def __init__(
        self, districts: Outlines, towns: Sequence[tuple[str, str, BaseGeometry]] = ()
    ) -> None:
        """`districts`: (area_id, outline); `towns`: (area_id, district, outline)."""
        self._ids = [area_id for area_id, _ in districts]
        self._tree = STRtree([outline for _, outline in districts])
        self._towns = [(area_id, district) for area_id, district, _ in towns]
        self._town_tree = STRtree([outline for _, _, outline in towns])

    def place(self, location: Location | None) -> Place:
        """Where a location lies; on a border the first area counts."""
        if location is None:
            return UNPLACED
        point = Point(location.lon, location.lat)
        found = self._tree.query(point, predicate="intersects")
        if not len(found):
            return UNPLACED
        district = self._ids[min(found)]
        cell = h3.latlng_to_cell(location.lat, location.lon, CELL_RESOLUTION)
        return Place(district, self._town(point, district), str(cell))

    def _town(self, point: Point, district: str) -> str | None:
        if not self._towns:
            return None
        found = sorted(self._town_tree.query(point, predicate="intersects"))
        towns = (self._towns[number] for number in found)
        return next((town for town, parent in towns if parent == district), None)


def cell(cell_id: str, parent_id: str) -> Cell:
    """A cell with its outline."""
    ring = [[round(lng, 6), round(lat, 6)] for lat, lng in h3.cell_to_boundary(cell_id)]
    return Cell(cell_id, parent_id, {"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
