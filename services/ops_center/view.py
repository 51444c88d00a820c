"""One filter's sight of the picture: which series and incidents, and their frames."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from services.ops_center.board import IncidentView, LoggedEvent
from services.ops_center.picture import NOTHING, Picture
from services.ops_center.protocol import BAD_FRAME, Refusal, filter_key
from services.ops_center.registry import Registry
from shared.contracts.live import (
    City,
    Delta,
    Filter,
    Hello,
    Pulse,
    Resync,
    SensorColumns,
    SeriesColumns,
    Snapshot,
)

_encoder = msgspec.json.Encoder()


class View:
    """`wanted`: a canonical filter. Series are numbered by their place in this view."""

    def __init__(self, wanted: Filter, registry: Registry) -> None:
        self.wanted = wanted
        self.key = filter_key(wanted)
        self._registry = registry
        self._domains = None if wanted.domains is None else frozenset[str](wanted.domains)
        self._areas = None if wanted.areas is None else frozenset(wanted.areas)
        self._seen: Sequence[int] = [
            number for number, _ in enumerate(registry.series) if self._shows_series(number)
        ]
        self._local = {number: local for local, number in enumerate(self._seen)}
        shown = sorted({registry.series[number][0] for number in self._seen})
        self._sensors = [registry.sensors[number] for number in shown]
        self._places = {number: place for place, number in enumerate(shown)}

    def refuse_unknown(self) -> None:
        """Raise `Refusal` if the filter names an area that does not exist."""
        unknown = sorted((self._areas or frozenset()) - self._registry.areas.keys())
        if unknown:
            raise Refusal(BAD_FRAME, f"unknown area {unknown[0]!r} in the filter")

    def series_of(self, numbers: Iterable[int]) -> list[int]:
        """Those of the picture's series numbers that this view shows, in order."""
        if self.key == "":
            return sorted(numbers)
        return sorted(number for number in numbers if number in self._local)

    def shows(self, incident: IncidentView) -> bool:
        """An incident without area or metric concerns everybody, and one of several alerts every
        domain."""
        if self._areas is not None and incident.area_id is not None:
            lineage = self._registry.lineage(incident.area_id)
            if self._areas.isdisjoint(lineage):
                return False
        metric = self._registry.metrics.get(incident.metric or "")
        several = incident.members > 1
        return self._domains is None or metric is None or several or metric.domain in self._domains

    def snapshot(self, picture: Picture, token: str) -> str:
        """Everything this view shows, as one frame."""
        frame = Snapshot(
            list(self._registry.metrics.values()),
            self._registry.area_infos(),
            self._sensor_columns(),
            self._series_columns(picture),
            [msgspec.Raw(raw) for one, raw in picture.board.open_incidents() if self.shows(one)],
            token,
        )
        return _encoder.encode(frame).decode()

    def delta(self, picture: Picture, numbers: Iterable[int], token: str) -> str:
        """The newest state of some series, given by the picture's numbers."""
        seen = list(numbers)
        frame = Delta(
            [self._local[number] for number in seen],
            [picture.value[number] for number in seen],
            [_milliseconds(picture.observed_us[number]) for number in seen],
            [picture.state[number] for number in seen],
            token,
        )
        return _encoder.encode(frame).decode()

    def _shows_series(self, number: int) -> bool:
        sensor, metric = self._registry.series[number]
        if self._domains is not None and self._registry.metrics[metric].domain not in self._domains:
            return False
        if self._areas is None:
            return True
        lineage = self._registry.lineage(self._registry.sensors[sensor].area_id)
        return not self._areas.isdisjoint(lineage)

    def _sensor_columns(self) -> SensorColumns:
        sensors = self._sensors
        return SensorColumns(
            [sensor.sensor_id for sensor in sensors],
            [sensor.name for sensor in sensors],
            [sensor.lon for sensor in sensors],
            [sensor.lat for sensor in sensors],
            [sensor.area_id for sensor in sensors],
        )

    def _series_columns(self, picture: Picture) -> SeriesColumns:
        series = self._registry.series
        return SeriesColumns(
            [self._places[series[number][0]] for number in self._seen],
            [series[number][1] for number in self._seen],
            [picture.value[number] for number in self._seen],
            [_milliseconds(picture.observed_us[number]) for number in self._seen],
            [picture.state[number] for number in self._seen],
        )


def incident_frame(event: LoggedEvent, token: str) -> str:
    """An `IncidentFrame` around the event's own text, which is not encoded again."""
    return f'{{"type":"incident","event":{event.text},"resume":"{token}"}}'


def hello_frame(now: datetime, tick_seconds: float, city: City) -> str:
    """The server's first frame."""
    return _encoder.encode(Hello(rfc3339(now), round(tick_seconds * 1000), city)).decode()


def resync_frame(reason: str) -> str:
    """Says why a snapshot follows."""
    return _encoder.encode(Resync(reason)).decode()


def pulse_frame(pulse: Pulse) -> str:
    """The heartbeat."""
    return _encoder.encode(pulse).decode()


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(micros: int) -> int | None:
    return None if micros == NOTHING else micros // 1000
