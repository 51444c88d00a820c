"""Which area a point lies in: the district by its boundary, below it a computed H3 cell. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h3
from shapely import STRtree
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from services.ingest.registry.sensor import Location

CELL_RESOLUTION = 7  # about 5 km²


@dataclass(frozen=True, slots=True)
class Cell:
    """A grid cell below a district. `polygon`: GeoJSON."""

    cell_id: str
    district_id: str
    polygon: dict[str, Any]

    @property
    def name(self) -> str:
        """Its id without the filling that all cells of this resolution end with."""
        return self.cell_id.rstrip("f")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sensor stands. Both None: outside of the city, `unplaced`."""

    district_id: str | None
    cell_id: str | None


UNPLACED = Place(None, None)


class Atlas:
    """The districts, indexed. `districts`: (area_id, outline)."""

    def __init__(self, districts: Sequence[tuple[str, BaseGeometry]]) -> None:
        self._ids = [area_id for area_id, _ in districts]
        self._tree = STRtree([outline for _, outline in districts])

    def place(self, location: Location | None) -> Place:
        """District and cell of a location; on a border the first district counts."""
        if location is None:
            return UNPLACED
        found = self._tree.query(Point(location.lon, location.lat), predicate="intersects")
        if not len(found):
            return UNPLACED
        cell = h3.latlng_to_cell(location.lat, location.lon, CELL_RESOLUTION)
        return Place(self._ids[min(found)], str(cell))


def cell(cell_id: str, district_id: str) -> Cell:
    """A cell with its outline."""
    ring = [[round(lng, 6), round(lat, 6)] for lat, lng in h3.cell_to_boundary(cell_id)]
    return Cell(cell_id, district_id, {"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
