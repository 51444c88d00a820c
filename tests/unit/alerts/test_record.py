"""How good forecasts have been: against what came, and against yesterday."""

import math

from services.alerts.detect.forecast import DAY_US, HOUR_US, WEEK_US, Ahead
from services.alerts.detect.record import MEMORY, SETTLED, Lately, Record

QUARTER_US = HOUR_US // 4
BEGIN_US = 20_000 * DAY_US


def kept(steps: int, off: float = 1.0, skip: int = 0) -> Lately:
    """Of a series that grows by one every quarter, foretold an hour ahead, `off` too high. Every
    `skip`th quarter is missing."""
    record = Record(1)
    for step in range(steps):
        at_us = BEGIN_US + step * QUARTER_US
        if skip and step % skip == 0:
            continue
        record.came(at_us, float(step))
        expected = step + 4 + off
        record.promise(at_us, [Ahead(at_us + HOUR_US, expected, expected - 2, expected + 2)])
    return record.lately[0]


def test_errors_are_those_of_what_came() -> None:
    lately = kept(300)
    assert (lately.ours.value, lately.inside.value) == (1.0, 1.0)
    assert lately.day.value == DAY_US // QUARTER_US == lately.naive


def test_the_better_of_a_day_and_a_week_is_the_yardstick() -> None:
    lately = kept(WEEK_US // QUARTER_US + 200)
    assert lately.week.value == WEEK_US // QUARTER_US
    assert lately.naive == lately.day.value


def test_nothing_is_said_before_enough_has_come() -> None:
    assert not kept(SETTLED + 3).settled and kept(SETTLED + 4).settled
    assert math.isnan(kept(SETTLED + 4).naive)


def test_what_was_foretold_for_a_quarter_that_is_missing_counts_for_nothing() -> None:
    lately = kept(400, skip=5)
    assert lately.ours.value == 1.0
    assert lately.ours.number < 320


def test_it_is_about_the_last_week() -> None:
    record, late = Record(1), BEGIN_US
    for step in range(4 * MEMORY):
        at_us = late + step * QUARTER_US
        record.came(at_us, 0.0)
        off = 8.0 if step < 2 * MEMORY else 1.0
        record.promise(at_us, [Ahead(at_us + HOUR_US, off, off, off)])
    assert 1.0 <= record.lately[0].ours.value < 2.5
    assert record.lately[0].ours.number == MEMORY


def test_hours_that_are_missing_do_not_shift_the_others() -> None:
    record = Record(6)
    record.came(BEGIN_US, 1.0)
    at_us = BEGIN_US + 3 * HOUR_US
    record.promise(BEGIN_US, [Ahead(at_us, 1.0, 0.0, 2.0)])
    record.came(at_us, 2.0)
    assert [one.ours.number for one in record.lately] == [0, 0, 1, 0, 0, 0]


def test_no_number_counts_for_nothing() -> None:
    record = Record(1)
    record.promise(BEGIN_US, [Ahead(BEGIN_US + HOUR_US, math.nan, math.nan, math.inf)])
    record.came(BEGIN_US + HOUR_US, math.inf)
    assert record.lately[0].ours.number == 0
