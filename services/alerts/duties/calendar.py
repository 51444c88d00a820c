"""When people work: hours of a day, weekends, holidays and make-up workdays. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.alerts import holidays

Source = Literal["override", "official", "weekends"]
Hours = tuple[time, time]

SATURDAY = 5
LOOK_AHEAD_DAYS = 366  # a calendar without any workday within so long counts as clock hours


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `source`: who says so; `weekends`: nobody, its year's holidays are not known."""

    day: date
    working: bool
    source: Source
    note: str = ""


@dataclass(frozen=True)
class Override:
    """What an operator says of a day, against everybody else."""

    working: bool
    note: str = ""


@dataclass(frozen=True)
class Calendar:
    """Working time. `hours`: of a workday, in order, in local time."""

    hours: Sequence[Hours]
    zone: ZoneInfo
    overrides: Mapping[date, Override] = field(default_factory=dict)

    def day(self, day: date) -> Day:
        """What a day is, and who says so."""
        said = self.overrides.get(day)
        if said is not None:
            return Day(day, said.working, "override", said.note)
        working = holidays.is_workday(day)
        if working is None:
            return Day(day, day.weekday() < SATURDAY, "weekends")
        return Day(day, working, "official", holidays.name(day))

    def knows(self, year: int) -> bool:
        """True when the year's holidays are known, or an operator has entered some."""
        return holidays.knows(year) or any(day.year == year for day in self.overrides)

    def after(self, start: datetime, duration: timedelta) -> datetime:
        """The moment at which `duration` of working time has passed since `start`, in UTC."""
        start, left = start.astimezone(UTC), duration
        for opens, closes in self._spans(start):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        return start + duration

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working time from `start` on, span by span."""
        first = start.astimezone(self.zone).date()
        for number in range(LOOK_AHEAD_DAYS):
            day = first + timedelta(days=number)
            if not self.day(day).working:
                continue
            for opening, closing in self.hours:
                opens, closes = (
                    datetime.combine(day, moment, self.zone).astimezone(UTC)
                    for moment in (opening, closing)
                )
                if closes > start:
                    yield max(opens, start), closes
