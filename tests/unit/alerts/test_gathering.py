"""Which alerts make one incident, whatever the order in which they arrive."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.judging.transition import Transition
from shared.contracts.incident import Alarm, AlertState, IncidentState, incident_id
from tests.unit.alerts.storms import START, City, in_turn, rule, summary, told

RAIN, WATER = rule("rain"), rule("water", priority=2)
GAS = rule("gas", priority=1)
DELAYED = rule("slow", for_seconds=300)
RULES = (RAIN, WATER, GAS, DELAYED)
SUBJECTS = ("a-441202", "b-441202", "c-441203")


def test_alerts_of_one_cause_and_district_gather() -> None:
    city = City().hear(told(RAIN, "a", 0), told(WATER, "b", 5), told(RAIN, "c-441203", 6))
    here, there = city.incidents()
    assert (here.subjects, here.members, here.priority) == (("a", "b"), 2, 2)
    assert here.alarms == (Alarm("a", "m.rain", 3), Alarm("b", "m.water", 2))
    assert there.subjects == ("c-441203",)
    assert city.steps(here) == ["opened", "joined"]
    assert city.book.steps[1].cause is not None and city.book.steps[1].cause.subject == "b"


def test_what_comes_long_after_is_another_incident() -> None:
    assert len(City().hear(told(RAIN, "a", 0), told(RAIN, "b", 30)).incidents()) == 1
    assert len(City().hear(told(RAIN, "a", 0), told(RAIN, "b", 31)).incidents()) == 2


def test_priority_1_stands_alone_and_has_its_alerts_id() -> None:
    city = City().hear(told(GAS, "a", 0), told(GAS, "b", 0), told(RAIN, "a", 0))
    alone = [one for one in city.incidents() if one.rule_id == "gas"]
    assert {one.id for one in alone} == {incident_id("gas", name, START) for name in "ab"}


def test_an_incident_is_cleared_with_its_last_alert() -> None:
    city = City().hear(
        told(RAIN, "a", 0), told(WATER, "b", 1), told(WATER, "b", 2, "cleared", start=1)
    )
    [one] = city.incidents()
    assert (one.alert_state, one.priority, one.alarms) == (
        AlertState.ACTIVE, 3, (Alarm("a", "m.rain", 3),),
    )  # fmt: skip
    city.hear(told(RAIN, "a", 9, "no_data", start=0), told(RAIN, "a", 10, "resumed", start=0))
    [one] = city.hear(told(RAIN, "a", 11, "cleared", start=0)).incidents()
    assert (one.alert_state, one.alarms) == (AlertState.CLEARED, ())
    assert city.steps(one) == [
        "opened", "joined", "member_cleared", "no_data", "resumed", "cleared",
    ]  # fmt: skip


def test_no_data_never_resolves() -> None:
    city = City().hear(told(RAIN, "a", 0), told(RAIN, "a", 9, "no_data", start=0))
    assert city.incidents()[0].alert_state is AlertState.ACTIVE


def test_a_repeat_changes_nothing() -> None:
    story = [
        told(RAIN, "a", 0), told(RAIN, "a", 1, "changed", start=0, priority=2),
        told(RAIN, "a", 2, "no_data", start=0), told(RAIN, "a", 3, "resumed", start=0),
        told(RAIN, "a", 4, "cleared", start=0),
    ]  # fmt: skip
    city = City().hear(*story)
    before = summary(city), len(city.book.steps)
    assert len(city.book.steps) == 5
    assert (summary(city.hear(*story)), len(city.book.steps)) == before


def test_what_becomes_priority_1_leaves_the_others() -> None:
    city = City().hear(told(RAIN, "a", 0), told(RAIN, "b", 1))
    city.hear(told(RAIN, "b", 2, "changed", start=1, priority=1, value=90))
    gathered, alone = city.incidents()
    assert (gathered.subjects, gathered.priority, gathered.members) == (("a",), 3, 1)
    assert (alone.subjects, alone.priority, alone.id) == (
        ("b",), 1, incident_id("rain", "b", city.book.members(alone.id)[0].started_at),
    )  # fmt: skip
    assert city.steps(alone) == ["opened"]
    city = City().hear(told(RAIN, "a", 0), told(RAIN, "a", 1, "changed", start=0, priority=1))
    [only] = city.incidents()
    assert only.priority == 1


def test_what_people_work_on_keeps_its_id() -> None:
    city = City().hear(told(RAIN, "a", 5))
    [case] = city.cases()
    case.touched = True
    city.hear(told(RAIN, "b", 4))
    assert [one.id for one in city.cases()] == [case.id]
    untouched = City().hear(told(RAIN, "a", 5), told(RAIN, "b", 4))
    [new] = untouched.incidents()
    assert new.id != case.id and new.members == 2
    [old] = [one for one in untouched.book.cases.values() if one.incident.merged_into == new.id]
    assert (old.id, old.incident.state) == (case.id, IncidentState.CLOSED)


def test_a_closed_incident_takes_no_more() -> None:
    city = City().hear(told(RAIN, "a", 0))
    [case] = city.cases()
    case.incident = case.incident.model_copy(update={"state": IncidentState.CLOSED})
    assert len(city.hear(told(RAIN, "b", 0), told(RAIN, "c", 1)).incidents()) == 2


def test_a_flapping_alert_is_shown_as_one_until_it_is_calm() -> None:
    flaps = replace(told(RAIN, "a", 2, "changed", start=0), flapping=True)
    city = City().hear(told(RAIN, "a", 0), flaps)
    assert city.incidents()[0].flapping
    calm = told(RAIN, "a", 30, "cleared", start=0)
    assert not city.hear(calm).incidents()[0].flapping


Gap = st.integers(min_value=1, max_value=45)


@st.composite
def streams(draw: Any) -> list[list[Transition]]:
    """Per subject and rule: raised, perhaps worse, perhaps cleared, and again, in event time."""
    found = []
    for which in draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True)):
        for subject in draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, unique=True)):
            minute, stream = draw(st.integers(0, 60)), []
            for _ in range(draw(st.integers(1, 3))):
                start = minute
                raised_at = minute + which.for_seconds // 60
                stream.append(told(which, subject, raised_at, start=start, historical=True))
                minute = raised_at + draw(Gap)
                ends = told(which, subject, minute, "cleared", start=start, historical=True)
                stream.append(ends)
                minute += draw(Gap)
            found.append(stream[: len(stream) - draw(st.integers(0, 1))])
    return found


@given(streams(), st.lists(st.integers(0, 11), max_size=40))
def test_any_order_of_arrival_gives_the_same_incidents(
    backlog: list[list[Transition]], turns: list[int]
) -> None:
    live = sorted(
        (one for stream in backlog for one in stream), key=lambda one: (one.observed_us, one.kind)
    )
    expected = summary(City().hear(*live))
    assert summary(City().hear(*in_turn(backlog, turns))) == expected
