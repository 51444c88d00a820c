"""Working time: weekends, holidays, make-up workdays, years that nobody knows."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts import holidays
from services.alerts.duties.calendar import Calendar, Override

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = [(time(8, 30), time(12)), (time(14, 30), time(17, 30))]
CALENDAR = Calendar(HOURS, ZONE)
MOMENTS = st.integers(0, 1_060 * 24 * 60).map(
    lambda minute: datetime(2024, 1, 1, tzinfo=ZONE) + timedelta(minutes=minute)
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("day", "working", "source"),
    [
        ("2026-02-13", True, "official"),  # Friday before the Spring Festival
        ("2026-02-14", True, "official"),  # Saturday, made up for
        ("2026-02-15", False, "official"),
        ("2026-02-28", True, "official"),  # Saturday, made up for
        ("2026-03-01", False, "official"),  # Sunday
        ("2025-01-26", True, "official"),  # Sunday, made up for
        ("2026-10-01", False, "official"),
        ("2026-10-10", True, "official"),  # Saturday, made up for
        ("2099-01-01", True, "weekends"),  # Thursday of a year that nobody knows
        ("2099-01-03", False, "weekends"),
    ],
)
def test_days(day: str, working: bool, source: str) -> None:
    found = CALENDAR.day(date.fromisoformat(day))
    assert (found.working, found.source) == (working, source)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23T09:00", 2, "2026-11-23T11:00"),  # Monday
        ("2026-11-23T11:30", 1, "2026-11-23T15:00"),  # over lunch
        ("2026-11-23T06:00", 6.5, "2026-11-23T17:30"),  # a whole day
        ("2026-11-27T17:00", 1, "2026-11-30T09:00"),  # over a weekend
        ("2026-02-13T17:00", 1, "2026-02-14T09:00"),  # into a make-up Saturday
        ("2026-02-14T17:00", 1, "2026-02-24T09:00"),  # over the whole Spring Festival
        ("2026-09-30T17:00", 7, "2026-10-08T17:30"),  # over the National Day
        ("2026-12-31T17:00", 1, "2027-01-01T09:00"),  # 2027 is not announced: a Friday
    ],
)
def test_working_time_passes_only_while_people_work(start: str, hours: float, due: str) -> None:
    if not holidays.knows(2027) or "2027" not in due:
        assert CALENDAR.after(local(start), timedelta(hours=hours)) == local(due)


def test_an_operator_knows_better() -> None:
    typhoon = Calendar(HOURS, ZONE, {date(2026, 11, 24): Override(False, "台风停工")})
    assert typhoon.after(local("2026-11-23T17:00"), timedelta(hours=1)) == local("2026-11-25T09:00")
    found = typhoon.day(date(2026, 11, 24))
    assert (found.working, found.source, found.note) == (False, "override", "台风停工")


def test_a_year_is_known_once_somebody_has_entered_a_day_of_it() -> None:
    assert not CALENDAR.knows(2099)
    assert Calendar(HOURS, ZONE, {date(2099, 1, 1): Override(False)}).knows(2099)


def test_a_calendar_without_workdays_counts_by_the_clock() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(800)]
    never = Calendar(HOURS, ZONE, {day: Override(False) for day in days})
    start = local("2026-01-01T12:00")
    assert never.after(start, timedelta(hours=3)) == start + timedelta(hours=3)


@given(MOMENTS, st.integers(1, 40 * 60), st.integers(1, 40 * 60))
def test_working_time_adds_up(start: datetime, first: int, second: int) -> None:
    middle = CALENDAR.after(start, timedelta(minutes=first))
    whole = CALENDAR.after(start, timedelta(minutes=first + second))
    assert CALENDAR.after(middle, timedelta(minutes=second)) == whole
    assert start + timedelta(minutes=first) <= middle < whole


@given(MOMENTS, st.integers(1, 40 * 60))
def test_what_is_due_is_due_while_people_work(start: datetime, minutes: int) -> None:
    due = CALENDAR.after(start, timedelta(minutes=minutes))
    assert due.utcoffset() == timedelta(0)
    there = due.astimezone(ZONE)
    assert CALENDAR.day(there.date()).working
    assert any(opens < there.time() <= closes for opens, closes in HOURS)


@given(MOMENTS, st.integers(1, 40 * 60))
def test_the_callers_zone_does_not_matter(start: datetime, minutes: int) -> None:
    duration = timedelta(minutes=minutes)
    assert CALENDAR.after(start, duration) == CALENDAR.after(start.astimezone(UTC), duration)
