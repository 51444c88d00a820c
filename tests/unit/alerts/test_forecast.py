import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.detect.forecast import DAY_US, Ahead, Forecaster, forecaster

STEP_US = 1_800_000_000
BEGIN_US = 20_000 * DAY_US
DAY = 48


def demand(days: int, seed: int = 1) -> list[float]:
    """A day that repeats itself, about a level that wanders."""
    noise, level, found = random.Random(seed), 100.0, []
    for row in range(days * DAY):
        level += noise.gauss(0, 1)
        found.append(level + 30 * math.sin(2 * math.pi * row / DAY) + noise.gauss(0, 1))
    return found


def heard(values: list[float]) -> Forecaster:
    model = forecaster(STEP_US, (1, 3, 6))
    for row, value in enumerate(values):
        model.update(BEGIN_US + row * STEP_US, value)
    return model


def test_it_foretells_better_than_yesterday_does() -> None:
    values, model = demand(40), forecaster(STEP_US, (1, 3, 6))
    due: dict[int, list[Ahead]] = {}
    ours = naive = 0.0
    inside = number = 0
    for row, value in enumerate(values):
        at_us = BEGIN_US + row * STEP_US
        for ahead in due.pop(at_us, ()):
            if row > 14 * DAY:
                ours += abs(ahead.expected - value)
                naive += abs(values[row - DAY] - value)
                inside += ahead.low <= value <= ahead.high
                number += 1
        model.update(at_us, value)
        for ahead in model.ahead():
            due.setdefault(ahead.at_us, []).append(ahead)
    assert ours < 0.7 * naive
    assert 0.7 < inside / number < 0.9


def test_nothing_is_foretold_before_a_day_is_known() -> None:
    assert heard(demand(1)[:40]).ahead() == []
    assert len(heard(demand(2)).ahead()) == 3


def test_a_forecast_is_for_its_hours_and_its_band_holds_it() -> None:
    values = demand(20)
    now_us = BEGIN_US + (len(values) - 1) * STEP_US
    found = heard(values).ahead()
    assert [one.at_us - now_us for one in found] == [hour * 3_600_000_000 for hour in (1, 3, 6)]
    assert all(one.low <= one.expected <= one.high for one in found)


def test_restored_state_foretells_the_same_to_the_bit() -> None:
    values = demand(12)
    model = heard(values[:300])
    model = msgspec.msgpack.decode(msgspec.msgpack.encode(model), type=Forecaster)
    for row, value in enumerate(values[300:], start=300):
        model.update(BEGIN_US + row * STEP_US, value)
    assert model.ahead() == heard(values).ahead()


def test_late_readings_and_what_is_no_number_are_left_out() -> None:
    values = demand(12)
    model = heard(values)
    before = model.ahead()
    for at_us, value in ((BEGIN_US, 1e6), (BEGIN_US + 10**15, math.nan), (BEGIN_US, math.inf)):
        model.update(at_us, value)
    assert model.ahead() == before


def test_after_a_gap_of_days_it_foretells_again_once_it_can() -> None:
    values = demand(20)
    model = heard(values)
    later_us = BEGIN_US + (len(values) + 5 * DAY) * STEP_US
    model.update(later_us, values[-1])
    assert model.ahead() == []
    for row in range(1, 2 * DAY):
        model.update(later_us + row * STEP_US, values[row])
    assert len(model.ahead()) == 3


def test_a_day_is_a_whole_number_of_steps() -> None:
    with pytest.raises(ValueError, match="whole number"):
        forecaster(7 * 60_000_000 + 1)


@settings(max_examples=30, deadline=None)
@given(
    odd=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
    steps=st.lists(st.integers(-5, 400), min_size=1, max_size=10),
)
def test_whatever_comes_a_forecast_is_of_numbers(odd: list[float], steps: list[int]) -> None:
    model, at_us = heard(demand(9)), BEGIN_US + 9 * DAY_US
    for row, value in enumerate([*odd, *demand(3)]):
        at_us += (steps[row % len(steps)] if row < 30 else 1) * STEP_US
        model.update(at_us, value)
        for one in model.ahead():
            assert one.low <= one.expected <= one.high
