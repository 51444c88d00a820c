"""Rules that ask what is to come: judged alike live, restarted and replayed, and explained."""

import math
from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.alerts.detect.forecast import Ahead
from services.alerts.detect.outlook import STEP_US, Outlook, outlook
from services.alerts.incidents import alert as alerts
from services.alerts.judging.transition import Place, Transition
from shared.contracts.incident import Foreseen
from tests.unit.alerts.hearings import Hearing, Step, play, rule

WARNING = rule(forecast={"above": 8, "within": "3h", "deadband": 0.3})
STEP = 300
DAY = 288
HOUR = 3_600.0


def a_river(days: int = 5, swell: float = 0.8) -> list[Step]:
    """A level that goes up and down once a day, every day `swell` metres higher; every 5 minutes.
    It passes 8 m on the fourth day."""
    return [
        (row * STEP, "m", 4.5 + 1.5 * math.sin(2 * math.pi * row / DAY) + swell * row / DAY)
        for row in range(days * DAY)
    ]


def told(steps: list[Step]) -> list[Transition]:
    hearing = Hearing(WARNING)
    for step in steps:
        hearing.take(step)
        hearing.drop()
    return hearing.told


def explained(transition: Transition) -> Foreseen:
    alert = alerts.raised(transition, Place("s"), alerts.alert_id(transition))
    found = alerts.cause_of(alert, transition).foreseen
    assert found is not None
    return found


def passed_at(steps: list[Step], limit: float) -> float:
    return next(step[0] for step in steps if isinstance(step, tuple) and step[2] > limit)


def test_it_is_raised_before_the_limit_is_passed_and_clears_when_it_no_longer_will_be() -> None:
    steps = a_river()
    said = play(WARNING, steps)
    assert [kind for kind, *_ in said[:2]] == ["raised", "cleared"]
    ahead = passed_at(steps, 8) - said[0][2]
    assert HOUR / 2 <= ahead <= 4 * HOUR
    falling = [s[0] for s in steps if isinstance(s, tuple) and s[0] > passed_at(steps, 8)]
    assert falling[0] < said[1][3] < falling[0] + 86_400


def test_a_restart_after_every_reading_changes_nothing() -> None:
    assert play(WARNING, a_river(), cuts=True) == play(WARNING, a_river())


def test_it_says_when_the_limit_will_be_passed_and_between_what_times() -> None:
    steps = a_river()
    raised = told(steps)[0]
    found = explained(raised)
    really = passed_at(steps, 8)
    assert (found.limit, found.side) == (8, "above")
    assert abs(found.at.timestamp() - really) < HOUR
    assert found.earliest <= found.at
    assert found.latest is None or found.at <= found.latest
    assert found.made_at.timestamp() <= raised.observed_us / 1e6 < found.at.timestamp()
    assert raised.value == found.expected > 8 == raised.threshold
    here = f"{found.at + timedelta(hours=8):%H:%M}"
    assert "将高于 8" in found.zh and here in found.zh
    assert found.en.startswith("will cross 8 at ") and here in found.en


def test_a_fall_is_foreseen_like_a_rise() -> None:
    falling = rule(forecast={"below": -8, "within": "3h", "deadband": 0.3})
    steps: list[Step] = [(s[0], s[1], -s[2]) for s in a_river() if isinstance(s, tuple)]
    assert play(falling, steps) == play(WARNING, a_river())


def test_levels_of_a_warning_are_graver_the_further_it_will_go() -> None:
    ladder = rule(forecast={"levels": [
        {"above": 8, "grade": 4, "priority": 4}, {"above": 8.4, "grade": 3, "priority": 3},
    ]})  # fmt: skip
    levels = [level for kind, _, _, _, level in play(ladder, a_river()) if kind != "cleared"]
    assert levels[:2] == [1, 2]


def test_with_less_than_a_day_known_nothing_is_foreseen() -> None:
    rising: list[Step] = [(row * STEP, "m", 4 + row * 0.05) for row in range(DAY - 12)]
    assert play(WARNING, rising) == []


def test_beside_other_conditions_it_is_the_forecasts_limit_that_will_be_passed() -> None:
    both = rule(all=[{"forecast": {"above": 8, "within": "3h"}}, {"above": 7}])
    hearing = Hearing(both)
    for step in a_river():
        hearing.take(step)
        hearing.drop()
    assert explained(hearing.told[0]).limit == 8


def test_an_early_warning_is_of_the_mildest_kind_unless_it_says_otherwise() -> None:
    asked = {"id": "r", "title": {"zh": "高", "en": "high"}, "metric": "m"}
    mild = type(WARNING).model_validate(asked | {"forecast": {"above": 8}})
    assert (mild.grade, mild.priority) == (4, 4)
    graver = type(WARNING).model_validate(asked | {"forecast": {"above": 8}, "priority": 2})
    assert (graver.grade, graver.priority) == (4, 2)


@pytest.mark.parametrize(
    "asked",
    [{}, {"above": 8, "below": 1}, {"above": 8, "within": "30m"}, {"above": 8, "within": "12h"},
     {"above": math.inf}, {"above": 8, "every": "5m"}],
)  # fmt: skip
def test_it_asks_one_to_six_hours_ahead_for_one_limit(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(forecast=asked)


def now_and_then(
    steps: list[tuple[float, str, float] | tuple[float, str, float, str]], value: float
) -> list[Step]:
    return [(s[0], s[1], value if row % 50 == 7 else s[2]) for row, s in enumerate(steps)]


def odd_ways(ordinary: list[Step]) -> dict[str, list[Step]]:
    """The same river, sent badly."""
    good = [step for step in ordinary if isinstance(step, tuple)]
    half = len(good) // 2
    return {
        "no number": now_and_then(good, math.nan),
        "infinite": now_and_then(good, math.inf),
        "huge": now_and_then(good, 1e308),
        "gap of days": [*good[:half], *((s[0] + 5 * 86_400, s[1], s[2]) for s in good[half:])],
        "clock back": [*good[:half], *((s[0] - 7_200, s[1], s[2]) for s in good[half:])],
        "constant": [(s[0], s[1], 4.0) for s in good],
        "another unit": [*good[:half], *((s[0], s[1], 100 * s[2]) for s in good[half:])],
    }


@pytest.mark.parametrize("way", odd_ways([]))
def test_bad_input_is_neither_an_exception_nor_a_storm(way: str) -> None:
    calm = a_river(days=20, swell=0.0)  # never above 6
    hearing = Hearing(WARNING)
    for step in odd_ways(calm)[way]:
        hearing.take(step)
        hearing.drop()
    states = hearing.judgement.states().asked
    assert not any(one.state.error for one in states)
    assert sum(one.kind == "raised" for one in hearing.told) <= 3


def test_a_warning_whose_hours_pass_without_another_forecast_ends() -> None:
    steps = a_river()
    warned = told(steps)[0].observed_us / 1e6
    before = [s for s in steps if isinstance(s, tuple) and s[0] <= warned]
    later: list[Step] = [(warned + 5 * 86_400 + row * STEP, "m", 5.0) for row in range(5)]
    kinds = [one.kind for one in told([*before, *later])]
    assert kinds[0] == "raised" and kinds[-1] == "cleared"


def band(*ahead: tuple[float, float, float]) -> Outlook:
    """An outlook whose last mean was 7, and so its band for the next hours."""
    found = outlook(len(ahead))
    found.mean, found.model.step = 7.0, 0
    found.ahead = [Ahead((hour + 1) * 4 * STEP_US, *one) for hour, one in enumerate(ahead)]
    return found


def test_a_crossing_lies_between_those_of_the_bands_edges() -> None:
    crossing = band((7.5, 7.2, 8.0), (8.5, 7.8, 9.2), (9.0, 8.4, 9.8)).crossing(8, upwards=True)
    assert crossing is not None and crossing.latest_us is not None
    assert crossing.earliest_us < crossing.at_us < crossing.latest_us
    assert crossing.at_us == 6 * STEP_US
    assert crossing.expected == 9.0


def test_where_the_nearer_edge_stays_below_there_is_no_latest() -> None:
    crossing = band((7.5, 7.2, 8.0), (8.5, 7.8, 9.2)).crossing(8, upwards=True)
    assert crossing is not None and crossing.latest_us is None
    assert band((7.5, 7.0, 9.0)).crossing(8, upwards=True) is None
    assert band((6.5, 6.0, 7.0)).crossing(6.8, upwards=False) is not None
