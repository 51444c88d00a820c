"""The query parameters of `GET /v1/history`, and which of four questions they ask. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.ops_center.history.span import (
    AREA_POINTS,
    DEFAULT_POINTS,
    MAX_POINTS,
    MIN_POINTS,
    BadParameter,
    Span,
    moment_of,
    span_of,
)
from shared.contracts.live import Domain
from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN

MAX_NAMES = 500
_AREA_PATTERN = SENSOR_ID_PATTERN
_EARLIER, _LATER = "2026-05-01T08:00:00+08:00", "2026-05-01T09:00:00+08:00"
_TIME = "RFC 3339 with offset"


class Asked(BaseModel):
    """The parameters as they come. Those that may be repeated are alternatives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sensor_id: Annotated[
        list[str],
        Field(max_length=MAX_NAMES, description="One; several (repeated) for `at` and raw exports"),
    ] = []
    metric: Annotated[
        list[str],
        Field(max_length=MAX_NAMES, description="One; several (repeated) for `at` and raw exports"),
    ] = []
    start: Annotated[
        str | None,
        Field(alias="from", description=f"Inclusive, {_TIME}; default: 24 h before `to`",
              examples=[_EARLIER]),
    ] = None  # fmt: skip
    end: Annotated[
        str | None,
        Field(alias="to", description=f"Exclusive, {_TIME}; default: now", examples=[_LATER]),
    ] = None
    points: Annotated[
        int | None,
        Field(ge=MIN_POINTS, le=MAX_POINTS,
              description=f"Most items; default {DEFAULT_POINTS}; per area {AREA_POINTS}"),
    ] = None  # fmt: skip
    at: Annotated[
        str | None,
        Field(description=f"The whole city at this moment instead of a span, {_TIME}",
              examples=[_EARLIER]),
    ] = None  # fmt: skip
    group_by: Annotated[
        str | None,
        Field(description="One metric summed up by the areas of this level: `district`, `city`, …",
              max_length=64, examples=["district"]),
    ] = None  # fmt: skip
    resolution: Annotated[
        Literal["auto", "raw"],
        Field(description="`raw`: every reading of the selected series, however many there are"),
    ] = "auto"
    area_id: Annotated[
        list[str],
        Field(max_length=MAX_NAMES, description="Only sensors in these areas or areas below them"),
    ] = []
    domain: Annotated[
        list[Domain], Field(description="Only metrics of these domains (`at` and raw exports)")
    ] = []


@dataclass(frozen=True, slots=True)
class Selection:
    """Which series: each criterion that is not empty must hold. `within`: areas too, which who
    asks is confined to."""

    sensor_ids: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    area_ids: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesQuestion:
    """One series over a span, in at most `points` items. `within`: see `Selection`; `exact`:
    nothing from before the span, not in the first bucket either."""

    sensor_id: str
    metric: str
    span: Span
    points: int
    within: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class MomentQuestion:
    """The state of every selected series at a past moment; `since`: by readings from then on."""

    at: datetime
    selection: Selection
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AreasQuestion:
    """One metric by the areas of one level, over a span, in at most `points` items per area."""

    metric: str
    level: str
    area_ids: tuple[str, ...]
    span: Span
    points: int
    exact: bool = False


@dataclass(frozen=True, slots=True)
class ExportQuestion:
    """Every reading of the selected series in a span."""

    selection: Selection
    span: Span


Question = SeriesQuestion | MomentQuestion | AreasQuestion | ExportQuestion


def question_of(asked: Asked, now: datetime) -> Question:
    """What is asked. Raises `BadParameter` for what is wrong, missing or does not belong."""
    _check_names(asked)
    if asked.at is not None:
        _refuse(asked, "at", ("start", "end", "points", "group_by", "resolution"))
        at = moment_of("at", asked.at)
        if at > now:
            raise BadParameter("at", "a moment in the past: nothing is known of the future")
        return MomentQuestion(at, _selection(asked))
    span = span_of(asked.start, asked.end, now)
    if asked.group_by is not None:
        _refuse(asked, "group_by", ("sensor_id", "domain", "resolution"))
        metric = _one(asked.metric, "metric")
        return AreasQuestion(
            metric, asked.group_by, tuple(asked.area_id), span, asked.points or AREA_POINTS
        )
    if asked.resolution == "raw":
        _refuse(asked, "resolution=raw", ("points",))
        return ExportQuestion(_selection(asked), span)
    _refuse(asked, "one series", ("area_id", "domain"))
    sensor_id = _one(asked.sensor_id, "sensor_id")
    return SeriesQuestion(
        sensor_id, _one(asked.metric, "metric"), span, asked.points or DEFAULT_POINTS
    )


def _selection(asked: Asked) -> Selection:
    lists = (asked.sensor_id, asked.metric, asked.area_id, asked.domain)
    return Selection(*(tuple(dict.fromkeys(names)) for names in lists))


def _one(names: list[str], parameter: str) -> str:
    if len(names) == 1:
        return names[0]
    detail = (
        f"'{parameter}' is needed, unless 'at', 'group_by' or 'resolution=raw' is given"
        if not names
        else f"one '{parameter}'; several only with 'at' or 'resolution=raw'"
    )
    raise BadParameter(parameter, detail, "missing" if not names else "too_many")


def _refuse(asked: Asked, beside: str, fields: tuple[str, ...]) -> None:
    """A parameter that would have no effect is a mistake of the one who asks."""
    for field in fields:
        if getattr(asked, field) != Asked.model_fields[field].default:
            name = Asked.model_fields[field].alias or field
            raise BadParameter(name, f"'{name}' has no meaning with {beside}", "conflict")


def _check_names(asked: Asked) -> None:
    for field, pattern in (
        ("sensor_id", SENSOR_ID_PATTERN), ("metric", METRIC_PATTERN), ("area_id", _AREA_PATTERN)
    ):  # fmt: skip
        for name in getattr(asked, field):
            if len(name) > 64 or re.fullmatch(pattern, name) is None:
                raise BadParameter(field, f"should match {pattern}")
