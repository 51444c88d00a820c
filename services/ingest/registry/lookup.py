"""The sensors and metrics that readings are judged against, in memory."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.ingest.registry.catalogue import Definition
from services.ingest.registry.sensor import Sensor
from shared.contracts.topics import partition_of


@dataclass(frozen=True, slots=True)
class Channel:
    """What may come in for one metric: inclusive plausible range, oldest age in microseconds."""

    minimum: float
    maximum: float
    max_age_us: int
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sensor: the partition its readings go to, its metrics, and every area it stands in."""

    partition: int
    channels: dict[str, Channel]
    retired: bool
    updated_at: datetime
    places: frozenset[str] = frozenset()


class Registry:
    """Looked up for every reading; replaced whole at a load, one by one as things change."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._metrics: dict[str, Definition] = {}
        self._channels: dict[str, Channel] = {}
        self._parents: dict[str, str | None] = {}
        self._places: dict[tuple[str | None, ...], frozenset[str]] = {}
        self.sensors: dict[str, Entry] = {}
        self.kept_us: dict[str, int] = {}  # metric → how long it is kept, if not for ever

    def load(
        self,
        metrics: Iterable[Definition],
        sensors: Iterable[Sensor],
        parents: Mapping[str, str | None] | None = None,
    ) -> None:
        """Replace everything. `parents`: area → the area it lies in."""
        self._parents = dict(parents or {})
        self._places = {}
        self._metrics = {metric.metric: metric for metric in metrics}
        self._channels = {code: channel(metric) for code, metric in self._metrics.items()}
        self.sensors = {sensor.sensor_id: self._entry(sensor) for sensor in sensors}

    def apply(self, sensor: Sensor) -> None:
        """One sensor as it is now; what is older than the one known is ignored."""
        known = self.sensors.get(sensor.sensor_id)
        if known is None or known.updated_at <= sensor.updated_at:
            self.sensors[sensor.sensor_id] = self._entry(sensor)

    def define(self, metric: Definition) -> None:
        """One metric as it is now, for every sensor that has it; an older one is ignored."""
        known = self._metrics.get(metric.metric)
        if known is not None and (known.updated_at > metric.updated_at or known == metric):
            return
        self._metrics[metric.metric] = metric
        new = self._channels[metric.metric] = channel(metric)
        for entry in self.sensors.values():
            if metric.metric in entry.channels:
                entry.channels[metric.metric] = new

    def metric(self, code: str) -> Definition | None:
        """A metric of the catalogue."""
        return self._metrics.get(code)

    def knows_metric(self, metric: str) -> bool:
        """True for a metric of the catalogue."""
        return metric in self._channels

    def _entry(self, sensor: Sensor) -> Entry:
        channels = {
            metric: self._channels[metric] for metric in sensor.metrics if metric in self._channels
        }
        partition = partition_of(sensor.sensor_id, self._partitions)
        places = self._places_of(sensor)
        return Entry(partition, channels, sensor.retired, sensor.updated_at, places)

    def _places_of(self, sensor: Sensor) -> frozenset[str]:
        """Cell, town, district and everything above: one set for all sensors of a cell."""
        key = (sensor.cell_id, sensor.town_id, sensor.area_id)
        known = self._places.get(key)
        if known is None:
            found = {place for place in key if place is not None}
            above = sensor.area_id
            while (above := self._parents.get(above or "")) is not None and above not in found:
                found.add(above)
            known = self._places[key] = frozenset(found)
        return known


def channel(metric: Definition) -> Channel:
    """A metric as the judge needs it."""
    return Channel(
        -math.inf if metric.minimum is None else metric.minimum,
        math.inf if metric.maximum is None else metric.maximum,
        metric.max_age_seconds * 1_000_000,
        metric.domain,
    )
