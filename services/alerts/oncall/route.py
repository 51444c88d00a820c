"""Routes: which incident goes to which chain, and how its messages are gathered. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from services.alerts.incidents.grouping import ALONE
from services.alerts.oncall.entry import Code, Entry, Words, Zone
from services.alerts.oncall.hours import Hours, spans, within
from services.alerts.silencing.matchers import Patterns, Priorities

GroupBy = Literal["area", "category", "cause", "kind", "priority", "rule"]
WEEK = timedelta(days=7)


class Told(Protocol):
    """What routes look at of an incident."""

    @property
    def rule_id(self) -> str | None:
        """None: a report of people."""

    @property
    def metric(self) -> str | None:
        """Its code."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Sensors, or what a rule over several is about."""

    @property
    def cause(self) -> str | None:
        """What lies behind it."""

    @property
    def category(self) -> str | None:
        """What it is about."""

    @property
    def kind(self) -> str:
        """alert, report or flood."""

    @property
    def area_id(self) -> str | None:
        """Its district."""

    @property
    def priority(self) -> int:
        """1 (the most urgent) to 4."""


class RouteMatchers(Entry):
    """An incident fits when each field that is given has one of its values; `*` and `?` stand for
    any characters or one. `area`: one of those it lies in; `subject`: one of its subjects."""

    rule: Patterns = ()
    metric: Patterns = ()
    area: Patterns = ()
    subject: Patterns = ()
    cause: Patterns = ()
    category: Patterns = ()
    kind: Patterns = ()
    priority: Priorities = ()

    def fit(self, told: Told, areas: Sequence[str]) -> bool:
        """Whether an incident is meant. `areas`: all that it lies in."""
        return (
            _fits(self.rule, told.rule_id)
            and _fits(self.metric, told.metric)
            and _fits(self.area, *areas, told.area_id)
            and _fits(self.subject, *told.subjects)
            and _fits(self.cause, told.cause)
            and _fits(self.category, told.category)
            and _fits(self.kind, told.kind)
            and (not self.priority or told.priority in self.priority)
        )


class MuteTime(Entry):
    """When nobody is told, by the clocks of `zone`."""

    zone: Zone = "Asia/Shanghai"
    hours: Annotated[tuple[Hours, ...], Field(min_length=1, max_length=20)]

    def holds(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        return within(self.hours, ZoneInfo(self.zone), at)


class Route(Entry):
    """`continue`: routes after this one are looked at as well. `group_by`: incidents that agree in
    these leave in one message; `group_wait_seconds` it waits for company, `group_interval_seconds`
    pass between messages of a group, `repeat_interval_seconds` until one that says nothing new."""

    route_id: Code
    name: Words
    matchers: RouteMatchers = RouteMatchers()
    chain: Code
    continues: bool = Field(default=False, alias="continue", strict=True)
    group_by: Annotated[tuple[GroupBy, ...], Field(max_length=6)] = ("category", "area")
    group_wait_seconds: Annotated[int, Field(ge=0, le=600, strict=True)] = 30
    group_interval_seconds: Annotated[int, Field(ge=30, le=86_400, strict=True)] = 300
    repeat_interval_seconds: Annotated[int, Field(ge=300, le=604_800, strict=True)] = 14_400
    mute_times: Annotated[tuple[MuteTime, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _intervals(self) -> "Route":
        if self.repeat_interval_seconds < self.group_interval_seconds:
            raise ValueError("repeat_interval_seconds is at least group_interval_seconds")
        return self

    def muted(self, told: Told, at: datetime) -> bool:
        """Whether nobody is told of it now, as this is a mute time. Priority 1 is never muted."""
        return told.priority != ALONE and any(one.holds(at) for one in self.mute_times)

    def muted_until(self, told: Told, at: datetime) -> datetime | None:
        """When the mute time of a moment ends, at the latest a week on; None: it is not muted."""
        if not self.muted(told, at):
            return None
        ends = {
            end
            for one in self.mute_times
            for _, end in spans(one.hours, ZoneInfo(one.zone), at, at + WEEK)
        }
        free = (end for end in sorted(ends) if at < end <= at + WEEK and not self.muted(told, end))
        return next(free, at + WEEK)

    def group(self, told: Told) -> tuple[str, ...]:
        """Its values of `group_by`, in that order; what it lacks: ''."""
        values = {
            "area": told.area_id, "category": told.category, "cause": told.cause,
            "kind": told.kind, "priority": str(told.priority), "rule": told.rule_id,
        }  # fmt: skip
        return tuple(values[name] or "" for name in self.group_by)


def _fits(patterns: tuple[str, ...], *values: str | None) -> bool:
    if not patterns:
        return True
    return any(
        value is not None and fnmatchcase(value, pattern)
        for value in values
        for pattern in patterns
    )
