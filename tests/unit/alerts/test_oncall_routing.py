"""Chains and routes: what is refused, and which incident goes where."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.alerts.oncall.chain import Chain
from services.alerts.oncall.entry import Person
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.roster import Roster
from services.alerts.oncall.route import Route

NOTIFY: dict[str, Any] = {"kind": "notify", "targets": [{"kind": "roster", "id": "duty"}]}
WAIT: dict[str, Any] = {"kind": "wait", "minutes": 5}
REPEAT: dict[str, Any] = {"kind": "repeat", "times": 3}
WORKDAYS: dict[str, Any] = {"from": "08:00", "until": "18:00", "weekdays": [1, 2, 3, 4, 5]}
NIGHT: dict[str, Any] = {"from": "22:00", "until": "07:00"}
SATURDAY = datetime(2026, 5, 16, tzinfo=UTC)  # 08:00 in Shanghai


@dataclass(frozen=True)
class About:
    rule_id: str | None = "flood-depth"
    metric: str | None = "flood.depth"
    subjects: tuple[str, ...] = ("gauge-1", "gauge-2")
    cause: str | None = "rain"
    category: str | None = "flooding"
    kind: str = "alert"
    area_id: str | None = "441202"
    priority: int = 2


def route(name: str, **said: Any) -> Route:
    return Route.model_validate({"route_id": name, "name": name, "chain": "usual"} | said)


@pytest.mark.parametrize(
    "matchers, fits",
    [
        ({}, True),
        ({"rule": ["flood-*"], "priority": [1, 2]}, True),
        ({"rule": ["flood-*"], "priority": [1]}, False),
        ({"subject": ["gauge-2"]}, True),
        ({"area": ["441202001"]}, True),
        ({"area": ["441202"]}, True),
        ({"area": ["441203"]}, False),
        ({"category": ["gas", "flooding"], "kind": ["alert"], "cause": ["r?in"]}, True),
        ({"metric": ["rain.*"]}, False),
    ],
)
def test_a_route_takes_what_fits_every_field(matchers: dict[str, Any], fits: bool) -> None:
    said = route("r", matchers=matchers)
    assert (Oncall(routes=(said,)).route_for(About(), ["441202001"]) == said) is fits
    if set(matchers) & {"metric"}:
        assert Oncall(routes=(said,)).route_for(replace(About(), metric=None), []) is None


def test_the_first_route_holds_unless_it_says_continue() -> None:
    first = route("first", matchers={"priority": [2]}, **{"continue": True})
    other = route("other", matchers={"priority": [1]})
    second, third = route("second"), route("third")
    oncall = Oncall(routes=(first, other, second, third))
    assert oncall.routes_for(About(), []) == [first, second]
    assert oncall.route_for(replace(About(), priority=1), []) == other


@given(st.integers(0, 334 * 86_400))
def test_a_mute_time_ends_when_it_says(second: int) -> None:
    at = SATURDAY + timedelta(seconds=second)
    said = route("r", mute_times=[{"zone": "Europe/Berlin", "hours": [WORKDAYS, NIGHT]}])
    ends = said.muted_until(About(), at)
    assert (ends is not None) is said.muted(About(), at)
    if ends is not None:
        assert at < ends and not said.muted(About(), ends)
        assert said.muted(About(), ends - timedelta(seconds=1))


def test_mute_times_go_by_the_local_clock_and_never_hold_for_priority_1() -> None:
    said = route("r", mute_times=[{"hours": [WORKDAYS]}])
    friday = SATURDAY - timedelta(days=1)
    assert said.muted(About(), friday) and not said.muted(About(), SATURDAY)
    assert said.muted_until(About(), friday) == friday + timedelta(hours=10)
    assert not said.muted(replace(About(), priority=1), friday)
    always = route("r", mute_times=[{"hours": [{"from": "00:00", "until": "00:00"}]}])
    assert always.muted_until(About(), friday) == friday + timedelta(days=7)


def test_incidents_agree_in_a_group() -> None:
    said = route("r", group_by=["area", "category", "priority"])
    assert said.group(About()) == ("441202", "flooding", "2")
    assert said.group(replace(About(), area_id=None)) == ("", "flooding", "2")


@pytest.mark.parametrize(
    "steps, reason",
    [
        ([WAIT], "needs a step 'notify'"),
        ([NOTIFY, REPEAT, WAIT], "last step"),
        ([NOTIFY, REPEAT], "repeat at once"),
        ([NOTIFY, {"kind": "wait", "minutes": 61}], "less than or equal to 60"),
        ([NOTIFY, {"kind": "shout"}], "does not match"),
    ],
)
def test_chains_that_could_not_work_are_refused(steps: list[Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Chain.model_validate({"chain_id": "c", "name": "c", "steps": steps})


def test_what_names_something_unknown_is_found() -> None:
    layer = {
        "name": "l",
        "turns": [["an"], ["bo"]],
        "starts_on": "2026-01-01",
        "hand_over": "08:00",
    }
    roster = Roster.model_validate({"roster_id": "duty", "name": "d", "layers": [layer]})
    chain = Chain.model_validate(
        {"chain_id": "usual", "name": "u", "steps": [NOTIFY, WAIT, REPEAT]}
    )
    an, bo = (Person(person_id=name, name=name) for name in ("an", "bo"))
    whole = Oncall({"an": an, "bo": bo}, {"duty": roster}, {"usual": chain}, (route("r"),))
    assert not list(whole.complaints())
    assert set(whole.on_duty("duty", SATURDAY)) < {"an", "bo"} and not whole.on_duty("no", SATURDAY)
    assert list(replace(whole, people={"an": an}).complaints()) == [
        "roster duty: there is no person bo"
    ]
    assert list(replace(whole, rosters={}).complaints()) == ["chain usual: there is no roster duty"]
    assert list(replace(whole, chains={}).complaints()) == ["route r: there is no chain usual"]
