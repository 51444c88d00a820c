"""What there is to see: areas, metrics, placed sensors, and the numbering of their series."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from shared.contracts.live import AreaInfo, City, MetricInfo

SeriesKey = tuple[str, str]  # sensor id, metric code


@dataclass(frozen=True, slots=True)
class Sensor:
    """A placed sensor; WGS 84. `area_id`: its district; `within`: what lies below that and has it
    too, such as its town and its grid cell."""

    sensor_id: str
    name: str
    lon: float
    lat: float
    area_id: str | None
    metrics: tuple[str, ...]
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """The city or a district of it; `parent_id` None: the city."""

    area_id: str
    parent_id: str | None
    name_zh: str
    name_en: str


class Registry:
    """Immutable. Series are numbered by sensor id, then metric code: the same content gives the
    same numbers and the same `version` in every process.

    `unplaced`: how many sensors have no location and so no place in the picture.
    """

    def __init__(
        self,
        areas: Iterable[Area],
        metrics: Iterable[MetricInfo],
        sensors: Iterable[Sensor],
    ) -> None:
        self.areas: Mapping[str, Area] = {a.area_id: a for a in sorted(areas, key=_area_id)}
        self.metrics: Mapping[str, MetricInfo] = {
            metric.metric: metric for metric in sorted(metrics, key=lambda m: m.metric)
        }
        self.sensors: Sequence[Sensor] = sorted(sensors, key=lambda sensor: sensor.sensor_id)
        self.series: Sequence[tuple[int, str]] = [
            (number, metric)
            for number, sensor in enumerate(self.sensors)
            for metric in sorted(set(sensor.metrics) & self.metrics.keys())
        ]
        self.index: Mapping[SeriesKey, int] = {
            (self.sensors[sensor].sensor_id, metric): at
            for at, (sensor, metric) in enumerate(self.series)
        }
        self.stale_after_us: Sequence[int] = [
            3_000_000 * self.metrics[metric].interval_seconds for _, metric in self.series
        ]
        self._by_id = {sensor.sensor_id: sensor for sensor in self.sensors}
        self.version = self._digest()

    def area_infos(self) -> list[AreaInfo]:
        """As clients see them."""
        return [AreaInfo(a.area_id, a.name_zh, a.name_en) for a in self.areas.values()]

    def city(self, adcode: int) -> City:
        """As clients see it."""
        area = self.areas.get(str(adcode))
        return City(adcode, *(("", "") if area is None else (area.name_zh, area.name_en)))

    def lineage(self, area_id: str | None) -> list[str]:
        """The area and all areas above it."""
        found: list[str] = []
        while area_id is not None and area_id not in found:
            found.append(area_id)
            area = self.areas.get(area_id)
            area_id = area.parent_id if area is not None else None
        return found

    def sensor(self, sensor_id: str) -> Sensor | None:
        """None: there is none, or it has no place."""
        return self._by_id.get(sensor_id)

    def _digest(self) -> str:
        content = (list(self.areas.values()), list(self.metrics.values()), self.sensors)
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]


def _area_id(area: Area) -> str:
    return area.area_id
