"""A rule: what it says, and the predicates it is compiled to. Pure."""

import re
from collections.abc import Callable, Set
from fnmatch import fnmatchcase
from typing import Annotated, Any

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


class Rule(BaseModel):
    """A threshold on one metric, judged per sensor on event time.

    Raised on strict `>` / `<`; `deadband` (metric's unit) applies to clearing only; `for` is the
    on-delay. `grade` 1–4: event grade I–IV; `priority` 1–4: the operator's order. `deadline` counts
    from the opening. `sensors` are globs; `areas` hold everything below them; both empty: all.
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
    grade: Annotated[int, Field(ge=1, le=4, strict=True)]
    priority: Annotated[int, Field(ge=1, le=4, strict=True)]
    department: Annotated[str, Field(min_length=1)] | None = "指挥中心"
    deadline_seconds: Annotated[int, Field(gt=0, strict=True)] | None = Field(
        None, alias="deadline"
    )
    sensors: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()

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
        if (self.above is None) == (self.below is None):
            raise ValueError("a rule needs exactly one of 'above' and 'below'")
        return self

    @property
    def threshold(self) -> float:
        """The limit, in the metric's unit."""
        limit = self.above if self.above is not None else self.below
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
    if rule.above is not None:
        back = limit - rule.deadband
        return (lambda value: value > limit), (lambda value: value <= back)
    back = limit + rule.deadband
    return (lambda value: value < limit), (lambda value: value >= back)
