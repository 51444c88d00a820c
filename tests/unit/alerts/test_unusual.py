"""Rules that ask what is unusual: judged alike live, restarted and replayed, and explained."""

import math
import random

import pytest
from pydantic import ValidationError

from services.alerts.detect.ensemble import Detector
from services.alerts.incidents import alert as alerts
from services.alerts.judging.plan import fingerprint_of
from services.alerts.judging.transition import Place
from tests.unit.alerts.hearings import Hearing, Step, play, rule

UNUSUAL = rule(unusual={"above": 0.9}, clear_for="1h")
STEP = 300
LEAK = 900  # the reading from which on it leaks


def a_leak() -> list[Step]:
    """Four days of a main, the last of which leaks."""
    noise = random.Random(2)
    found: list[Step] = []
    for row in range(1_100):
        usual = 50 + 20 * math.sin(2 * math.pi * row / 288) + noise.gauss(0, 2)
        found.append((row * STEP, "m", usual + (60 if row >= LEAK else 0)))
    return found


def test_it_is_raised_when_it_becomes_unusual_and_clears_when_that_is_over() -> None:
    said = play(UNUSUAL, a_leak())
    assert [(kind, started) for kind, _, started, _, _ in said[:1]] == [("raised", LEAK * STEP)]
    assert said[1][0] == "cleared"


def test_a_restart_after_every_reading_changes_nothing() -> None:
    assert play(UNUSUAL, a_leak(), cuts=True) == play(UNUSUAL, a_leak())


def test_an_alert_says_what_was_expected_and_observed_how_rare_that_is_and_since_when() -> None:
    hearing = Hearing(UNUSUAL)
    steps = a_leak()
    for step in steps:
        hearing.take(step)
        hearing.drop()
    raised = hearing.told[0]
    alert = alerts.raised(raised, Place("s"), alerts.alert_id(raised))
    found = alerts.cause_of(alert, raised).unusual
    assert found is not None
    assert found.expected is not None and found.since is not None
    observed = steps[LEAK]
    assert isinstance(observed, tuple) and found.observed == observed[2]
    assert abs(found.expected - (observed[2] - 60)) < 15
    assert (alert.value, alert.threshold) == (found.observed, found.expected)
    assert found.odds > 1_000
    assert found.since.timestamp() == LEAK * STEP


def test_of_a_fast_sensor_one_reading_per_interval_is_judged() -> None:
    slow = a_leak()
    fast: list[Step] = []
    for step in slow:
        assert isinstance(step, tuple)
        fast += [(step[0] + late, "m", step[2]) for late in (0, 60, 120)]
    assert play(UNUSUAL, fast)[0] == play(UNUSUAL, slow)[0]


@pytest.mark.parametrize(
    "asked",
    [{}, {"below": 0.5}, {"above": 1}, {"above": 0}, {"above": 90}, {"above": 0.9, "every": "1s"}],
)
def test_a_score_is_above_a_number_between_0_and_1(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(unusual=asked)


def test_rules_that_do_not_ask_for_it_carry_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a detector was asked")

    monkeypatch.setattr(Detector, "update", never)
    plain = [rule(id="a", above=8), rule(id="b", week={"above": 1}), rule(id="c", absent="5m")]
    play(plain, [(at * 60, "m", 9.0) for at in range(50)])


def test_rules_of_earlier_days_keep_their_state() -> None:
    """Their fingerprints are what they were before there was such a condition."""
    assert fingerprint_of(rule(above=8)) == "3e1a01eb00841cd8"
    nested = rule(all=[{"above": 5}, {"not": {"metric": "n", "below": 4}}])
    assert fingerprint_of(nested) == "53ea5edab6182b2d"
