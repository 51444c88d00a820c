"""The incidents of the picture: which are open, which series they colour, what happened last."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from services.ops_center.protocol import Vector
from services.ops_center.registry import SeriesKey
from shared.errors import Poison

KEPT_EVENTS = 10_000  # a client that has missed more takes a snapshot


class IncidentView(msgspec.Struct, frozen=True):
    """The fields of an incident that decide anything here; the rest is passed on unread."""

    id: UUID
    state: str
    priority: Literal[1, 2, 3, 4]
    version: int
    alert_state: str = "none"
    area_id: str | None = None
    subjects: tuple[str, ...] = ()
    metric: str | None = None
    parent_id: UUID | None = None
    members: int = 1
    alarms: tuple[tuple[str, str, Literal[1, 2, 3, 4]], ...] = ()
    opened_at: datetime | None = None

    @property
    def coloured(self) -> dict[SeriesKey, int]:
        """The series that this incident shows as in alarm, each with its priority."""
        if self.state == "closed" or self.alert_state != "active":
            return {}
        if self.alarms:
            gravest_last = sorted(self.alarms, key=lambda alarm: -alarm[2])
            return {(subject, metric): priority for subject, metric, priority in gravest_last}
        return dict.fromkeys(self.series, self.priority)

    @property
    def series(self) -> tuple[SeriesKey, ...]:
        """Its subjects with its metric: all that events of older versions say."""
        if self.metric is None:
            return ()
        return tuple((subject, self.metric) for subject in self.subjects)


class _CauseView(msgspec.Struct, frozen=True):
    subject: str
    metric: str | None = None


class _EventView(msgspec.Struct, frozen=True):
    data: msgspec.Raw
    cause: _CauseView | None = None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An incident event as `city.incidents` holds it: `text` is its JSON, passed on as it is."""

    partition: int
    offset: int
    text: str
    incident: IncidentView
    cause: SeriesKey | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    incident: IncidentView
    raw: bytes


_event_decoder = msgspec.json.Decoder(_EventView)
_incident_decoder = msgspec.json.Decoder(IncidentView)


class Board:
    """Open incidents, and the latest events for those who resume.

    `start`: the offsets from which on this board is told of every event; `kept`: events at most.
    """

    def __init__(
        self, open_incidents: Iterable[bytes], start: Vector, kept: int = KEPT_EVENTS
    ) -> None:
        self._kept = kept
        self._entries: dict[UUID, _Entry] = {}
        self._alarms: dict[SeriesKey, dict[UUID, int]] = {}
        self._logged: dict[UUID, int] = {}  # newest version seen in the log
        self._events: deque[LoggedEvent] = deque()
        self._oldest = list(start)
        self._next = list(start)
        for raw in open_incidents:
            self._put(_incident_decoder.decode(raw), raw)

    @property
    def position(self) -> Vector:
        """Next offset per partition."""
        return tuple(self._next)

    @property
    def oldest(self) -> Vector:
        """From here on `since` knows every event."""
        return tuple(self._oldest)

    def apply(self, partition: int, offset: int, value: bytes) -> LoggedEvent | None:
        """Take one record; None if it brings nothing new. Raises `Poison` on garbage, which is
        then counted as taken."""
        if offset < self._next[partition]:
            return None
        self._next[partition] = offset + 1
        event, raw = _decode(partition, offset, value)
        incident = event.incident
        if incident.version <= self._logged.get(incident.id, 0):
            return None
        self._logged[incident.id] = incident.version
        known = self._entries.get(incident.id)
        if known is None or incident.version > known.incident.version:
            self._put(incident, raw)
        self._remember(event)
        return event

    def since(self, vector: Vector) -> list[LoggedEvent]:
        """The events at or after `vector`, which must not lie before `oldest`."""
        return [event for event in self._events if event.offset >= vector[event.partition]]

    def alarm(self, series: SeriesKey) -> int:
        """The highest priority (1–4) of the active alerts on a series; 0: none."""
        return min(self._alarms.get(series, {}).values(), default=0)

    def alarmed_since(self, series: SeriesKey) -> datetime | None:
        """When the first of the incidents that colour a series was opened."""
        incidents = [self._entries[known].incident for known in self._alarms.get(series, {})]
        return min((one.opened_at for one in incidents if one.opened_at), default=None)

    def alarmed(self) -> Iterable[SeriesKey]:
        """The series with an active alert."""
        return self._alarms.keys()

    def open_incidents(self) -> list[tuple[IncidentView, bytes]]:
        """Every incident that is not closed, with its JSON."""
        return [(entry.incident, entry.raw) for entry in self._entries.values()]

    def counts(self) -> dict[int, int]:
        """Open incidents by priority; parts of another do not count."""
        found = dict.fromkeys((1, 2, 3, 4), 0)
        for entry in self._entries.values():
            found[entry.incident.priority] += entry.incident.parent_id is None
        return found

    def _put(self, incident: IncidentView, raw: bytes) -> None:
        before = self._entries.pop(incident.id, None)
        for series in before.incident.coloured if before is not None else {}:
            alarms = self._alarms.get(series, {})
            alarms.pop(incident.id, None)
            if not alarms:
                self._alarms.pop(series, None)
        for series, priority in incident.coloured.items():
            self._alarms.setdefault(series, {})[incident.id] = priority
        if incident.state != "closed":
            self._entries[incident.id] = _Entry(incident, raw)

    def _remember(self, event: LoggedEvent) -> None:
        self._events.append(event)
        if len(self._events) <= self._kept:
            return
        gone = self._events.popleft()
        self._oldest[gone.partition] = gone.offset + 1
        closed = gone.incident.id not in self._entries
        if closed and self._logged.get(gone.incident.id) == gone.incident.version:
            del self._logged[gone.incident.id]


def touched(events: Sequence[LoggedEvent]) -> set[SeriesKey]:
    """The series whose alarm the events may have changed."""
    found: set[SeriesKey] = set()
    for event in events:
        found.update(event.incident.series)
        found.update((subject, metric) for subject, metric, _ in event.incident.alarms)
        if event.cause is not None:  # what has just cleared is among the alarms no more
            found.add(event.cause)
    return found


def _decode(partition: int, offset: int, value: bytes) -> tuple[LoggedEvent, bytes]:
    try:
        view = _event_decoder.decode(value)
        raw = bytes(view.data)
        incident = _incident_decoder.decode(raw)
        text = value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Poison("malformed", f"incident event: {error}") from error
    cause = view.cause
    key = None if cause is None or cause.metric is None else (cause.subject, cause.metric)
    return LoggedEvent(partition, offset, text, incident, key), raw
