"""Chinese maps' coordinates against the published algorithm."""

import math

import pytest
from eviltransform import wgs2bd, wgs2gcj
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from services.ingest.registry.boundaries import load_areas
from services.ingest.registry.coordinates import (
    Crs,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)
from tests.unit.ingest.test_boundaries import NONE

Position = tuple[float, float]
# In and at the border: Zhaoqing's corners, Mohe, the mouth of the Heilongjiang, Kashgar, Hainan …
EDGES = [(122.3, 53.48), (134.7, 48.3), (73.6, 39.4), (109.6, 18.2), (97.5, 23.9), (124.3, 40.1)]


def metres(one: Position, other: Position) -> float:
    east = (one[0] - other[0]) * math.cos(math.radians(other[1]))
    return math.hypot(east, one[1] - other[1]) * 111_320


def zhaoqing() -> list[Position]:
    city = load_areas(441200, NONE)[0].shape
    west, south, east, north = city.bounds
    grid = [
        (west + (east - west) * x / 40, south + (north - south) * y / 40)
        for x in range(41)
        for y in range(41)
    ]
    return [point for point in grid if city.contains(Point(point))]


def test_every_point_of_a_grid_comes_back_within_the_bound() -> None:
    points = zhaoqing()
    assert len(points) > 500
    for point in points + EDGES:
        # The package's earth is 108 m smaller than the published one's: a centimetre of the shift.
        lat, lon = wgs2gcj(point[1], point[0])
        assert metres(to_wgs84((lon, lat), "gcj02"), point) < 0.02
        lat, lon = wgs2bd(point[1], point[0])
        assert metres(to_wgs84((lon, lat), "bd09"), point) < 0.02


@given(st.floats(73, 135), st.floats(4, 53))
def test_a_round_trip_is_exact(lon: float, lat: float) -> None:
    shown = wgs84_to_gcj02((lon, lat))
    assert gcj02_to_wgs84(shown) == pytest.approx((lon, lat), abs=1e-10)
    assert bd09_to_wgs84(gcj02_to_bd09(shown)) == pytest.approx((lon, lat), abs=1e-10)


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("point", [(2.35, 48.85), (-74.0, 40.7), (151.2, -33.9), (0.0, 0.0)])
def test_outside_of_china_nothing_is_shifted(crs: Crs, point: Position) -> None:
    assert to_wgs84(point, crs) == point
