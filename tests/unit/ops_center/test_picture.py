"""The picture: which reading is shown, in which state, and what counts as a change."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.board import Board, touched
from services.ops_center.picture import Latest, Picture
from shared.contracts.incident import Alarm, AlertState, Cause, IncidentEvent, IncidentState
from shared.contracts.reading import Reading
from shared.errors import Poison
from tests.unit.ops_center.wall import (
    METRICS,
    SENSORS,
    SERIES,
    START,
    START_US,
    event,
    incident,
    reading,
    registry,
)

SECOND = 1_000_000


def picture(road: Latest | None = None) -> Picture:
    known = {} if road is None else {("road-1", "traffic.speed"): road}
    return Picture(registry(), known, Board([], (0,)), (0, 0), "log-1")


def state(of: Picture, series: tuple[str, str] = ("road-1", "traffic.speed")) -> str:
    return of.state[of.registry.index[series]]


def value(of: Picture, series: tuple[str, str] = ("road-1", "traffic.speed")) -> float | None:
    return of.value[of.registry.index[series]]


def test_the_newest_observation_wins_and_late_data_does_not_turn_it_back() -> None:
    shown = picture()
    shown.apply_readings(0, 0, [reading(seconds=10, value=2.0)])
    shown.apply_readings(0, 1, [reading(seconds=5, value=9.0)])
    assert value(shown) == 2.0
    assert shown.late == 1


def test_a_repeat_changes_nothing_but_a_replacement_does() -> None:
    shown = picture()
    shown.apply_readings(0, 0, [reading(value=2.0)])
    shown.take(START_US)
    assert shown.apply_readings(0, 1, [reading(value=3.0)]) == 0
    assert value(shown) == 2.0
    assert not shown.take(START_US).series
    assert shown.apply_readings(0, 2, [reading(value=4.0, replace=True)]) == 1
    assert value(shown) == 4.0


def test_a_record_taken_before_is_not_taken_again() -> None:
    shown = picture()
    shown.apply_readings(1, 7, [reading(value=2.0)])
    assert shown.apply_readings(1, 7, [reading(seconds=9, value=5.0)]) == 0
    assert value(shown) == 2.0
    assert shown.position == (0, 8)


def test_states_follow_the_time_that_is_passed_in() -> None:
    shown = picture()
    shown.take(START_US)
    assert state(shown) == "never"
    shown.apply_readings(0, 0, [reading()])
    assert state(shown) == "never"
    shown.take(START_US)
    assert state(shown) == "normal"
    shown.take(START_US + 179 * SECOND)
    assert state(shown) == "normal"
    delta = shown.take(START_US + 180 * SECOND)
    assert state(shown) == "stale"
    assert delta.series == {shown.registry.index["road-1", "traffic.speed"]}
    shown.apply_readings(0, 1, [reading(seconds=200, quality="bad")])
    shown.take(START_US + 200 * SECOND)
    assert state(shown) == "bad"


def test_each_series_goes_stale_after_three_intervals_of_its_own_metric() -> None:
    shown = picture()
    shown.apply_readings(0, 0, [reading(), reading("gauge-1", "water.level")])
    shown.take(START_US + 200 * SECOND)
    assert (state(shown), state(shown, ("gauge-1", "water.level"))) == ("stale", "normal")
    shown.take(START_US + 900 * SECOND)
    assert state(shown, ("gauge-1", "water.level")) == "stale"


def test_what_was_old_when_it_came_is_stale_at_once() -> None:
    shown = picture()
    shown.apply_readings(0, 0, [reading(seconds=-1000)])
    shown.take(START_US)
    assert state(shown) == "stale"


def test_an_active_alert_colours_its_series_even_if_stale_and_a_closed_one_does_not() -> None:
    gauge = ("gauge-1", "water.level")
    shown = picture()
    shown.apply_incident(0, 0, event(incident(1, priority=3)))
    shown.apply_incident(0, 1, event(incident(2, priority=1)))
    shown.take(START_US + 10_000 * SECOND)
    assert state(shown, gauge) == "p1"
    shown.apply_incident(0, 2, event(incident(2, 2, priority=1, alert_state=AlertState.CLEARED)))
    shown.take(START_US)
    assert state(shown, gauge) == "p3"
    shown.apply_incident(0, 3, event(incident(1, 2, priority=3, state=IncidentState.CLOSED)))
    shown.take(START_US)
    assert state(shown, gauge) == "never"
    assert shown.board.counts() == {1: 1, 2: 0, 3: 0, 4: 0}


def test_an_incident_event_counts_once_and_never_backwards() -> None:
    shown = picture()
    assert shown.apply_incident(0, 0, event(incident(1, 1)))
    assert shown.apply_incident(0, 1, event(incident(1, 2, state=IncidentState.CLOSED)))
    assert not shown.apply_incident(0, 1, event(incident(1, 3)))
    assert not shown.apply_incident(0, 2, event(incident(1, 1)))
    assert not shown.apply_incident(0, 3, event(incident(1, 2)))
    assert shown.board.open_incidents() == []
    assert len(shown.take(START_US).events) == 2


@pytest.mark.parametrize("garbage", [b"", b"{", b"{}", b'{"data":{"id":"x"}}', b"\xff", b"[1]"])
def test_garbage_is_poison_and_is_stepped_over(garbage: bytes) -> None:
    shown = picture()
    with pytest.raises(Poison):
        shown.apply_incident(0, 0, garbage)
    assert shown.apply_incident(0, 1, event(incident(1)))


def test_what_was_loaded_is_shown_and_aged() -> None:
    shown = picture(road=Latest(START_US - 170 * SECOND, 33.0, False))
    shown.take(START_US)
    assert (value(shown), state(shown)) == (33.0, "normal")
    shown.take(START_US + 10 * SECOND)
    assert state(shown) == "stale"


def test_a_new_registry_keeps_values_and_adopts_what_came_too_early() -> None:
    shown = Picture(registry(SENSORS[1:]), {}, Board([], (0,)), (0, 0), "log-1")
    shown.apply_incident(0, 0, event(incident(1)))
    shown.apply_readings(
        0, 0, [reading(value=5.0), reading("road-2", value=6.0), reading(seconds=-9, value=1.0)]
    )
    later = shown.with_registry(registry(), {})
    later.take(START_US)
    assert value(later) == 5.0
    assert value(later, ("road-2", "traffic.speed")) == 6.0
    assert state(later, ("gauge-1", "water.level")) == "p2"
    assert later.position == shown.position
    assert later.registry.version != shown.registry.version


def test_the_same_registry_has_the_same_version_in_any_order() -> None:
    one, other = registry(), registry(list(reversed(SENSORS)))
    assert one.version == other.version
    assert one.index == other.index
    assert len(one.series) == len(SERIES)


readings = st.builds(
    reading,
    sensor=st.just("road-1"),
    seconds=st.integers(-400, 400),
    value=st.integers(0, 5).map(float),
)


@given(st.lists(readings, max_size=20), st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_newest_reading(
    items: list[Reading], shuffler: random.Random
) -> None:
    unique = {item.observed_us: item for item in items}
    order = list(unique.values())
    shuffler.shuffle(order)
    shown = picture()
    for offset, item in enumerate(order + order[::-1]):
        shown.apply_readings(offset % 2, offset, [item])
    shown.take(START_US)
    newest = unique[max(unique)] if unique else None
    assert value(shown) == (newest.value if newest else None)
    if newest is not None:
        limit = START_US - 3 * METRICS[0].interval_seconds * SECOND
        assert state(shown) == ("stale" if newest.observed_us <= limit else "normal")


def test_each_alarm_of_an_incident_colours_its_own_series_until_it_is_gone() -> None:
    alarms = (Alarm("gauge-1", "water.level", 3), Alarm("gauge-2", "weather.rain", 2))
    board = Board([], (0,))
    told = board.apply(0, 0, event(incident(1, 1, alarms=alarms, members=2)))
    assert told is not None
    assert touched([told]) == {("gauge-1", "water.level"), ("gauge-2", "weather.rain")}
    assert board.alarm(("gauge-1", "water.level")) == 3
    assert board.alarm(("gauge-2", "weather.rain")) == 2
    assert board.alarm(("gauge-2", "water.level")) == 0
    left = incident(1, 2, alarms=alarms[:1], members=2)
    cause = Cause(
        alert_id=left.id, rule_id="r", rule_version=1, subject="gauge-2", metric="weather.rain",
        observed_at=START,
    )  # fmt: skip
    step = IncidentEvent(
        id=left.id, type="incident.member_cleared", timestamp=START, actor="rules", data=left,
        cause=cause,
    )  # fmt: skip
    told = board.apply(0, 1, step.model_dump_json().encode())
    assert told is not None and ("gauge-2", "weather.rain") in touched([told])
    assert board.alarm(("gauge-2", "weather.rain")) == 0


def test_parts_of_another_incident_are_not_counted() -> None:
    parent = incident(1, 1)
    board = Board([], (0,))
    board.apply(0, 0, event(parent))
    board.apply(0, 1, event(incident(2, 1, parent_id=parent.id)))
    assert board.counts() == {1: 0, 2: 1, 3: 0, 4: 0}
