"""Rows of a recorded file → readings, by a mapping. Pure: it is handed rows, and counts."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.simulator.mapping import EVERY_OTHER, BadMapping, Column, Mapping
from services.simulator.records import Reading, Registration
from services.simulator.times import BadTime
from shared.contracts.reading import SENSOR_ID_PATTERN

_SENSOR_ID = re.compile(SENSOR_ID_PATTERN)
_DECIMALS = 6  # what unit conversion may add to a value's own digits
_SHOWN = 5


@dataclass
class Tally:
    """What became of the rows so far. `malformed`: by what was wrong; `samples`: the first few."""

    rows: int = 0
    outside: int = 0  # rows before `since`, or from `until` on
    missing: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def bad(self, what: str, line: int, detail: str) -> None:
        """Count something that cannot be read; `line` of the file."""
        self.malformed[what] += 1
        if len(self.samples) < _SHOWN:
            self.samples.append(f"line {line}: {detail}")


@dataclass(frozen=True, slots=True)
class Span:
    """Readings from `since` (inclusive) until `until` (exclusive); None: open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """True inside."""
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment < self.until
        )


@dataclass(frozen=True, slots=True)
class _Channel:
    """A column, resolved: `sensor` None: the row says. `gate`: index of the column it requires."""

    name: str
    index: int
    sensor: str | None
    metric: str
    factor: float
    offset: float
    missing: frozenset[str]
    gate: int | None

    def reading(self, row: Sequence[str], sensor: str, at: datetime) -> Reading | None:
        """None if the value is missing. ValueError if it is no finite number."""
        text = row[self.index]
        if text in self.missing or (self.gate is not None and not _is_open(row[self.gate])):
            return None
        value = float(text)
        if not math.isfinite(value):
            raise ValueError
        if self.factor != 1.0 or self.offset:
            value = round(value * self.factor + self.offset, _DECIMALS)
        return Reading(self.sensor or sensor, self.metric, at, value)


class Table:
    """One file with its header. `name` is what errors call the mapping."""

    def __init__(self, mapping: Mapping, header: Sequence[str], name: str = "mapping") -> None:
        self._mapping = mapping
        self._name = name
        self._header = list(header)
        self._times = mapping.time.times()
        self._time_index = self._index(mapping.time.column, "time.column")
        column = mapping.sensor.column
        self._sensor_index = None if column is None else self._index(column, "sensor.column")
        self._name_index: int | None = None
        if mapping.long is None:
            self._channels = [
                self._channel(name, column, self._header.index(name))
                for name, column in self._named_columns()
            ]
        else:
            self._name_index = self._index(mapping.long.name, "long.name")
            value = self._index(mapping.long.value, "long.value")
            columns = mapping.columns.items()
            self._channels = [self._channel(name, column, value) for name, column in columns]
        self._by_name = {channel.name: channel for channel in self._channels}

    def readings(
        self, rows: Iterable[Sequence[str]], tally: Tally, span: Span, skip: int = 0
    ) -> Iterator[list[Reading]]:
        """The readings of each row after the first `skip`; empty where a row has none."""
        for number, row in enumerate(rows, 1):
            tally.rows = number
            if number > skip:
                yield self._row(row, number + 1, tally, span)

    def known_sensors(self) -> list[Registration]:
        """The sensors that the mapping and header name; a sensor column's show up as they come."""
        metrics: dict[str, list[str]] = {}
        called: dict[str, str] = {}
        for channel in self._channels:
            if channel.sensor is not None:
                metrics.setdefault(channel.sensor, []).append(channel.metric)
                called[channel.sensor] = channel.name
        return [
            self._registration(sensor, called[sensor], tuple(dict.fromkeys(codes)))
            for sensor, codes in metrics.items()
        ]

    def found_sensor(self, sensor_id: str) -> Registration:
        """A sensor that a row named."""
        called = sensor_id.removeprefix(self._mapping.sensor.prefix)
        return self._registration(sensor_id, called, self._mapping.metrics)

    def _registration(self, sensor: str, called: str, metrics: tuple[str, ...]) -> Registration:
        name = self._mapping.sensor.name or f"{self._mapping.title} {{}}"
        return Registration(sensor, name.replace("{}", called)[:200], metrics)

    def _row(self, row: Sequence[str], line: int, tally: Tally, span: Span) -> list[Reading]:
        if len(row) != len(self._header):
            tally.bad("columns", line, f"{len(row)} columns, the header has {len(self._header)}")
            return []
        sensor = self._sensor(row)
        if sensor is not None and not _SENSOR_ID.match(sensor):
            tally.bad("sensor", line, f"'{sensor}' cannot be a sensor's id")
            return []
        try:
            at = self._times.instant(row[self._time_index], sensor or "")
        except BadTime as error:
            tally.bad("time", line, str(error))
            return []
        if not span.holds(at):
            tally.outside += 1
            return []
        return self._values(row, line, sensor or "", at, tally)

    def _values(
        self, row: Sequence[str], line: int, sensor: str, at: datetime, tally: Tally
    ) -> list[Reading]:
        found = []
        for channel in self._of(row):
            try:
                reading = channel.reading(row, sensor, at)
            except ValueError:
                text = row[channel.index]
                tally.bad("value", line, f"column {channel.name}: '{text}' is no number")
                continue
            if reading is None:
                tally.missing += 1
            else:
                found.append(reading)
        return found

    def _of(self, row: Sequence[str]) -> Sequence[_Channel]:
        if self._name_index is None:
            return self._channels
        channel = self._by_name.get(row[self._name_index])
        return () if channel is None else (channel,)

    def _sensor(self, row: Sequence[str]) -> str | None:
        source = self._mapping.sensor
        if self._sensor_index is None:
            return source.id
        return source.prefix + row[self._sensor_index]

    def _named_columns(self) -> Iterator[tuple[str, Column]]:
        columns = self._mapping.columns
        for name in columns:
            if name != EVERY_OTHER:
                self._index(name, f"columns.{name}")
        taken = {self._mapping.time.column, self._mapping.sensor.column}
        for name in self._header:
            if name in columns:
                yield name, columns[name]
            elif EVERY_OTHER in columns and name not in taken:
                yield name, columns[EVERY_OTHER]

    def _channel(self, name: str, column: Column, index: int) -> _Channel:
        source = self._mapping.sensor
        own = source.prefix + name if source.header else source.id
        sensor = column.sensor or own
        if sensor is not None and not _SENSOR_ID.match(sensor):
            raise BadMapping(f"{self._name}: column '{name}': '{sensor}' cannot be a sensor's id")
        gate = None
        if column.requires is not None:
            gate = self._index(column.requires, f"columns.{name}.requires")
        return _Channel(
            name, index, sensor, column.metric, column.factor, column.offset,
            frozenset((*self._mapping.missing, *column.missing)), gate,
        )  # fmt: skip

    def _index(self, column: str, field_name: str) -> int:
        if column not in self._header:
            has = ", ".join(self._header[:12])
            raise BadMapping(
                f"{self._name}: {field_name}: the file has no column '{column}' (it has {has})"
            )
        return self._header.index(column)


def _is_open(text: str) -> bool:
    try:
        return float(text) != 0
    except ValueError:
        return False
