"""Rules that are asked on workdays follow the announced calendar."""

from datetime import UTC, date, datetime

import pytest

from services.alerts.judging.schedule import Schedule, official_day
from services.alerts.rules.rule import Active
from shared.clock import to_micros


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), "restday"),  # National Day, a Thursday
        (date(2026, 10, 10), "workday"),  # a Saturday that makes up for it
        (date(2026, 10, 17), "restday"),  # any Saturday
        (date(2026, 10, 15), "workday"),
        (date(1999, 10, 1), "workday"),  # a Friday of a year that nobody has announced
    ],
)
def test_holidays_rest_and_make_up_days_work(day: date, kind: str) -> None:
    assert official_day(day) == kind
    noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)  # 12:00 in China
    schedule = Schedule(Active.model_validate({"days": ["workday"]}), official_day)
    assert schedule.holds(to_micros(noon)) == (kind == "workday")
