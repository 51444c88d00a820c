"""Test files of rules: what is sent, and what is expected of it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from services.alerts.rehearsal import series
from services.alerts.rules import durations, numbered, wording
from services.alerts.rules.numbered import Entry, Fault

START = datetime(2026, 5, 1, tzinfo=UTC)  # a Friday, 08:00 in Zhaoqing


def _seconds(value: Any) -> Any:
    return durations.seconds(value) if isinstance(value, str) else value


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Span = Annotated[int, Field(ge=0, le=10_000_000), BeforeValidator(_seconds)]
Names = Annotated[tuple[str, ...], BeforeValidator(_list)]


class Model(BaseModel):
    """Nothing here may be misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Standing(Model):
    """An alert as it stands at a moment. What is left out is not compared."""

    rule: str
    subject: str
    state: Literal["active", "no_data"] = "active"
    grade: int | None = None
    priority: int | None = None
    warning: Literal["red", "orange", "yellow", "blue", "none"] | None = None


class Moment(Model):
    """All alerts at `at` after the start: no other may stand."""

    at: Span
    alerts: tuple[Standing, ...]


class Raised(Model):
    """An alert that was raised at any time: since when, and when it cleared (null: never)."""

    rule: str
    subject: str
    start: Span
    end: Annotated[int | None, BeforeValidator(_seconds)] = -1  # -1: not compared


class Case(Model):
    """A story: `series` (`<sensor> <metric>` → samples, one per `interval`), and what follows.

    `places`: sensor → the areas it lies in. `groups`… of a rule are its own.
    """

    name: str
    start: AwareDatetime = START
    interval: Annotated[int, Field(ge=1), BeforeValidator(_seconds)]
    series: Mapping[str, str]
    places: Mapping[str, Names] = {}
    expect: tuple[Moment, ...] = ()
    raised: tuple[Raised, ...] | None = None


class CaseFile(Model):
    """`rules`: rule files, relative to this one; left out: the file of the same name above."""

    rules: Names = ()
    interval: Annotated[int, Field(ge=1), BeforeValidator(_seconds)] = 60
    tests: tuple[Case, ...]


class Written:
    """A test file with its lines."""

    def __init__(self, model: CaseFile, entry: Entry) -> None:
        self.model = model
        self._entry = entry

    def line(self, *loc: int | str) -> int:
        """Where something stands, such as ("tests", 0, "expect", 2)."""
        value: Any = self._entry
        line = self._entry.line
        for part in loc:
            if isinstance(value, Entry):
                line = value.lines.get(part, line)
            value = value[part]
            line = value.line if isinstance(value, Entry) else line
        return line


def parse(text: str) -> Written | Fault:
    """The cases of one file, or what is wrong with it and where."""
    entry = numbered.read(text)
    if isinstance(entry, Fault):
        return entry
    if not isinstance(entry, Entry):
        return Fault(1, "a test file is a mapping with the key 'tests'")
    fault = numbered.fault(entry)
    if fault is not None:
        return fault
    try:
        model = CaseFile.model_validate(_with_interval(entry))
    except ValidationError as error:
        return _invalid(entry, error)
    written = Written(model, entry)
    return _wrong_series(written) or written


def _with_interval(entry: Entry) -> dict[str, Any]:
    """The file's own interval is that of every test that names none."""
    tests = entry.get("tests")
    if not isinstance(tests, list):
        return entry
    usual = {"interval": entry.get("interval", 60)}
    return {**entry, "tests": [usual | one if isinstance(one, dict) else one for one in tests]}


def _invalid(entry: Entry, error: ValidationError) -> Fault:
    first = error.errors()[0]
    keys = [
        key for model in (CaseFile, Case, Moment, Standing, Raised) for key in model.model_fields
    ]
    place = ".".join(str(part) for part in first["loc"])
    return Fault(numbered.line_of(entry, first["loc"]), f"{place}: {wording.plain(first, keys)}")


def _wrong_series(written: Written) -> Fault | None:
    for number, case in enumerate(written.model.tests):
        for key, text in case.series.items():
            line = written.line("tests", number, "series", key)
            if len(key.split()) != 2:
                return Fault(line, f"'{key}': a series is called '<sensor> <metric>'")
            try:
                series.parse(text)
            except ValueError as error:
                return Fault(line, f"'{key}': {error}")
    return None


def sent(case: Case) -> Sequence[tuple[str, str, Sequence[series.Sample | None]]]:
    """(sensor, metric, samples) of a case."""
    found = []
    for key, text in case.series.items():
        sensor_id, metric = key.split()
        found.append((sensor_id, metric, series.parse(text)))
    return found
