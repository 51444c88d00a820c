"""Where a simulated city puts its sensors: its areas, towns, rivers and road names. Pure.

`Area` comes from the registry (`GET /v1/areas`), the rest from `places.yaml`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import shapely
import yaml
from shapely.geometry.base import BaseGeometry

Point = tuple[float, float]

KM_PER_DEGREE = 111.2
_RURAL = 0.18  # share of sensors that stand anywhere in the area, away from towns
_SEAT = 0.5  # share of a town's sensors that stand in the seat, where there are several towns
_SPREAD_KM = (1.2, 3.6)  # of a town
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Area:
    """A district. `outline` in degrees, WGS 84."""

    area_id: str
    name: str
    outline: BaseGeometry


@dataclass(frozen=True, slots=True)
class River:
    """A line from source to mouth."""

    name: str
    line: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of a city beyond its outline."""

    towns: Mapping[str, tuple[Point, ...]]
    rivers: tuple[River, ...]
    roads: tuple[str, ...]


@cache
def known_places() -> Places:
    """Those that come with the simulator."""
    raw: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("places.yaml").read_text(encoding="utf-8")
    )
    return Places(
        {area: tuple((x, y) for x, y in towns) for area, towns in raw["towns"].items()},
        tuple(River(r["name"], tuple((x, y) for x, y in r["line"])) for r in raw["rivers"]),
        tuple(raw["roads"]),
    )


class Ground:
    """One area as ground to stand on. `random` decides where; all points lie inside."""

    def __init__(self, area: Area, places: Places, random: Random) -> None:
        self._outline = area.outline
        self._random = random
        shapely.prepare(area.outline)
        inside = area.outline.representative_point()
        self._anchor = (inside.x, inside.y)
        self._towns = [t for t in places.towns.get(area.area_id, ()) if self.holds(t)]
        self.reaches = [
            (number, reach)
            for number, river in enumerate(places.rivers)
            if (reach := _reach(river, self)) is not None
        ]

    def holds(self, point: Point) -> bool:
        """True inside the outline."""
        return bool(shapely.contains_xy(self._outline, *point))

    def spot(self) -> Point:
        """Near a town mostly, sometimes anywhere."""
        if self._random.random() < _RURAL:
            return self._anywhere()
        return self._around(self._town(), self._random.uniform(*_SPREAD_KM))

    def bank(self) -> tuple[int, Point]:
        """A point on a river: (the river's number, the point); -1: a stream without a name."""
        if not self.reaches or self._random.random() < _RURAL:
            return -1, self.spot()
        number, points = self._random.choice(self.reaches)
        return number, self._around(self._random.choice(points), 0.25)

    def road(self, length: int) -> list[Point]:
        """Up to `length` points along a road that begins in a town."""
        point = self._around(self._town(), 1.5)
        heading = self._random.uniform(0, 2 * math.pi)
        points = [point]
        while len(points) < length:
            heading += self._random.gauss(0, 0.12)
            following = _shifted(point, self._random.uniform(0.35, 0.8), heading)
            if not self.holds(following):
                break
            points.append(following)
            point = following
        return points

    def _town(self) -> Point:
        if not self._towns:
            return self._anchor
        if self._random.random() < _SEAT:
            return self._towns[0]
        return self._random.choice(self._towns)

    def _around(self, centre: Point, spread_km: float) -> Point:
        for _ in range(_TRIES):
            distance = abs(self._random.gauss(0, spread_km))
            point = _shifted(centre, distance, self._random.uniform(0, 2 * math.pi))
            if self.holds(point):
                return point
        return self._anchor

    def _anywhere(self) -> Point:
        left, bottom, right, top = self._outline.bounds
        for _ in range(_TRIES):
            x, y = self._random.uniform(left, right), self._random.uniform(bottom, top)
            point = (round(x, 5), round(y, 5))
            if self.holds(point):
                return point
        return self._anchor


def distance_km(a: Point, b: Point) -> float:
    """Distance on the flat; good within a city."""
    x = (a[0] - b[0]) * KM_PER_DEGREE * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(x, (a[1] - b[1]) * KM_PER_DEGREE)


def chainage_km(river: River, point: Point) -> float:
    """How far below the river's source the point of it nearest to `point` lies, roughly."""
    nearest = min(range(len(river.line)), key=lambda i: distance_km(river.line[i], point))
    return _length_km(river.line[: nearest + 1])


def _length_km(line: Sequence[Point]) -> float:
    return sum(distance_km(a, b) for a, b in pairwise(line))


def _reach(river: River, ground: Ground) -> list[Point] | None:
    """Points of the river inside, about 1 km apart."""
    points = []
    for a, b in pairwise(river.line):
        steps = max(1, round(distance_km(a, b)))
        for k in range(steps):
            point = (a[0] + (b[0] - a[0]) * k / steps, a[1] + (b[1] - a[1]) * k / steps)
            if ground.holds(point):
                points.append(point)
    return points or None


def _shifted(point: Point, km: float, heading: float) -> Point:
    scale = KM_PER_DEGREE * math.cos(math.radians(point[1]))
    x = point[0] + km * math.cos(heading) / scale
    y = point[1] + km * math.sin(heading) / KM_PER_DEGREE
    return (round(x, 5), round(y, 5))
