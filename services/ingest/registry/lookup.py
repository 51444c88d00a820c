"""The sensors and metrics that readings are judged against, in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

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
    channels: Mapping[str, Channel]
    retired: bool
    updated_at: datetime
    places: frozenset[str] = frozenset()


class Registry:
    """Looked up for every reading; replaced whole at a load, one by one as sensors change."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._channels: dict[str, Channel] = {}
        self._parents: dict[str, str | None] = {}
        self._places: dict[tuple[str | None, str | None], frozenset[str]] = {}
        self.sensors: dict[str, Entry] = {}

    def load(
        self,
        channels: Mapping[str, Channel],
        sensors: Iterable[Sensor],
        parents: Mapping[str, str | None] | None = None,
    ) -> None:
        """Replace everything. `parents`: area → the area it lies in."""
        self._channels = dict(channels)
        self._parents = dict(parents or {})
        self._places = {}
        self.sensors = {sensor.sensor_id: self._entry(sensor) for sensor in sensors}

    def apply(self, sensor: Sensor) -> None:
        """One sensor as it is now; what is older than the one known is ignored."""
        known = self.sensors.get(sensor.sensor_id)
        if known is None or known.updated_at <= sensor.updated_at:
            self.sensors[sensor.sensor_id] = self._entry(sensor)

    def knows_metric(self, metric: str) -> bool:
        """True for a metric of the catalogue."""
        return metric in self._channels

    def _entry(self, sensor: Sensor) -> Entry:
        channels = {
            metric: self._channels[metric] for metric in sensor.metrics if metric in self._channels
        }
        partition = partition_of(sensor.sensor_id, self._partitions)
        places = self._places_of(sensor.area_id, sensor.cell_id)
        return Entry(partition, channels, sensor.retired, sensor.updated_at, places)

    def _places_of(self, area_id: str | None, cell_id: str | None) -> frozenset[str]:
        """Cell, area and everything above it: one set for all sensors of a cell."""
        known = self._places.get((area_id, cell_id))
        if known is None:
            found = {cell_id} if cell_id else set()
            above = area_id
            while above is not None and above not in found:
                found.add(above)
                above = self._parents.get(above)
            known = self._places[area_id, cell_id] = frozenset(found)
        return known
