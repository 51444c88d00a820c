"""How two series moved together: found with its lag, and never made up."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.related.correlation import Values, covered, departed, less, together

STEPS = 96
ODD = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


def a_wave(late: int = 0, sign: float = 1.0, seed: int = 1) -> list[float | None]:
    """A quiet evening into which something comes at step 70."""
    noise = random.Random(seed)
    return [
        5 + sign * 3 / (1 + math.exp((70 + late - step) / 2)) + noise.gauss(0, 0.1)
        for step in range(STEPS)
    ]


@pytest.mark.parametrize("late", [-6, 0, 5, 12])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_comes_with_it_is_found_with_its_lag(late: int, sign: float) -> None:
    found = together(a_wave(), a_wave(late, sign, seed=2), 12, 48)
    assert found is not None
    assert abs(found.lag - late) <= 1
    assert found.r * sign > 0.9


def test_what_has_nothing_to_do_with_it_is_not() -> None:
    found = [
        together(a_wave(), [noise.gauss(5, 1) for _ in range(STEPS)], 12, 48)
        for noise in map(random.Random, range(200))
    ]
    assert found.count(None) >= 198


def test_wandering_series_are_not_taken_for_each_other() -> None:
    """Neighbouring values resemble each other: a high correlation is common, and says nothing."""

    def wander(seed: int) -> Values:
        noise, level = random.Random(seed), 0.0
        return [level := level + noise.gauss(0, 1) for _ in range(STEPS)]

    alike = [together(wander(seed), wander(seed + 1_000), 12, 48) for seed in range(100)]
    assert alike.count(None) >= 90


@pytest.mark.parametrize(
    "other",
    [
        [None] * STEPS,
        [4.0] * STEPS,
        [0.0] * STEPS,
        [math.nan] * STEPS,
        [math.inf, -math.inf] * (STEPS // 2),
        [1e308, -1e308] * (STEPS // 2),
        [None if step % 8 else 5.0 + step for step in range(STEPS)],
        [],
    ],
)
def test_constant_missing_and_odd_series_give_no_answer(other: Values) -> None:
    own = a_wave()[: len(other)]
    assert together(own, other, 12, 48) is None
    assert together(other, own, 12, 48) is None
    assert departed(other, 48) is None or math.isinf(other[0] or 0.0) or len(other) == STEPS


def test_gaps_do_not_hide_it() -> None:
    own, other = a_wave(), a_wave(3, seed=2)
    for step in range(20, 40):
        other[step] = None
    found = together(own, other, 12, 48)
    assert found is not None and abs(found.lag - 3) <= 1


def test_a_change_of_unit_changes_nothing() -> None:
    other = [None if one is None else 1e6 * one for one in a_wave(2, seed=2)]
    found = together(a_wave(), other, 12, 48)
    as_it_was = together(a_wave(), a_wave(2, seed=2), 12, 48)
    assert found is not None and as_it_was is not None
    assert (found.lag, found.pairs) == (as_it_was.lag, as_it_was.pairs)
    assert math.isclose(found.r, as_it_was.r)


def test_it_is_known_since_when_a_series_has_left_its_usual() -> None:
    found = departed(a_wave(), 48)
    assert found is not None and 62 <= found <= 72
    calm = [5 + 0.1 * random.Random(step).gauss(0, 1) for step in range(STEPS)]
    assert departed(calm, 48) is None
    assert departed([None] * STEPS, 48) is None
    assert departed([5.0] * STEPS, 48) is None


def test_what_is_as_yesterday_is_taken_off() -> None:
    day: list[float | None] = [math.sin(step / 10) for step in range(STEPS)]
    assert less(day, day) == [0.0] * STEPS
    assert less([1.0, None], [None, 1.0]) == [None, None]
    assert covered(day) and not covered([None, 1.0]) and covered([])


@given(st.lists(ODD, max_size=60), st.lists(ODD, max_size=60), st.integers(0, 15))
def test_whatever_comes_r_is_a_correlation(
    own: list[float | None], other: list[float | None], longest: int
) -> None:
    size = min(len(own), len(other))
    found = together(own[:size], other[:size], longest, 48)
    if found is not None:
        assert 0.6 <= abs(found.r) <= 1 and abs(found.lag) <= longest
    assert departed(own, 48) is None or len(own) > 48
