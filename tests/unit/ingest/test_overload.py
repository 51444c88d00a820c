"""When the border refuses because the writer is behind: hysteresis, age, and when to come again."""

import pytest

from services.ingest.border.overload import Backlog, Bounds, Guard
from shared.errors import Overloaded
from shared.eventlog.log import EventLog


def watch(bounds: Bounds, *steps: tuple[float, int, int]) -> list[bool]:
    backlog = Backlog(bounds)
    said = []
    for now, end, committed in steps:
        backlog.observe(now, end, end - committed)
        said.append(backlog.refusing)
    return said


def test_refusing_begins_at_the_bound_and_ends_well_below_it() -> None:
    steps = [(1, 99, 0), (2, 100, 0), (3, 100, 10), (4, 100, 20), (5, 100, 21), (6, 120, 21)]
    assert watch(Bounds(100, 0), *steps) == [False, True, True, True, False, False]


def test_what_lies_too_long_is_too_much_however_little_it_is() -> None:
    steps = [(float(t), 1, 0) for t in range(12)]
    assert watch(Bounds(0, 10), *steps) == [False] * 10 + [True, True]
    moving = [(float(t), t + 1, t) for t in range(100)]
    assert watch(Bounds(0, 10), *moving) == [False] * 100


def test_it_recovers_when_the_old_ones_are_stored() -> None:
    steps = [(0, 1, 0), (10, 5, 0), (11, 6, 1), (12, 7, 7)]
    assert watch(Bounds(0, 10), *steps) == [False, True, False, False]


def test_without_bounds_nothing_is_refused() -> None:
    assert watch(Bounds(0, 0), (0, 10**9, 0), (10**6, 10**9, 0)) == [False, False]


def test_the_pace_says_when_to_come_again() -> None:
    backlog = Backlog(Bounds(100, 0))
    backlog.observe(0, 1000, 1000)
    backlog.observe(1, 1000, 980)
    assert backlog.retry_after_seconds == 45  # (980 - 80) records at 20 a second
    backlog.observe(2, 1000, 90)
    assert backlog.retry_after_seconds == 2
    backlog.observe(3, 1000, 90)
    assert backlog.retry_after_seconds == 30  # it stands still: nobody knows


def test_samples_are_bounded() -> None:
    backlog = Backlog(Bounds(0, 3600))
    for second in range(20_000):
        backlog.observe(float(second), second + 10, second + 10)
    assert len(backlog._ends) <= 1000
    assert backlog.age_seconds >= 3600


def test_a_log_that_refuses_closes_the_border_for_a_second(event_log: EventLog) -> None:
    now = [5.0]
    guard = Guard(event_log, Bounds(1, 1), lambda: now[0])
    guard.check()
    guard.trip(Overloaded("full", 3))
    with pytest.raises(Overloaded, match="full"):
        guard.check()
    now[0] += 1
    guard.check()
