"""One filter's sight of the picture: which series and incidents, and their frames."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from services.ops_center.board import IncidentView, LoggedEvent
from services.ops_center.picture import NOTHING, Picture
from services.ops_center.protocol import BAD_FRAME, BOX_STEPS, Refusal, Sight, filter_key
from services.ops_center.registry import Registry, Sensor
from services.ops_center.telling import Telling
from shared.contracts.live import (
    City,
    Delta,
    Filter,
    Hello,
    Neighbours,
    NeighboursFrame,
    Pulse,
    Resync,
    ScreenFrame,
    ScreenInfo,
    SensorColumns,
    SeriesColumns,
    Snapshot,
)

_encoder = msgspec.json.Encoder()


def refuse_unknown(wanted: Filter | None, registry: Registry) -> None:
    """Raise `Refusal` if a filter names an area that does not exist."""
    areas = (wanted and wanted.areas) or ()
    unknown = sorted(set(areas) - registry.areas.keys())
    if unknown:
        raise Refusal(BAD_FRAME, f"unknown area {unknown[0]!r} in the filter")


class View:
    """`wanted`: what is seen. Series are numbered by their place in this view. `telling`: what may
    be told of them; None: everything."""

    def __init__(self, wanted: Sight, registry: Registry, telling: Telling | None = None) -> None:
        self.wanted = wanted
        self.telling = telling
        self.key = filter_key(wanted)
        self._registry = registry
        self._domains = _set(wanted.domains)
        self._metrics = _set(wanted.metrics)
        self._areas = [
            frozenset(each) for each in (wanted.areas, wanted.within) if each is not None
        ]
        self._seen: Sequence[int] = self._shown_series()
        self._local = {number: local for local, number in enumerate(self._seen)}
        shown = sorted({registry.series[number][0] for number in self._seen})
        self._sensors = [registry.sensors[number] for number in shown]
        self._places = {number: place for place, number in enumerate(shown)}
        self._fixed: Any = None  # what every snapshot of this view begins with, encoded

    def series_of(self, numbers: Iterable[int]) -> list[int]:
        """Those of the picture's series numbers that this view shows, in order."""
        if self.key == "":
            return sorted(numbers)
        return sorted(number for number in numbers if number in self._local)

    def shows(self, incident: IncidentView) -> bool:
        """An incident without area or metric concerns everybody, and one of several alerts every
        domain. Wherever the map looks, incidents are seen."""
        if self.telling is not None and not self._tells(self.telling, incident):
            return False
        if incident.area_id is not None and not self._covers_incident(incident):
            return False
        metric = self._registry.metrics.get(incident.metric or "")
        return metric is None or incident.members > 1 or self._measures(metric.metric)

    def incident(self, event: LoggedEvent, token: str) -> str:
        """A step of an incident, as a frame."""
        if self.telling is None:
            return incident_frame(event.text, token)
        return incident_frame(self.telling.incident(event.text).decode(), token)

    def snapshot(self, picture: Picture, token: str) -> str:
        """Everything this view shows, as one frame."""
        if self._fixed is None:
            fixed = self._registry.area_infos(), self._sensor_columns()
            self._fixed = [msgspec.Raw(_encoder.encode(one)) for one in fixed]
        areas, sensors = self._fixed
        shown = [raw for one, raw in picture.board.open_incidents() if self.shows(one)]
        if self.telling is not None:
            shown = [self.telling.incident(raw) for raw in shown]
        metrics = [m for code, m in self._registry.metrics.items() if self._tells_metric(code)]
        frame = Snapshot(
            metrics,
            areas,
            sensors,
            self._series_columns(picture),
            [msgspec.Raw(raw) for raw in shown],
            token,
        )
        return _encoder.encode(frame).decode()

    def delta(self, picture: Picture, numbers: Iterable[int], token: str, sent_at: int) -> str:
        """The newest state of some series, given by the picture's numbers. `sent_at`: epoch
        milliseconds."""
        seen = list(numbers)
        frame = Delta(
            [self._local[number] for number in seen],
            [picture.value[number] for number in seen],
            [_milliseconds(picture.observed_us[number]) for number in seen],
            [picture.state[number] for number in seen],
            token,
            sent_at,
        )
        if self.telling is not None:
            told = self.telling.state(frame.value, frame.observed_at, frame.state)
            frame = msgspec.structs.replace(frame, **told)
        return _encoder.encode(frame).decode()

    def _shown_series(self) -> list[int]:
        registry = self._registry
        districts = {one.area_id for one in registry.sensors}
        above = {district: registry.lineage(district) for district in districts}
        placed = [
            self._covers(above[one.area_id], one.within) and self._in_box(one)
            for one in registry.sensors
        ]
        measured = {metric: self._measures(metric) for metric in registry.metrics}
        return [
            number
            for number, (sensor, metric) in enumerate(registry.series)
            if placed[sensor] and measured[metric]
        ]

    def _covers(self, *places: Sequence[str]) -> bool:
        """Whether each of the wanted sets of areas has one of the places."""
        return all(any(not areas.isdisjoint(some) for some in places) for areas in self._areas)

    def _covers_incident(self, incident: IncidentView) -> bool:
        """By its district, or by where one of its sensors stands."""
        registry = self._registry
        above = registry.lineage(incident.area_id)
        if self._covers(above):
            return True
        subjects = (registry.sensor(subject) for subject in incident.subjects)
        return any(
            one is not None and self._covers(registry.lineage(one.area_id), one.within)
            for one in subjects
        )

    def _tells(self, telling: Telling, incident: IncidentView) -> bool:
        metric = incident.metric
        return telling.tells_incidents and (metric is None or telling.tells_metric(metric))

    def _tells_metric(self, code: str) -> bool:
        return self.telling is None or self.telling.tells_metric(code)

    def _measures(self, metric: str) -> bool:
        if not self._tells_metric(metric):
            return False
        if self._metrics is not None and metric not in self._metrics:
            return False
        return self._domains is None or self._registry.metrics[metric].domain in self._domains

    def _in_box(self, sensor: Sensor) -> bool:
        if self.wanted.bbox is None:
            return True
        west, south, east, north = self.wanted.bbox
        lon, lat = sensor.lon * BOX_STEPS, sensor.lat * BOX_STEPS
        return west <= lon <= east and south <= lat <= north

    def _sensor_columns(self) -> SensorColumns:
        sensors = self._sensors
        shown = SensorColumns(
            [sensor.sensor_id for sensor in sensors],
            [sensor.name for sensor in sensors],
            [sensor.lon for sensor in sensors],
            [sensor.lat for sensor in sensors],
            [sensor.area_id for sensor in sensors],
        )
        return shown if self.telling is None else self.telling.sensors(shown)

    def _series_columns(self, picture: Picture) -> SeriesColumns:
        series = self._registry.series
        shown = SeriesColumns(
            [self._places[series[number][0]] for number in self._seen],
            [series[number][1] for number in self._seen],
            [picture.value[number] for number in self._seen],
            [_milliseconds(picture.observed_us[number]) for number in self._seen],
            [picture.state[number] for number in self._seen],
        )
        return shown if self.telling is None else self.telling.series(shown)


def incident_frame(event: str, token: str) -> str:
    """An `IncidentFrame` around the event's own text, which is not encoded again."""
    return f'{{"type":"incident","event":{event},"resume":"{token}"}}'


def hello_frame(
    now: datetime,
    tick_seconds: float,
    city: City,
    screen: ScreenInfo | None,
    neighbours: Neighbours | None,
) -> str:
    """The server's first frame."""
    tick_ms = round(tick_seconds * 1000)
    hello = Hello(rfc3339(now), tick_ms, city, screen=screen, neighbours=neighbours)
    return _encoder.encode(hello).decode()


def screen_frame(screen: ScreenInfo) -> str:
    """Says what the screen is to show from now on."""
    return _encoder.encode(ScreenFrame(screen)).decode()


def neighbours_frame(neighbours: Neighbours | None) -> str:
    """Says what neighbouring cities warn of from now on."""
    return _encoder.encode(NeighboursFrame(neighbours)).decode()


def resync_frame(reason: str) -> str:
    """Says why a snapshot follows."""
    return _encoder.encode(Resync(reason)).decode()


def pulse_frame(pulse: Pulse) -> str:
    """The heartbeat."""
    return _encoder.encode(pulse).decode()


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _set(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _milliseconds(micros: int) -> int | None:
    return None if micros == NOTHING else micros // 1000
