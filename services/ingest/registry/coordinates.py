"""Coordinates as Chinese maps give them (GCJ-02, BD-09) to WGS 84 and back. Pure; degrees.

The forward formulas are the published ones; the inverses iterate them, so that a round trip is
exact to far below a millimetre. Outside of China's rectangle GCJ-02 is WGS 84.
"""

import math
from collections.abc import Callable
from typing import Literal

Crs = Literal["wgs84", "gcj02", "bd09"]
Point = tuple[float, float]  # lon, lat

_A = 6_378_245.0  # Krasovsky 1940, m
_E2 = 0.00669342162296594323
_BD_STEP = math.pi * 3000 / 180
_CLOSE = 1e-12  # degrees: 0.1 µm
_MOST_STEPS = 30


def to_wgs84(point: Point, crs: Crs) -> Point:
    """A point given in `crs`."""
    match crs:
        case "wgs84":
            return point
        case "gcj02":
            return gcj02_to_wgs84(point)
        case "bd09":
            return bd09_to_wgs84(point)


def wgs84_to_gcj02(point: Point) -> Point:
    """What a Chinese map shows of a true position."""
    return _shifted(point) if _in_china(point) else point


def gcj02_to_wgs84(point: Point) -> Point:
    """The true position of what a Chinese map shows."""
    return _inverse(_shifted, point) if _in_china(point) else point


def gcj02_to_bd09(point: Point) -> Point:
    """What Baidu's map shows."""
    return _baidu(point) if _in_china(point) else point


def bd09_to_wgs84(point: Point) -> Point:
    """The true position of what Baidu's map shows."""
    return gcj02_to_wgs84(_inverse(_baidu, point)) if _in_china(point) else point


def _in_china(point: Point) -> bool:
    """The rectangle within which the published algorithm shifts."""
    lon, lat = point
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def _inverse(forward: Callable[[Point], Point], wanted: Point) -> Point:
    """The point that `forward` turns into `wanted`: it moves points little and smoothly."""
    x, y = wanted
    for _ in range(_MOST_STEPS):
        there = forward((x, y))
        dx, dy = wanted[0] - there[0], wanted[1] - there[1]
        x, y = x + dx, y + dy
        if abs(dx) < _CLOSE and abs(dy) < _CLOSE:
            break
    return (x, y)


def _shifted(point: Point) -> Point:
    lon, lat = point
    x, y = lon - 105.0, lat - 35.0
    north, east = _metres(x, y)
    phi = math.radians(lat)
    magic = 1 - _E2 * math.sin(phi) ** 2
    root = math.sqrt(magic)
    north_degrees = math.degrees(north / (_A * (1 - _E2) / (magic * root)))
    east_degrees = math.degrees(east / (_A / root * math.cos(phi)))
    return (lon + east_degrees, lat + north_degrees)


def _metres(x: float, y: float) -> tuple[float, float]:
    """The shift to north and east."""
    sin, pi = math.sin, math.pi
    root = math.sqrt(abs(x))
    both = 20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)
    north = both + 20 * sin(y * pi) + 40 * sin(y * pi / 3)
    north += 160 * sin(y * pi / 12) + 320 * sin(y * pi / 30)
    east = both + 20 * sin(x * pi) + 40 * sin(x * pi / 3)
    east += 150 * sin(x * pi / 12) + 300 * sin(x * pi / 30)
    north = north * 2 / 3 - 100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = east * 2 / 3 + 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    return (north, east)


def _baidu(point: Point) -> Point:
    x, y = point
    radius = math.hypot(x, y) + 0.00002 * math.sin(y * _BD_STEP)
    angle = math.atan2(y, x) + 0.000003 * math.cos(x * _BD_STEP)
    return (radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006)
