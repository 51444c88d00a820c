"""What the detectors find, what they leave alone, and what they make of bad input."""

import math
import random
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.detect.ensemble import Detector
from services.alerts.detect.score import ALARM, Score, Sign
from services.alerts.detect.season import Season

MINUTE_US = 60 * 1_000_000
STEP_US = 5 * MINUTE_US
DAY = 288  # readings
BEGIN_US = 1_780_000_000 * 1_000_000
FEW = 3  # alarms in four weeks: what an operator would bear from one sensor


def season(days: int, seed: int = 1) -> list[float]:
    """A day that repeats itself, with noise."""
    noise = random.Random(seed)
    return [
        50 + 20 * math.sin(2 * math.pi * row / DAY) + noise.gauss(0, 2) for row in range(days * DAY)
    ]


def heard(
    values: Sequence[float], at: Callable[[int], int] = lambda row: row * STEP_US
) -> list[Score]:
    detector = Detector()
    return [detector.update(BEGIN_US + at(row), value) for row, value in enumerate(values)]


def alarms(scores: Sequence[Score]) -> list[int]:
    return [row for row, one in enumerate(scores) if one.score >= ALARM]


def changed(values: Sequence[float], begin: int, by: Callable[[float], float]) -> list[float]:
    return [value if row < begin else by(value) for row, value in enumerate(values)]


def test_an_ordinary_series_is_left_alone() -> None:
    found = [len(alarms(heard(season(28, seed)))) for seed in range(5)]
    assert sum(found) <= FEW * len(found), found


def test_a_spike_is_found_when_it_comes() -> None:
    values = season(20)
    values[4_000] += 60
    scores = heard(values)
    assert alarms(scores) == [4_000]
    assert scores[4_000].observed == values[4_000]
    assert scores[4_000].odds > 10_000


def test_what_is_usual_by_day_is_an_alarm_at_night() -> None:
    values, night = season(20), 17 * DAY + 216  # the lowest of the day
    values[night] = 75.0
    score = heard(values)[night]
    assert score.score >= ALARM
    assert score.sign is Sign.SEASON
    assert score.expected == pytest.approx(30, abs=3)
    assert score.observed == 75.0
    assert score.since_us == BEGIN_US + night * STEP_US


def test_a_shift_of_the_level_is_one_alarm() -> None:
    found = alarms(heard(changed(season(28), 4_000, lambda value: value + 40)))
    assert 4_000 <= found[0] <= 4_012
    assert len(found) <= FEW


def test_a_slow_drift_is_found() -> None:
    quiet = random.Random(3)
    values = [10 + quiet.gauss(0, 0.5) for _ in range(8_000)]
    drifting = [value + max(0, row - 6_000) * 0.004 for row, value in enumerate(values)]
    assert any(row >= 6_000 for row in alarms(heard(drifting)))


def test_a_sensor_that_is_stuck_is_one_alarm_for_as_long_as_it_lasts() -> None:
    values = season(20)
    values[4_000:4_600] = [values[4_000]] * 600
    scores = heard(values)
    found = [row for row in alarms(scores) if 4_000 <= row < 4_600]
    assert len(found) == 1
    assert scores[4_599].sign is Sign.STUCK
    assert scores[4_599].level >= ALARM
    assert scores[4_599].since_us == scores[found[0]].since_us


def test_restlessness_is_found() -> None:
    quiet = random.Random(4)
    values = [10 + quiet.gauss(0, 1 if row < 4_000 else 6) for row in range(4_300)]
    assert any(4_000 <= row <= 4_020 for row in alarms(heard(values)))


def test_a_week_is_learned() -> None:
    """From the fourth week on, a Sunday that is quiet like every Sunday is as expected."""
    values = [value - (15 if row // DAY % 7 == 6 else 0) for row, value in enumerate(season(70))]
    season_of = Season()
    for row, value in enumerate(values[: 69 * DAY + 73]):
        season_of.update(BEGIN_US + row * STEP_US, value, 1e-9)
    assert abs(season_of.expected - values[69 * DAY + 72]) < 8


def test_one_threshold_serves_series_of_every_size_and_unit() -> None:
    values = season(20)
    values[4_000] += 60
    plain = heard(values)
    for factor in (1e-6, 1e6):
        scaled = heard([value * factor for value in values])
        assert alarms(scaled) == alarms(plain)


def test_nothing_is_known_of_what_is_to_come() -> None:
    values = season(10)
    whole = heard(values)
    assert repr(heard(values[:1_500])) == repr(whole[:1_500])


def test_restored_state_gives_the_same_scores_to_the_bit() -> None:
    values = season(20)
    values[4_000] += 60
    whole, detector, found = heard(values), Detector(), []
    for row, value in enumerate(values):
        if row % 97 == 0:
            kept = msgspec.msgpack.encode(detector)
            detector = msgspec.msgpack.decode(kept, type=Detector)
        found.append(detector.update(BEGIN_US + row * STEP_US, value))
    assert repr(found) == repr(whole)


def test_state_is_small_however_long_a_series_lives() -> None:
    detector = Detector()
    for row, value in enumerate(season(80)):
        detector.update(BEGIN_US + row * STEP_US, value)
        if row % 1_000 == 0:
            assert len(msgspec.msgpack.encode(detector)) < 10_000
    assert len(msgspec.msgpack.encode(detector)) < 10_000


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_what_is_no_value_scores_nothing_and_changes_nothing(bad: float) -> None:
    values, detector, found = season(10), Detector(), []
    for row, value in enumerate(values):
        if row % 3 == 0:
            assert detector.update(BEGIN_US + row * STEP_US, bad).level == 0
        found.append(detector.update(BEGIN_US + row * STEP_US, value))
    assert repr(found) == repr(heard(values))


def test_a_gap_of_days_is_no_storm() -> None:
    values = season(28)
    gapped = heard(values, lambda row: (row + (5 * DAY + 77 if row >= 4_000 else 0)) * STEP_US)
    assert len(alarms(gapped)) <= FEW


def test_a_clock_that_steps_back_is_no_storm() -> None:
    def at(row: int) -> int:
        return (row - (11 if row >= 3_000 else 0) - (13 if row >= 5_000 else 0)) * STEP_US

    assert len(alarms(heard(season(28), at))) <= FEW


@pytest.mark.parametrize("value", [0.0, 5.0, -1e9, 1e-12, 1e90])
def test_a_constant_series_is_never_an_alarm(value: float) -> None:
    assert alarms(heard([value] * 5_000)) == []


def test_the_first_change_of_a_constant_series_is_one_alarm() -> None:
    noise = random.Random(5)
    found = alarms(heard([7.0] * 3_000 + [7 + noise.gauss(0, 1) for _ in range(3_000)]))
    assert found[0] == 3_000
    assert len(found) <= 2 * FEW


@pytest.mark.parametrize("factor", [1_000.0, 0.001, -1.0])
def test_a_change_of_unit_is_an_alarm_and_no_storm(factor: float) -> None:
    found = alarms(heard(changed(season(28), 4_000, lambda value: value * factor)))
    assert found[0] == 4_000
    assert len(found) <= FEW


def test_huge_values_now_and_then_are_no_storm() -> None:
    values = [1e90 if row % 500 == 499 else value for row, value in enumerate(season(28))]
    assert len(alarms(heard(values))) <= 2 * FEW


odd = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.sampled_from([0.0, 1.0, -1.0, 1e99, -1e99, 5e-324]),
)


@settings(max_examples=60, deadline=None)
@given(
    runs=st.lists(st.tuples(odd, st.integers(1, 120), st.floats(-1e3, 1e3)), max_size=8),
    jumps=st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=5),
)
def test_whatever_comes_every_score_is_a_number_from_0_to_1(
    runs: list[tuple[float, int, float]], jumps: list[int]
) -> None:
    detector, at_us = Detector(), BEGIN_US
    for row, value in enumerate(_rows(runs)):
        at_us += jumps[row % len(jumps)] if row % 50 == 0 else STEP_US
        score = detector.update(at_us, value)
        assert 0.0 <= score.score <= score.level <= 1.0
        assert score.odds >= 1.0
    kept = msgspec.msgpack.encode(detector)
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(kept, type=Detector)) == kept


def _rows(runs: list[tuple[float, int, float]]) -> Iterator[float]:
    """Ordinary readings, and between them runs of odd ones."""
    noise = random.Random(6)
    yield from (noise.gauss(0, 1) for _ in range(250))
    for value, length, slope in runs:
        yield from (value + slope * place for place in range(length))
        yield from (noise.gauss(0, 1) for _ in range(20))
