"""China's holidays and make-up workdays (调休) as they are announced, year by year."""

from datetime import date

import chinese_calendar
from chinese_calendar.constants import holidays


def is_workday(day: date) -> bool | None:
    """None: the year is not announced, or this installation does not know it yet."""
    if not knows(day.year):
        return None
    return bool(chinese_calendar.is_workday(day))


def name(day: date) -> str:
    """The holiday that a day belongs to or makes up for, in English; "" for other days."""
    if not knows(day.year):
        return ""
    _, holiday = chinese_calendar.get_holiday_detail(day)
    return holiday or ""


def knows(year: int) -> bool:
    """True when the year's holidays are known."""
    return _FIRST <= year <= _LAST


_FIRST: int = min(day.year for day in holidays)
_LAST: int = max(day.year for day in holidays)
