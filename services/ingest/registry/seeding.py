"""A starting set of sensors for any city: deterministic, inside its districts. Pure.

Three of four sensors gather around a district's seat, the rest lie anywhere in it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import shapely
from shapely.geometry.base import BaseGeometry

from services.ingest.registry.atlas import Atlas
from services.ingest.registry.boundaries import Area
from services.ingest.registry.sensor import Location, Sensor

TOTAL = 2_000
_GATHERED = 0.75
_SPREAD = 0.16  # of the side of a square as large as the district
_URBAN_SUFFIX = 20  # adcodes …01 to …20 are urban districts: they get a double share


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sensor: of `share` of its domain, named `name`, measuring `metrics`."""

    prefix: str
    share: float
    name: str
    metrics: tuple[str, ...]


_AIR = ("air.pm25", "air.pm10", "air.so2", "air.no2", "air.co", "air.o3")
_WEATHER = (
    "weather.temperature",
    "weather.humidity",
    "weather.pressure",
    "weather.rain",
    "weather.wind_speed",
)
KINDS = (
    Kind("tr", 0.45, "路段", ("traffic.speed", "traffic.flow", "traffic.occupancy")),
    Kind("en", 0.07, "空气站", _AIR),
    Kind("en", 0.05, "气象站", _WEATHER),
    Kind("en", 0.05, "噪声点", ("noise.level",)),
    Kind("en", 0.05, "水位站", ("water.level",)),
    Kind("ut", 0.10, "供水点", ("water.pressure", "water.flow")),
    Kind("ut", 0.08, "排水井", ("drain.level",)),
    Kind("ut", 0.08, "燃气阀井", ("gas.concentration", "gas.pressure")),
    Kind("ut", 0.07, "配电房", ("power.load", "power.voltage")),
)


def first_sensors(
    districts: Sequence[Area], atlas: Atlas, now: datetime, total: int = TOTAL
) -> list[Sensor]:
    """About `total` sensors, the same at every call. Their `updated_at` is `now`."""
    weights = [_weight(area.area_id) for area in districts]
    unit = total / sum(weights) if weights else 0
    return [
        sensor
        for area, weight in zip(districts, weights, strict=True)
        for sensor in _of_district(area, round(unit * weight), atlas, now)
    ]


def _of_district(area: Area, count: int, atlas: Atlas, now: datetime) -> Iterator[Sensor]:
    points = _points(area, Random(area.area_id))
    numbers: dict[str, int] = {}
    for kind in KINDS:
        for _ in range(round(count * kind.share)):
            numbers[kind.prefix] = number = numbers.get(kind.prefix, 0) + 1
            location = next(points)
            place = atlas.place(location)
            yield Sensor(
                sensor_id=f"{kind.prefix}-{area.area_id}-{number:04d}",
                name=f"{area.name_zh} {kind.name} {number:04d}",
                metrics=kind.metrics,
                location=location,
                area_id=place.district_id,
                cell_id=place.cell_id,
                updated_at=now,
            )


def _points(area: Area, random: Random) -> Iterator[Location]:
    """Endless points inside, gathered around the centre."""
    outline = area.shape
    shapely.prepare(outline)
    left, bottom, right, top = outline.bounds
    spread = math.sqrt(outline.area) * _SPREAD
    centre = _centre_inside(area)
    while True:
        if random.random() < _GATHERED:
            point = (random.gauss(centre[0], spread), random.gauss(centre[1], spread))
        else:
            point = (random.uniform(left, right), random.uniform(bottom, top))
        lon, lat = round(point[0], 5), round(point[1], 5)
        if shapely.contains_xy(outline, lon, lat):
            yield Location(lon=lon, lat=lat)


def _centre_inside(area: Area) -> tuple[float, float]:
    if shapely.contains_xy(area.shape, *area.centre):
        return area.centre
    point = _representative(area.shape)
    return (point.x, point.y)


def _representative(outline: BaseGeometry) -> shapely.Point:
    return outline.representative_point()


def _weight(area_id: str) -> int:
    suffix = area_id[-2:]
    return 2 if suffix.isdecimal() and 0 < int(suffix) <= _URBAN_SUFFIX else 1
