"""Duty rosters: who is on duty at which moment. Pure.

An override holds against every layer; else the first layer that has somebody decides. A moment that
none covers is a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from services.alerts.oncall.entry import Code, Entry, Words, Zone
from services.alerts.oncall.hours import Hours, LocalTime, instant, within

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
Day = Annotated[date, Field(ge=FIRST, le=LAST)]
Turn = Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]


class Layer(Entry):
    """A rotation. `turns`: who is on duty together, one turn after the other from `starts_on` on,
    for `days` each; they hand over at `hand_over`, local time. `hours`: only then (none given:
    always). `ends_on`: the hand-over of this day is the last."""

    name: Words
    turns: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=100)]
    starts_on: Day
    ends_on: Day | None = None
    days: Annotated[int, Field(ge=1, le=366, strict=True)] = 7
    hand_over: LocalTime
    hours: Annotated[tuple[Hours, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _ends_later(self) -> "Layer":
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise ValueError("a layer ends after the day on which it starts")
        return self

    def begins(self, number: int, zone: ZoneInfo) -> datetime:
        """The hand-over to the turn of a number, counted from 0, in UTC."""
        day = self.starts_on + timedelta(days=self.days * number)
        return instant(day, self.hand_over, zone)

    def number(self, at: datetime, zone: ZoneInfo) -> int:
        """Of the turn of a moment; negative before the first."""
        days = (at.astimezone(zone).date() - self.starts_on).days
        number = days // self.days + 1
        while self.begins(number, zone) > at:
            number -= 1
        return number

    def on_duty(self, at: datetime, zone: ZoneInfo) -> Turn:
        """Everybody who is on duty by this layer; nobody: ()."""
        number = self.number(at, zone)
        if number < 0 or self._over(at, zone):
            return ()
        if self.hours and not within(self.hours, zone, at):
            return ()
        return self.turns[number % len(self.turns)]

    def _over(self, at: datetime, zone: ZoneInfo) -> bool:
        return self.ends_on is not None and at >= instant(self.ends_on, self.hand_over, zone)


class Roster(Entry):
    """Layers, the one that decides first in front, by the clocks of `zone`."""

    roster_id: Code
    name: Words
    zone: Zone = "Asia/Shanghai"
    layers: Annotated[tuple[Layer, ...], Field(max_length=20)]

    @property
    def people(self) -> frozenset[str]:
        """Everybody who takes turns."""
        return frozenset(person for layer in self.layers for turn in layer.turns for person in turn)

    @property
    def clocks(self) -> ZoneInfo:
        """The zone."""
        return ZoneInfo(self.zone)


@dataclass(frozen=True)
class Override:
    """Who is on duty instead, from `starts_at` until before `ends_at`; the newest holds."""

    override_id: UUID
    roster_id: str
    people: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class Duty:
    """Who is on duty, and which layer (its name) or override says so; in a gap: nobody."""

    people: tuple[str, ...]
    layer: str | None = None
    override: UUID | None = None


GAP = Duty(())


def duty(roster: Roster, overrides: Sequence[Override], at: datetime) -> Duty:
    """Of a moment. `overrides`: of this roster."""
    holding = [one for one in overrides if one.starts_at <= at < one.ends_at]
    if holding:
        newest = max(holding, key=lambda one: (one.created_at, one.override_id))
        return Duty(newest.people, override=newest.override_id)
    zone = roster.clocks
    for layer in roster.layers:
        people = layer.on_duty(at, zone)
        if people:
            return Duty(people, layer=layer.name)
    return GAP
