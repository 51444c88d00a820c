"""A rule, compiled: what each sensor is asked, and how that is combined. Pure."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.alerts.judging.alarm import Steps, Timing, steps_of, timing_of
from services.alerts.judging.logic import Expression, combined, place
from services.alerts.judging.measures import Measure, measure_of
from services.alerts.judging.schedule import DayKind, Schedule
from services.alerts.rules.conditions import Condition
from services.alerts.rules.rule import Rule

QUALITIES = {"good": 0, "suspect": 1, "bad": 2}
_MEANINGS = frozenset(
    {"id", "version", "title", "grade", "priority", "department", "deadline_seconds", "sensors",
     "areas", "enabled", "group_by", "cause", "category", "warning", "runbook", "flapping"}
)  # fmt: skip
_LIMITED = ("rate", "compare", "week", "unusual", "forecast")
_ADDED_LATER = frozenset({"unusual", "forecast"})


@dataclass(frozen=True, eq=False, slots=True)
class Leaf:
    """One condition on one metric of a sensor. `absent_us`: 0 unless it is about silence."""

    metric: str
    timing: Timing
    measure: Callable[[], Measure | None]
    beyond: Steps
    kept: Steps
    absent_us: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """What one sensor is asked: one leaf, or several combined by `truth`. `index`: its place in
    the rule. `band`: values of a plain threshold that wake nothing."""

    index: int
    leaves: tuple[Leaf, ...]
    truth: Expression | None
    timing: Timing
    band: tuple[float, float] | None = None
    sensor: str | None = None

    @property
    def waits(self) -> bool:
        """True when it is only about silence: readings need not be heard while all is well."""
        return self.truth is None and bool(self.leaves[0].absent_us)


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """A rule with its parts. `local`: judged at each sensor alone; else `whole` combines them."""

    rule: Rule
    parts: tuple[Part, ...]
    local: bool
    fingerprint: str
    schedule: Schedule | None
    silence_us: int | None
    quality: int
    whole: Condition | None = None

    def active(self, at_us: int) -> bool:
        """True when the rule is asked at that time."""
        return self.schedule is None or self.schedule.holds(at_us)


def compile_rule(rule: Rule, day_kind: DayKind) -> Plan:
    """The rule as it is judged."""
    local = rule.subject == "sensor" and not rule.several
    asked: Sequence[Condition] = (rule,) if local else members(rule)
    return Plan(
        rule=rule,
        parts=tuple(_part(index, one, rule) for index, one in enumerate(asked)),
        local=local,
        fingerprint=fingerprint_of(rule),
        schedule=None if rule.active is None else Schedule(rule.active, day_kind),
        silence_us=None if rule.no_data is None else rule.no_data * 1_000_000,
        quality=QUALITIES[rule.quality],
        whole=None if local else rule,
    )


def members(condition: Condition) -> list[Condition]:
    """What a rule over several sensors asks each of them, in the order of its parts."""
    if condition.count is not None:
        return [condition.count.of]
    if condition.compare is not None:
        return [condition]
    if alone(condition):
        return [condition]
    return [one for inner in condition.inner for one in members(inner)]


def alone(condition: Condition) -> bool:
    """True when it can be asked of one sensor (or of just the one that it names)."""
    inside = [one for one in condition.walk() if one is not condition]
    return not condition.several and all(one.sensor is None for one in inside)


def fingerprint_of(rule: Rule) -> str:
    """Names what is asked, whatever its alerts mean: state is kept while this stays the same."""
    asked = _said(rule.model_dump(mode="json", exclude=set(_MEANINGS)))
    for holder in (asked, *(asked.get(kind) or {} for kind in _LIMITED)):
        for level in holder.get("levels", ()):
            for meaning in ("grade", "priority", "warning"):
                del level[meaning]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _said(asked: Any) -> Any:
    """Without kinds of later days that are not asked: older states stay those of the same rule."""
    if isinstance(asked, list):
        return [_said(one) for one in asked]
    if not isinstance(asked, dict):
        return asked
    return {
        key: _said(value)
        for key, value in asked.items()
        if value is not None or key not in _ADDED_LATER
    }


def _part(index: int, condition: Condition, rule: Rule) -> Part:
    leaves: list[Leaf] = []
    truth = _expression(condition, rule, leaves)
    single = not condition.inner
    return Part(
        index=index,
        leaves=tuple(leaves),
        truth=None if single else truth,
        timing=leaves[0].timing if single else timing_of(condition),
        band=_band(condition) if single else None,
        sensor=condition.sensor,
    )


def _expression(condition: Condition, rule: Rule, leaves: list[Leaf]) -> Expression:
    if condition.inner:
        inner = [_expression(one, rule, leaves) for one in condition.inner]
        return combined(condition.kind, inner)
    leaves.append(_leaf(condition, condition.metric or rule.metric))
    return place(len(leaves) - 1)


def _leaf(condition: Condition, metric: str) -> Leaf:
    beyond: Steps = _nothing
    kept: Steps = _nothing
    if condition.absent is not None:
        pass  # a reading is never silence
    elif condition.stuck is not None:
        beyond = kept = _at_least(condition.stuck.for_seconds * 1_000_000)
    else:
        beyond, kept = steps_of(condition.limits)
    absent_us = (condition.absent or 0) * 1_000_000
    return Leaf(metric, timing_of(condition), measure_of(condition), beyond, kept, absent_us)


def _band(condition: Condition) -> tuple[float, float] | None:
    if condition.kind != "threshold":
        return None
    mildest = condition.ladder[0]
    return (-math.inf, mildest) if condition.upwards else (mildest, math.inf)


def _nothing(_: float) -> int:
    return 0


def _at_least(limit: float) -> Steps:
    return lambda measure: measure >= limit
