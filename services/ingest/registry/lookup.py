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


@dataclass(frozen=True, slots=True)
class Entry:
    """A sensor: the partition its readings go to, and its metrics."""

    partition: int
    channels: Mapping[str, Channel]
    retired: bool
    updated_at: datetime


class Registry:
    """Looked up for every reading; replaced whole at a load, one by one as sensors change."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._channels: dict[str, Channel] = {}
        self.sensors: dict[str, Entry] = {}

    def load(self, channels: Mapping[str, Channel], sensors: Iterable[Sensor]) -> None:
        """Replace everything."""
        self._channels = dict(channels)
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
        return Entry(partition, channels, sensor.retired, sensor.updated_at)
