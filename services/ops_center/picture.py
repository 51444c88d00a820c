"""The live picture: the newest value and the state of every series. Pure: time is passed in."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.ops_center.board import Board, LoggedEvent, touched
from services.ops_center.protocol import Vector
from services.ops_center.registry import Registry, SeriesKey
from shared.contracts.live import SeriesState
from shared.contracts.reading import Reading

NOTHING = -1  # observed_us of a series without a reading
KEPT_STRANGERS = 20_000
CLOCK_SKEW_US = 2_000_000  # between two replicas; a series repeated on resume does no harm

_ALARMS: Sequence[SeriesState] = ("normal", "p1", "p2", "p3", "p4")


@dataclass(frozen=True, slots=True)
class Latest:
    """A series' newest reading. `observed_us`: epoch microseconds."""

    observed_us: int
    value: float
    bad: bool


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed since the last one: series numbers, and incident events in log order."""

    series: frozenset[int]
    events: tuple[LoggedEvent, ...]


class Picture:
    """Mutable, with columns per series. `position`: next offset per partition of the readings;
    `oldest`: the offsets from which on every change of a series is known."""

    def __init__(
        self,
        registry: Registry,
        latest: Mapping[SeriesKey, Latest],
        board: Board,
        position: Vector,
        incarnation: str,
    ) -> None:
        count = len(registry.series)
        self.registry = registry
        self.board = board
        self.incarnation = incarnation
        self.oldest = position
        self.value: list[float | None] = [None] * count
        self.observed_us = [NOTHING] * count
        self.state: list[SeriesState] = ["never"] * count
        self.late = 0  # readings older than what is shown
        self._bad = [False] * count
        self._partition = [0] * count  # where its last change lies in the log …
        self._offset = [-1] * count  # … -1: before `oldest`
        self._next = list(position)
        self._unsettled: set[int] = set(range(count))
        self._changed: set[int] = set()
        self._events: list[LoggedEvent] = []
        self._stale_at: list[tuple[int, int]] = []  # heap; each watched series once
        self._watched = [False] * count
        self._strangers: dict[SeriesKey, Reading] = {}
        for series, newest in latest.items():
            number = registry.index.get(series)
            if number is not None:
                self._set(number, newest)

    @property
    def position(self) -> Vector:
        """Next offset per partition of the readings."""
        return tuple(self._next)

    def apply_readings(self, partition: int, offset: int, items: Iterable[Reading]) -> int:
        """Take one record of `city.readings`; how many readings changed the picture.

        The newest `observed_at` wins; of two with the same the first, unless the later one
        replaces it. Readings of unknown series are kept aside for `with_registry`.
        """
        if offset < self._next[partition]:
            return 0
        self._next[partition] = offset + 1
        changed = 0
        index, observed, touch = self.registry.index, self.observed_us, self._unsettled.add
        for item in items:
            number = index.get((item.sensor_id, item.metric))
            if number is None:
                self._keep_stranger(item)
                continue
            at, newest = item.observed_us, observed[number]
            if at < newest:
                self.late += 1
                continue
            # Also for a repeat: after a restart the log is read from before what was loaded.
            self._partition[number], self._offset[number] = partition, offset
            if at > newest or item.replace:
                self.value[number], self._bad[number] = item.value, item.quality == "bad"
                observed[number] = at
                touch(number)
                if not self._watched[number]:
                    self._watch(number)
                changed += 1
        return changed

    def apply_incident(self, partition: int, offset: int, value: bytes) -> bool:
        """Take one record of `city.incidents`; False if it brought nothing new. Raises `Poison`."""
        event = self.board.apply(partition, offset, value)
        if event is None:
            return False
        self._events.append(event)
        self._unsettled |= self._numbers(touched([event]))
        return True

    def skip_reading(self, partition: int, offset: int) -> None:
        """Step over a record that cannot be read."""
        self._next[partition] = max(self._next[partition], offset + 1)

    def settle(self, now_us: int) -> None:
        """Bring every state up to date with `now_us`."""
        self._find_stale(now_us)
        for number in self._unsettled:
            self.state[number] = self._judge(number, now_us)
        self._changed |= self._unsettled
        self._unsettled = set()

    def take(self, now_us: int) -> Delta:
        """Everything that changed since the last call."""
        self.settle(now_us)
        delta = Delta(frozenset(self._changed), tuple(self._events))
        self._changed, self._events = set(), []
        return delta

    def changed_since(
        self, readings: Vector, events: Sequence[LoggedEvent], since_us: int, now_us: int
    ) -> frozenset[int]:
        """The series that changed at or after `readings` (which must not lie before `oldest`),
        by `events`, or by turning stale after `since_us`."""
        places = enumerate(zip(self._partition, self._offset, strict=True))
        read = {number for number, (partition, at) in places if at >= readings[partition]}
        return frozenset(
            read | self._numbers(touched(events)) | self._turned_stale(since_us, now_us)
        )

    def with_registry(self, registry: Registry, latest: Mapping[SeriesKey, Latest]) -> "Picture":
        """The same picture with other series. `latest`: of series that were not in it; what the
        log brought of them meanwhile was kept aside and counts as well."""
        known = {
            series: Latest(self.observed_us[number], value, self._bad[number])
            for series, number in self.registry.index.items()
            if (value := self.value[number]) is not None
        }
        picture = Picture(
            registry, {**latest, **known}, self.board, self.position, self.incarnation
        )
        picture._events = self._events
        for stranger in self._strangers.values():
            picture._adopt(stranger)
        return picture

    def counts(self) -> dict[str, int]:
        """How many series are in each state."""
        found: dict[str, int] = dict.fromkeys(("never", "normal", "stale", "bad"), 0)
        found |= dict.fromkeys(_ALARMS[1:], 0)
        for state in self.state:
            found[state] += 1
        return found

    def _set(self, number: int, newest: Latest) -> None:
        self.value[number] = newest.value
        self.observed_us[number] = newest.observed_us
        self._bad[number] = newest.bad
        self._unsettled.add(number)
        if not self._watched[number]:
            self._watch(number)

    def _watch(self, number: int) -> None:
        """Look at it when it would turn stale."""
        self._watched[number] = True
        heapq.heappush(self._stale_at, (self._due(number), number))

    def _judge(self, number: int, now_us: int) -> SeriesState:
        sensor, metric = self.registry.series[number]
        alarm = self.board.alarm((self.registry.sensors[sensor].sensor_id, metric))
        if alarm:
            return _ALARMS[alarm]
        if self.observed_us[number] == NOTHING:
            return "never"
        if self._due(number) <= now_us:
            return "stale"
        return "bad" if self._bad[number] else "normal"

    def _due(self, number: int) -> int:
        """When the series turns (or turned) stale."""
        return self.observed_us[number] + self.registry.stale_after_us[number]

    def _find_stale(self, now_us: int) -> None:
        while self._stale_at and self._stale_at[0][0] <= now_us:
            _, number = heapq.heappop(self._stale_at)
            due = self._due(number)
            if due > now_us:  # it has been read since it was put on the heap
                heapq.heappush(self._stale_at, (due, number))
            else:
                self._watched[number] = False
                self._unsettled.add(number)

    def _turned_stale(self, since_us: int, now_us: int) -> set[int]:
        start = since_us - CLOCK_SKEW_US
        pairs = zip(self.observed_us, self.registry.stale_after_us, strict=True)
        return {
            number
            for number, (observed, after) in enumerate(pairs)
            if observed != NOTHING and start < observed + after <= now_us
        }

    def _numbers(self, series: Iterable[SeriesKey]) -> set[int]:
        index = self.registry.index
        return {index[one] for one in series if one in index}

    def _keep_stranger(self, item: Reading) -> None:
        series = (item.sensor_id, item.metric)
        known = self._strangers.pop(series, None)
        if known is not None and known.observed_us > item.observed_us:
            item = known
        self._strangers[series] = item
        if len(self._strangers) > KEPT_STRANGERS:
            del self._strangers[next(iter(self._strangers))]

    def _adopt(self, item: Reading) -> None:
        number = self.registry.index.get((item.sensor_id, item.metric))
        if number is None:
            self._keep_stranger(item)
        elif item.observed_us > self.observed_us[number]:
            self._set(number, Latest(item.observed_us, item.value, item.quality == "bad"))
