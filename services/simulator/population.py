"""The sensors of a simulated city: where they stand and what they are like. Pure.

The same areas, seed and number give the same sensors, with the same characteristics.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from services.simulator.noise import stream, uniform
from services.simulator.places import Area, Ground, Places, Point, chainage_km
from services.simulator.records import Location, Registration

_URBAN_SUFFIX = 20  # adcodes …01 to …20 are urban districts: they get a double share
_ROAD_LENGTHS = (6, 10)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sensor: its share of all, and the seconds between two readings it may have."""

    code: str
    share: float
    name: str
    metrics: tuple[str, ...]
    intervals: tuple[int, ...]


KINDS = (
    Kind("tr", 0.40, "卡口", ("traffic.speed", "traffic.flow", "traffic.occupancy"), (60,)),
    Kind(
        "aq", 0.05, "空气微站",
        ("air.pm25", "air.pm10", "air.so2", "air.no2", "air.co", "air.o3"), (60,),
    ),
    Kind(
        "we", 0.05, "气象微站",
        ("weather.temperature", "weather.humidity", "weather.pressure", "weather.rain",
         "weather.wind_speed"), (60,),
    ),
    Kind("ns", 0.06, "噪声监测点", ("noise.level",), (30, 60)),
    Kind("rv", 0.07, "水位站", ("water.level",), (20, 30)),
    Kind("wp", 0.11, "供水测压点", ("water.pressure", "water.flow"), (20, 30)),
    Kind("dr", 0.10, "排水井", ("drain.level",), (20, 30)),
    Kind("gs", 0.08, "燃气阀井", ("gas.concentration", "gas.pressure"), (15, 20)),
    Kind("pw", 0.08, "配电房", ("power.load", "power.voltage"), (15, 20)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sensor:
    """A simulated sensor.

    It reports every `interval` seconds, `phase` seconds after the full interval, `lag_ms`
    milliseconds into that second. `road`, `milepost`: which road, and the how-manieth on it, in
    driving direction. `river` (-1: a nameless stream), `chainage_km`: how far from its source.
    """

    number: int
    sensor_id: str
    name: str
    kind: str
    metrics: tuple[str, ...]
    area_id: str
    place: Point
    interval: int
    phase: int
    lag_ms: int
    stream: int
    road: int = -1
    milepost: int = 0
    river: int = -1
    chainage_km: float = 0.0

    def trait(self, which: int) -> float:
        """In [0, 1): what this sensor is like, for good."""
        return uniform(self.stream, -1 - which)


@dataclass(frozen=True, slots=True)
class _Site:
    place: Point
    label: str = ""
    road: int = -1
    milepost: int = 0
    river: int = -1
    chainage_km: float = 0.0


def populate(areas: Sequence[Area], places: Places, seed: int, total: int) -> list[Sensor]:
    """About `total` sensors, every one inside of its area."""
    weights = [_weight(area.area_id) for area in areas]
    unit = total / sum(weights) if weights else 0.0
    sensors: list[Sensor] = []
    for area, weight in zip(areas, weights, strict=True):
        ground = Ground(area, places, Random(f"{seed}|{area.area_id}"))
        for kind in KINDS:
            count = round(unit * weight * kind.share)
            sites = _sites(kind, ground, area, places, count)
            for serial, site in enumerate(sites, 1):
                sensors.append(_sensor(len(sensors), kind, area, serial, site, seed))
    return sensors


def registration(sensor: Sensor) -> Registration:
    """The sensor as the registry wants it."""
    location = Location(*sensor.place)
    return Registration(sensor.sensor_id, sensor.name, sensor.metrics, location)


def _sensor(number: int, kind: Kind, area: Area, serial: int, site: _Site, seed: int) -> Sensor:
    sensor_id = f"sim-{kind.code}-{area.area_id}-{serial:03d}"
    own = stream(seed, sensor_id)
    interval = kind.intervals[int(uniform(own, 0) * len(kind.intervals))]
    return Sensor(
        number=number,
        sensor_id=sensor_id,
        name=f"{area.name}{site.label} {kind.name} {serial:03d}",
        kind=kind.code,
        metrics=kind.metrics,
        area_id=area.area_id,
        place=site.place,
        interval=interval,
        phase=int(uniform(own, 1) * interval),
        lag_ms=int(uniform(own, 2) * 1000),
        stream=own,
        road=site.road,
        milepost=site.milepost,
        river=site.river,
        chainage_km=site.chainage_km,
    )


def _sites(kind: Kind, ground: Ground, area: Area, places: Places, count: int) -> Iterator[_Site]:
    if kind.code == "tr":
        return _road_sites(ground, area, places, count)
    if kind.code == "rv":
        return _river_sites(ground, places, count)
    return (_Site(ground.spot()) for _ in range(count))


def _road_sites(ground: Ground, area: Area, places: Places, count: int) -> Iterator[_Site]:
    random = Random(area.area_id)
    road = int(area.area_id) * 1000 if area.area_id.isdecimal() else random.getrandbits(40)
    left = count
    while left > 0:
        label = places.roads[road % len(places.roads)] if places.roads else ""
        for milepost, place in enumerate(ground.road(min(left, random.randint(*_ROAD_LENGTHS)))):
            yield _Site(place, label, road=road, milepost=milepost)
            left -= 1
        road += 1


def _river_sites(ground: Ground, places: Places, count: int) -> Iterator[_Site]:
    for _ in range(count):
        number, place = ground.bank()
        if number < 0:
            yield _Site(place)
            continue
        river = places.rivers[number]
        yield _Site(place, river.name, river=number, chainage_km=chainage_km(river, place))


def _weight(area_id: str) -> int:
    suffix = area_id[-2:]
    return 2 if suffix.isdecimal() and 0 < int(suffix) <= _URBAN_SUFFIX else 1
