"""A rule: what it says, and the predicates it is compiled to. Pure."""

import re
from collections.abc import Callable, Set
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.contracts.reading import METRIC_PATTERN

_DURATION = re.compile(r"(\d{1,9})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]


class Title(BaseModel):
    """What an operator reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


Grade = Annotated[int, Field(ge=1, le=4, strict=True)]
Priority = Annotated[int, Field(ge=1, le=4, strict=True)]
Colour = Literal["red", "orange", "yellow", "blue"]
Grouping = Literal["rule", "cause", "category", "subject", "area", "district"]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class Level(BaseModel):
    """One step of a severity ladder: beyond this limit, so grave."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above: Number | None = None
    below: Number | None = None
    grade: Grade
    priority: Priority
    warning: Colour | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> "Level":
        if (self.above is None) == (self.below is None):
            raise ValueError("a level needs exactly one of 'above' and 'below'")
        return self


class Rule(BaseModel):
    """A threshold on one metric, judged per sensor on event time.

    Raised on strict `>` / `<`; `deadband` (metric's unit) applies to clearing only; `for` is the
    on-delay. `grade` 1–4: event grade I–IV; `priority` 1–4: the operator's order. `deadline` counts
    from the opening. `sensors` are globs; `areas` hold everything below them; both empty: all.
    `levels`: the severity ladder, mildest first, in the place of one limit. `group_by`: what alerts
    of one incident share (empty: as the platform does); `cause`, `category`: what it is about;
    `warning`: the public warning's colour, a scale of its own; `runbook`: what to do, text or URL.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    version: Annotated[int, Field(ge=1, strict=True)] = 1
    title: Title
    metric: Annotated[str, Field(pattern=METRIC_PATTERN)]
    above: Number | None = None
    below: Number | None = None
    deadband: Annotated[Number, Field(ge=0)] = 0.0
    for_seconds: Annotated[int, Field(alias="for", ge=0, strict=True)] = 0
    levels: Annotated[tuple[Level, ...], Field(max_length=8)] = ()
    grade: Grade
    priority: Priority
    department: Annotated[str, Field(min_length=1)] | None = "指挥中心"
    deadline_seconds: Annotated[int, Field(gt=0, strict=True)] | None = Field(
        None, alias="deadline"
    )
    sensors: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    enabled: Annotated[bool, Field(strict=True)] = True
    group_by: tuple[Grouping, ...] = ()
    cause: Words | None = None
    category: Words | None = None
    warning: Colour | None = None
    runbook: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _mildest(cls, given: Any) -> Any:
        """A ladder's first level says how grave the rule is, where the rule does not."""
        levels = given.get("levels") if isinstance(given, dict) else None
        first = levels[0] if isinstance(levels, list | tuple) and levels else None
        if isinstance(first, Level):
            first = first.model_dump(exclude_none=True)
        if not isinstance(first, dict):
            return given
        shared = ("grade", "priority", "warning")
        return {name: first[name] for name in shared if name in first} | given

    @field_validator("for_seconds", "deadline_seconds", mode="before")
    @classmethod
    def _parse_duration(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _DURATION.fullmatch(value)
        if found is None:
            raise ValueError(f"'{value}' is not a duration such as 30s, 5m or 2h")
        return int(found[1]) * _SECONDS[found[2]]

    @model_validator(mode="after")
    def _one_threshold(self) -> "Rule":
        limits = (self.above is not None, self.below is not None, bool(self.levels))
        if limits.count(True) != 1:
            raise ValueError("a rule needs exactly one of 'above', 'below' and 'levels'")
        return self

    @property
    def threshold(self) -> float:
        """The limit, in the metric's unit."""
        mildest = self.levels[0] if self.levels else self
        limit = mildest.above if mildest.above is not None else mildest.below
        assert limit is not None
        return limit

    def concerns(self, sensor_id: str, area_ids: Set[str]) -> bool:
        """True when this rule watches the sensor. `area_ids`: every area that it lies in."""
        if self.areas and area_ids.isdisjoint(self.areas):
            return False
        return not self.sensors or any(fnmatchcase(sensor_id, glob) for glob in self.sensors)

    def public(self) -> dict[str, Any]:
        """The rule as `GET /v1/rules` shows it."""
        return self.model_dump(mode="json")


Predicate = Callable[[float], bool]


def compile_predicates(rule: Rule) -> tuple[Predicate, Predicate]:
    """(raises, clears) as closures over plain floats."""
    limit = rule.threshold
    mildest = rule.levels[0] if rule.levels else rule
    if mildest.above is not None:
        back = limit - rule.deadband
        return (lambda value: value > limit), (lambda value: value <= back)
    back = limit + rule.deadband
    return (lambda value: value < limit), (lambda value: value >= back)
