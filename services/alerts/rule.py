"""A rule: what it says, and how a YAML file says it. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.contracts.reading import METRIC_PATTERN

_DURATION = re.compile(r"^(\d+)(s|m|h)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LINE = "__line__"


class Title(BaseModel):
    """What an operator reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str


class Rule(BaseModel):
    """A threshold on one metric, judged per sensor on event time.

    Raised on strict `>` / `<`; `deadband` (metric's unit) applies to clearing only; `for` is the
    on-delay. `grade` 1–4: event grade I–IV; `priority` 1–4: the operator's order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    version: Annotated[int, Field(ge=1)] = 1
    title: Title
    metric: Annotated[str, Field(pattern=METRIC_PATTERN)]
    above: Annotated[float | None, Field(allow_inf_nan=False)] = None
    below: Annotated[float | None, Field(allow_inf_nan=False)] = None
    deadband: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    for_seconds: Annotated[int, Field(alias="for")] = 0
    grade: Annotated[int, Field(ge=1, le=4)]
    priority: Annotated[int, Field(ge=1, le=4)]
    department: str | None = None
    deadline_seconds: Annotated[int | None, Field(alias="deadline")] = None
    sensors: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()

    @field_validator("for_seconds", "deadline_seconds", mode="before")
    @classmethod
    def _parse_duration(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _DURATION.match(value)
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

    def concerns(self, sensor_id: str, area_id: str | None) -> bool:
        """True when this rule watches the sensor."""
        if self.areas and area_id not in self.areas:
            return False
        return not self.sensors or any(fnmatchcase(sensor_id, glob) for glob in self.sensors)

    def public(self) -> dict[str, Any]:
        """The rule as `GET /v1/rules` shows it."""
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class RuleError:
    """A rule that was refused. `line` counts from 1 in `file`."""

    file: str
    line: int
    detail: str


Predicate = Callable[[float], bool]


def compile_predicates(rule: Rule) -> tuple[Predicate, Predicate]:
    """(raises, clears) as closures over plain floats."""
    limit = rule.threshold
    if rule.above is not None:
        back = limit - rule.deadband
        return (lambda value: value > limit), (lambda value: value <= back)
    back = limit + rule.deadband
    return (lambda value: value < limit), (lambda value: value >= back)


def parse(text: str, file: str) -> tuple[list[Rule], list[RuleError]]:
    """Every rule of one file that is right, and what is wrong with the others."""
    try:
        document = yaml.load(text, Loader=_NumberedLoader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date, say
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or str(error)
        return [], [RuleError(file, mark.line + 1 if mark else 1, f"not YAML: {detail}")]
    if document is None:
        return [], []
    if not isinstance(document, list):
        return [], [RuleError(file, 1, "a rule file holds a list of rules")]
    rules: list[Rule] = []
    errors: list[RuleError] = []
    for entry in document:
        outcome = _parse_entry(entry, file)
        (rules if isinstance(outcome, Rule) else errors).append(outcome)  # type: ignore[arg-type]
    return rules, errors


def load(folder: Path) -> tuple[list[Rule], list[RuleError]]:
    """Every `*.yaml` of a folder, in the order of names; an id may be used once."""
    rules: dict[str, Rule] = {}
    errors: list[RuleError] = []
    for path in sorted(folder.glob("*.yaml")):
        found, wrong = parse(path.read_text(encoding="utf-8"), path.name)
        errors += wrong
        for rule in found:
            if rule.id in rules:
                errors.append(RuleError(path.name, 1, f"the id '{rule.id}' is used twice"))
            else:
                rules[rule.id] = rule
    return list(rules.values()), errors


def _parse_entry(entry: Any, file: str) -> Rule | RuleError:
    if not isinstance(entry, Mapping):
        return RuleError(file, 1, f"a rule is a mapping, not {type(entry).__name__}")
    fields = {name: value for name, value in entry.items() if name != _LINE}
    try:
        return Rule.model_validate(_without_lines(fields))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        detail = f"{fields.get('id', 'rule')}: {place + ': ' if place else ''}{first['msg']}"
        return RuleError(file, entry.get(_LINE, 1), detail)


def _without_lines(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_lines(inner) for name, inner in value.items() if name != _LINE}
    return value


class _NumberedLoader(yaml.SafeLoader):
    """Notes the line on which each mapping begins."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping, with its line under a key of our own."""
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        mapping[_LINE] = node.start_mark.line + 1
        return mapping
