"""When a rule is asked: hours and kinds of days in China Standard Time. Pure."""

from collections.abc import Callable
from datetime import date, timedelta

from services.alerts import holidays
from services.alerts.rules.rule import Active

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EPOCH = date(1970, 1, 1)
_MINUTE_US = 60 * 1_000_000
_DAY_US = 1_440 * _MINUTE_US
_EAST_US = 8 * 60 * _MINUTE_US  # UTC+8, without summer time since 1991

DayKind = Callable[[date], str]


def official_day(day: date) -> str:
    """`workday` or `restday` by the announced holidays and make-up workdays; by the week in a
    year whose are not known. Operators' own days do not count: judging must be the same again."""
    working = holidays.is_workday(day)
    return "workday" if (day.weekday() < 5 if working is None else working) else "restday"


class Schedule:
    """`Active`, compiled; what was found of the last day asked about is kept."""

    def __init__(self, active: Active, day_kind: DayKind) -> None:
        start, end = active.minutes
        self._start_us, self._end_us = start * _MINUTE_US, end * _MINUTE_US
        self._days = frozenset(active.days)
        self._day_kind = day_kind
        self._known: dict[int, bool] = {}

    def holds(self, at_us: int) -> bool:
        """True when the rule is asked at that time."""
        number, within = divmod(at_us + _EAST_US, _DAY_US)
        if self._start_us <= within < self._end_us and self._counts(number):
            return True
        return within + _DAY_US < self._end_us and self._counts(number - 1)

    def _counts(self, number: int) -> bool:
        if not self._days:
            return True
        known = self._known.get(number)
        if known is None:
            if len(self._known) > 1_000:
                self._known.clear()
            day = EPOCH + timedelta(days=number)
            known = DAYS[day.weekday()] in self._days or self._day_kind(day) in self._days
            self._known[number] = known
        return known
