"""A mapping: what the columns of a recorded file mean. Pure apart from reading its own file.

docs/simulator.md describes the format. A wrong mapping is refused with file, line and field.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.simulator.times import RepeatedHour, Times, zone_of
from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN
from shared.errors import Misconfigured

EVERY_OTHER = "*"

SensorId = Annotated[str, Field(pattern=SENSOR_ID_PATTERN)]
Prefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:\-]{0,40}$")]


class BadMapping(Misconfigured):
    """The mapping file is wrong: the message says where."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeColumn(_Part):
    """Which column holds the time, and how it is written; see `times.Times`."""

    column: str
    format: str = "iso"
    zone: str | None = None
    day: Literal["clock", "elapsed"] = "clock"
    repeated_hour: RepeatedHour = "order"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str | None) -> str | None:
        if zone is not None:
            zone_of(zone)
        return zone

    def times(self) -> Times:
        """A reader of the column."""
        zone = None if self.zone is None else zone_of(self.zone)
        return Times(self.format, zone, self.day == "elapsed", self.repeated_hour)


class SensorSource(_Part):
    """Where a reading's sensor comes from: a constant `id`, the value of `column` or, with
    `header`, the name of the reading's own column; the latter two after `prefix`."""

    id: SensorId | None = None
    column: str | None = None
    header: bool = False
    prefix: Prefix = ""
    name: str = ""  # of the sensor; {} stands for what the file calls it

    @model_validator(mode="after")
    def _one(self) -> "SensorSource":
        if sum((self.id is not None, self.column is not None, self.header)) != 1:
            raise ValueError("give exactly one of 'id', 'column' and 'header: true'")
        return self


class Column(_Part):
    """What a column measures: `value * factor + offset`, in the metric's unit.

    `sensor`: this column's own sensor; `missing`: texts that mean no value, beside the mapping's;
    `requires`: a column that must hold something other than 0, else the value means nothing.
    """

    metric: Annotated[str, Field(pattern=METRIC_PATTERN)]
    factor: float = 1.0
    offset: float = 0.0
    sensor: SensorId | None = None
    missing: tuple[str, ...] = ()
    requires: str | None = None


class Long(_Part):
    """A row is one reading: `name` holds which of `columns` it is, `value` its value."""

    name: str
    value: str


class Locations(_Part):
    """A file beside the data, of sensors' places: columns `sensor`, `lon`, `lat` (WGS 84)."""

    file: str
    sensor: str
    lon: str
    lat: str


class Mapping(_Part):
    """The whole file. `source` says where the data can be had, and under which licence."""

    title: str
    source: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    time: TimeColumn
    sensor: SensorSource
    missing: tuple[str, ...] = ("",)
    columns: Annotated[dict[str, Column], Field(min_length=1)]
    long: Long | None = None
    locations: Locations | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Mapping":
        if self.long is not None and self.sensor.header:
            raise ValueError("a long file has no column for each sensor: 'header' does not fit")
        return self

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric it speaks of."""
        return tuple(dict.fromkeys(column.metric for column in self.columns.values()))


def load_mapping(path: Path) -> Mapping:
    """Read and check. Raises `BadMapping`."""
    try:
        return parse_mapping(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise BadMapping(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadMapping(f"{path}: not UTF-8: {error.reason}") from error


def parse_mapping(text: str, name: str) -> Mapping:
    """A mapping's text, checked; `name` is what errors call it. Raises `BadMapping`."""
    try:
        raw = yaml.load(text, Loader=_Loader)
        lines = dict(_lines(yaml.compose(text, Loader=_Loader), ()))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        raise BadMapping(f"{place}: not YAML: {getattr(error, 'problem', error)}") from error
    try:
        return Mapping.model_validate(raw)
    except ValidationError as error:
        raise BadMapping("\n".join(_complaints(error, name, lines))) from error


class _Loader(yaml.SafeLoader):
    """YAML without guesses: `-06:00`, `0` and the column `NO` stay texts; only true and false."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])


def _lines(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if node is None:
        return
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield from _lines(value, below)
            yield below, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, str(index)))


def _complaints(
    error: ValidationError, name: str, lines: dict[tuple[str, ...], int]
) -> Iterator[str]:
    known = {(): 1} | lines
    for found in error.errors(include_url=False, include_context=False):
        path = tuple(str(part) for part in found["loc"])
        line = next(known[path[:n]] for n in range(len(path), -1, -1) if path[:n] in known)
        field = ".".join(path) or "mapping"
        yield f"{name}:{line}: {field}: {_said(found)}"


def _said(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "no such field"
    message: str = found["msg"]
    return message.removeprefix("Value error, ")
