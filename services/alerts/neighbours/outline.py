"""Where a CAP message says that danger is: its polygons and circles as rings. Pure."""

import math
from collections.abc import Sequence
from typing import Final

from shapely.geometry import Polygon

Ring = list[tuple[float, float]]  # (longitude, latitude), WGS 84, closed
KM_AT_MOST = 1_000.0
CORNERS = 48  # of a circle
POINTS_SHOWN = 500  # of all rings of a message: every screen gets them
TOLERANCE_DEGREES = 0.002  # some 200 m
_KM_PER_DEGREE: Final = 111.195


def polygon(text: str) -> Ring:
    """`lat,lon lat,lon …`, at least four, the last one the first. Raises ValueError."""
    ring = [_point(pair) for pair in text.split()]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ValueError("a polygon has at least four points, of which the last is the first")
    return ring


def circle(text: str) -> Ring:
    """`lat,lon radius`, the radius in kilometres. Raises ValueError."""
    parts = text.split()
    radius = _number(parts[1]) if len(parts) == 2 else -1.0
    if not 0 <= radius <= KM_AT_MOST:
        raise ValueError(f"a circle is lat,lon and a radius of at most {KM_AT_MOST:g} km")
    lon, lat = _point(parts[0])
    north = max(radius, 0.1) / _KM_PER_DEGREE
    east = north / max(math.cos(math.radians(lat)), 0.01)
    turns = [2 * math.pi * corner / CORNERS for corner in range(CORNERS)]
    ring = [(lon + east * math.cos(turn), lat + north * math.sin(turn)) for turn in turns]
    return [*ring, ring[0]]


def simplified(rings: Sequence[Ring]) -> list[Ring]:
    """The same, as coarse as it takes for all of them to have at most `POINTS_SHOWN`; what is too
    small to be seen then is left out."""
    found, tolerance = list(rings), TOLERANCE_DEGREES
    while sum(map(len, found)) > POINTS_SHOWN:
        coarse = [Polygon(ring).simplify(tolerance, preserve_topology=False) for ring in rings]
        whole = [one for one in coarse if isinstance(one, Polygon) and not one.is_empty]
        found = [list(one.exterior.coords) for one in whole]
        tolerance *= 2
    return found


def _point(pair: str) -> tuple[float, float]:
    lat, _, lon = pair.partition(",")
    at = _number(lon), _number(lat)
    if not (abs(at[0]) <= 180 and abs(at[1]) <= 90):
        raise ValueError(f"{pair[:50]!r} is not lat,lon in degrees")
    return at


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{text[:50]!r} is not a number")
    return found
