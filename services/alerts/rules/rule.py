"""A rule: one condition, where and when it is asked, and what its alerts mean. Pure."""

import re
from collections.abc import Sequence, Set
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.alerts.rules.conditions import Condition, Metric
from services.alerts.rules.scales import (
    Colour,
    Grade,
    Level,
    Priority,
    Severity,
    Span,
    Strict,
    wrong,
)

_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_GLOB = re.compile(r"[*?\[]")
Grouping = Literal["rule", "cause", "category", "subject", "area", "district"]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
_MEASURED = ("rate", "compare", "week", "unusual", "forecast")
_LOW = {"grade": 4, "priority": 4}  # an early warning is nobody's alarm, unless it says so
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday", "restday"]


class Title(BaseModel):
    """What an operator reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Group(Strict):
    """Sensors that are judged together, by id or glob."""

    id: Name
    sensors: Annotated[tuple[str, ...], Field(min_length=1, max_length=1_000)]

    def holds(self, sensor_id: str) -> bool:
        """True when the sensor belongs to it."""
        return matches(sensor_id, self.sensors)

    @property
    def size(self) -> int | None:
        """How many sensors it has; None when globs leave that open."""
        if any(_GLOB.search(one) for one in self.sensors):
            return None
        return len(set(self.sensors))


class Active(Strict):
    """When a rule is asked, in China Standard Time; outside of it the condition does not hold.

    `hours`: "22:00-06:00" belongs to the day on which it begins. `days`: empty is every day;
    `workday`, `restday` by the calendar of holidays and make-up workdays.
    """

    hours: str = "00:00-24:00"
    days: tuple[Day, ...] = ()

    @property
    def minutes(self) -> tuple[int, int]:
        """(from, to) in minutes after midnight; `to` is beyond 1,440 when it is on the next day."""
        found = _HOURS.fullmatch(self.hours)
        assert found is not None
        start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        return start, end if end > start else end + 1_440

    @model_validator(mode="after")
    def _readable(self) -> "Active":
        if _HOURS.fullmatch(self.hours) is None or max(self.hours.split("-")) > "24:00":
            raise wrong("hours", f"'{self.hours[:40]}' is not a span of hours such as 22:00-06:00")
        return self


class Flapping(Strict):
    """More than `raises` within `within` of event time: one flapping alert, until `within` calm."""

    raises: Annotated[int, Field(ge=2, le=100, strict=True)] = 5
    within: Span = 1_800


class Rule(Condition):
    """A condition, judged on event time for each subject: a sensor, an area or a group.

    `metric`: of its conditions, where they name no other. `sensors` are globs; `areas` hold
    everything below them; both empty: all. `quality`: the worst that is heard. `no_data`: after so
    long without a reading nothing is known (unless said: 15 minutes, or three of its intervals).
    `grade` 1–4: event grade I–IV; `priority` 1–4: the operator's order; a ladder's levels have
    their own. `deadline` counts from the opening. `group_by`: what alerts of one incident share
    (empty: as the platform does); `cause`, `category`: what it is about; `warning`: the public
    warning's colour, a scale of its own; `runbook`: what to do, text or URL.
    """

    id: Name
    version: Annotated[int, Field(ge=1, strict=True)] = 1
    title: Title
    metric: Metric
    subject: Literal["sensor", "area", "group"] = "sensor"
    groups: Annotated[tuple[Group, ...], Field(max_length=100)] = ()
    grade: Grade
    priority: Priority
    department: Annotated[str, Field(min_length=1)] | None = "指挥中心"
    deadline_seconds: Annotated[Span | None, Field(alias="deadline")] = None
    sensors: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    quality: Literal["good", "suspect", "bad"] = "suspect"
    active: Active | None = None
    no_data: Span | None = None
    flapping: Flapping = Flapping()
    enabled: Annotated[bool, Field(strict=True)] = True
    group_by: tuple[Grouping, ...] = ()
    cause: Words | None = None
    category: Words | None = None
    warning: Colour | None = None
    runbook: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _mildest(cls, given: Any) -> Any:
        """A ladder's first level says how grave the rule is, where the rule does not; else a
        forecast is of the mildest kind. Groups make a rule one over groups."""
        if not isinstance(given, dict):
            return given
        first = _first_level(given)
        meanings = ("grade", "priority", "warning")
        shared: dict[str, Any] = _LOW if given.get("forecast") is not None else {}
        shared = shared | {name: first[name] for name in meanings if name in first}
        if given.get("groups"):
            shared["subject"] = "group"
        return shared | given

    @model_validator(mode="after")
    def _judgeable(self) -> "Rule":
        if (self.subject == "group") != bool(self.groups):
            raise wrong("subject", "a rule over groups names its 'groups', and no other does")
        if self.subject == "area" and not self.areas:
            raise wrong("subject", "a rule over areas names its 'areas'")
        if self.sensor is not None:
            raise wrong("sensor", "a rule is asked of 'sensors'; 'sensor' belongs inside")
        inside = [one for one in self.walk() if one is not self]
        named = [one for one in inside if one.sensor is not None]
        if self.subject == "sensor" and any(one.kind == "count" for one in self.walk()):
            raise wrong("subject", "a count needs 'subject: area', or 'groups'")
        if self.subject == "sensor" and named:
            raise ValueError(f"'sensor: {named[0].sensor}' needs a rule over an area or a group")
        if self.compare is not None and not (self.subject == "sensor" and self.sensors):
            raise wrong("compare", "a comparison names the 'sensors' that it is asked of")
        if self.subject != "sensor" and self.timed and self.several:
            raise wrong("for", "in a rule over several sensors it belongs to each one's condition")
        if self.active is not None and any(one.kind == "absent" for one in self.walk()):
            raise wrong("active", "silence is noticed at any hour: 'absent' has no 'active'")
        return self

    @property
    def threshold(self) -> float:
        """The mildest limit, in the unit of what is measured; 0 where there is none."""
        return next(iter(self.limits.ladder), 0.0)

    @property
    def severities(self) -> tuple[Severity, ...]:
        """What each level reached means; one level where there is no ladder."""
        return self.limits.levels or (
            Severity(grade=self.grade, priority=self.priority, warning=self.warning),
        )

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that it listens to."""
        return frozenset(one.metric or self.metric for one in self.walk() if not one.inner)

    def concerns(self, sensor_id: str, area_ids: Set[str]) -> bool:
        """True when this rule watches the sensor. `area_ids`: every area that it lies in."""
        if self.areas and area_ids.isdisjoint(self.areas):
            return False
        return not self.sensors or matches(sensor_id, self.sensors)

    def public(self) -> dict[str, Any]:
        """The rule as `GET /v1/rules` shows it."""
        return self.model_dump(mode="json")


def matches(sensor_id: str, globs: Sequence[str]) -> bool:
    """True when one of the ids or globs means the sensor."""
    return any(fnmatchcase(sensor_id, glob) for glob in globs)


def _first_level(given: dict[str, Any]) -> dict[str, Any]:
    """The first level of a ladder, wherever the rule has it."""
    holders = [given, *(given.get(kind) for kind in _MEASURED)]
    for holder in holders:
        levels = holder.get("levels") if isinstance(holder, dict) else None
        first = levels[0] if isinstance(levels, list | tuple) and levels else None
        if isinstance(first, Level):
            return first.model_dump(exclude_none=True)
        if isinstance(first, dict):
            return first
    return {}
