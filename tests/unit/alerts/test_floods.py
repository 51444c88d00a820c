"""Floods and dependencies: which incidents stand in the operator's list, and which below."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.incidents.dependencies import Edge, cycle
from shared.contracts.incident import AlertState
from tests.unit.alerts.storms import City, in_turn, rule, summary, told

LONE = rule("lone", group_by=("subject",), cause=None)
GAS = rule("gas", priority=1)


def burst(count: int, start: float = 0, name: str = "s") -> list[Any]:
    """So many incidents within five minutes."""
    return [told(LONE, f"{name}{number}", start + 5 * number / count) for number in range(count)]


def test_ten_in_ten_minutes_are_no_flood() -> None:
    assert len(City().hear(*burst(10)).top()) == 10
    spread = [told(LONE, f"s{number}", number * 1.01) for number in range(40)]
    assert all(one.kind == "alert" for one in City().hear(*spread).top())


def test_more_than_ten_in_ten_minutes_are_one_incident() -> None:
    city = City().hear(*burst(30), told(GAS, "g", 4))
    [gas, flood] = sorted(city.top(), key=lambda one: one.priority)
    assert (gas.rule_id, flood.kind, flood.members) == ("gas", "flood", 30)
    assert {one.parent_id for one in city.incidents()} == {None, flood.id}
    assert city.steps(flood)[:2] == ["opened", "joined"]
    opened_below = next(one for one in city.incidents() if one.subjects == ("s29",))
    assert city.steps(opened_below) == ["opened"]  # with its parent: nobody is paged for it


def test_two_operators_take_in_twice_as_many() -> None:
    assert len(City(operators=2).hear(*burst(20)).top()) == 20
    assert len(City(operators=2).hear(*burst(21)).top()) == 1


def test_a_flood_ends_below_five_in_ten_minutes() -> None:
    city = City().hear(*burst(30))
    city.gate.passed(city.book)
    flood = next(one for one in city.incidents() if one.kind == "flood")
    assert flood.alert_state is AlertState.ACTIVE
    city.hear(*[told(LONE, f"t{number}", 20 + number) for number in range(4)])
    city.gate.passed(city.book)
    flood = next(one for one in city.incidents() if one.kind == "flood")
    assert flood.alert_state is AlertState.CLEARED
    city.hear(told(LONE, "after", 25))
    assert [one.subjects for one in city.top()][1:] == [("after",)]


def test_history_makes_no_flood() -> None:
    old = [told(LONE, f"s{number}", 0, historical=True) for number in range(50)]
    assert len(City().hear(*old).top()) == 50


def test_what_becomes_priority_1_rises_from_the_flood() -> None:
    city = City().hear(*burst(30))
    city.hear(told(LONE, "s3", 6, "changed", start=5 * 3 / 30, priority=1))
    risen = next(one for one in city.top() if one.kind == "alert")
    assert (risen.subjects, risen.priority) == (("s3",), 1)
    assert city.steps(risen)[-2:] == ["changed", "released"]


SUPPLY = [Edge("substation-1", "pump-*"), Edge("pump-1", "gauge-1")]
POWER, FLOW = rule("power", cause="power"), rule("flow", cause="flow", group_by=("subject",))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_a_consequence_is_a_child_in_either_order(order: tuple[int, ...]) -> None:
    story = [told(POWER, "substation-1", 0), told(FLOW, "pump-1", 1), told(FLOW, "gauge-1", 2)]
    city = City(SUPPLY).hear(*[story[place] for place in order])
    [top] = city.top()
    assert top.subjects == ("substation-1",)


def test_a_substation_explains_a_gauge_whose_pump_says_nothing() -> None:
    city = City(SUPPLY).hear(told(POWER, "substation-1", 0), told(FLOW, "gauge-1", 2))
    assert [one.subjects for one in city.top()] == [("substation-1",)]
    assert len(City(SUPPLY).hear(told(POWER, "x", 0), told(FLOW, "gauge-1", 2)).top()) == 2


def test_what_stands_alone_has_no_parent_and_what_is_over_explains_nothing() -> None:
    city = City([Edge("a", "b")]).hear(told(POWER, "a", 0), told(GAS, "b", 1))
    assert len(city.top()) == 2
    city = City([Edge("a", "b")]).hear(
        told(POWER, "a", 0), told(POWER, "a", 1, "cleared", start=0), told(FLOW, "b", 2)
    )
    assert len(city.top()) == 2


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ([("a", "b"), ("b", "c")], False), ([("a", "b"), ("b", "c"), ("c", "a")], True),
        ([("a", "a")], True), ([("pump-*", "pump-1")], True), ([("a-*", "b-*")], False),
        ([("a-*", "b-*"), ("b-1", "a-1")], True),
    ],
)  # fmt: skip
def test_circles_are_found(edges: list[tuple[str, str]], circle: bool) -> None:
    assert (cycle([Edge(*edge) for edge in edges]) is not None) is circle


@given(st.lists(st.integers(0, 5), max_size=20), st.lists(st.integers(0, 9), max_size=6))
def test_a_backlog_has_the_same_parents_in_any_order(turns: list[int], ends: list[int]) -> None:
    subjects = ("substation-1", "pump-1", "gauge-1", "pump-2")
    streams = []
    for number, subject in enumerate(subjects):
        which = POWER if number == 0 else FLOW
        stream = [told(which, subject, number * 3, historical=True)]
        if number < len(ends):
            end = number * 3 + 1 + ends[number]
            stream.append(told(which, subject, end, "cleared", start=number * 3, historical=True))
        streams.append(stream)
    live = sorted((one for stream in streams for one in stream), key=lambda one: one.observed_us)
    expected = summary(City(SUPPLY).hear(*live))
    assert summary(City(SUPPLY).hear(*in_turn(streams, turns))) == expected
