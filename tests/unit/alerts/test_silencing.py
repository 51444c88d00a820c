"""What is quiet: matchers, silences, inhibitions."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.alerts.incidents import alert as alerts_of
from services.alerts.incidents.alert import Alert
from services.alerts.silencing.inhibitions import Inhibition, load
from services.alerts.silencing.matchers import Matchers
from services.alerts.silencing.silence import Kind, Silence, Stillness, reconsider
from shared.contracts.incident import AlertState
from tests.unit.alerts.storms import NOW, City, place, rule, told

RAIN, WATER, GAS = rule("rain"), rule("water", cause="flood"), rule("gas", priority=1)
HOUR = timedelta(hours=1)


def alert(which: Any = RAIN, subject: str = "a", minute: float = 0) -> Alert:
    return alerts_of.raised(told(which, subject, minute), place(subject), uuid4())


def silence(kind: Kind = "silence", incident: UUID | None = None, **matchers: Any) -> Silence:
    meant = Matchers(**matchers) if matchers else None
    return Silence(uuid4(), kind, meant, incident, NOW, NOW + HOUR, "why", "who", NOW)


@pytest.mark.parametrize(
    ("matchers", "fits"),
    [
        ({"rule": ["rain"]}, True), ({"rule": ["r*"], "subject": ["b"]}, False),
        ({"priority": [2, 3]}, True), ({"priority": [2]}, False), ({"area": ["4412*"]}, True),
        ({"cause": ["storm"], "metric": ["m.?ain"]}, True), ({"cause": ["fire"]}, False),
    ],
)  # fmt: skip
def test_every_field_that_is_given_must_fit(matchers: dict[str, Any], fits: bool) -> None:
    assert Matchers(**matchers).fit(alert()) is fits


def test_nothing_silences_everything() -> None:
    wrong: dict[str, Any]
    for wrong in ({}, {"rule": []}, {"rule": ["[ab]"]}, {"subject": ["\x00"]}):
        with pytest.raises(ValidationError):
            Matchers.model_validate(wrong)


def test_priority_1_is_silenced_by_name_only() -> None:
    found = alert(GAS)
    for broad in ({"rule": ["gas"]}, {"rule": ["g*"], "subject": ["a"]}, {"priority": [1]}):
        assert not Matchers.model_validate(broad).may_hide(found)
    assert Matchers(rule=("gas",), subject=("a",)).may_hide(found)
    assert Stillness([silence(subject=["a"])], [], []).of(found) is None


def test_a_silence_ends_when_it_is_over_or_ended() -> None:
    one = silence(rule=["rain"])
    assert [one.state(NOW + n * HOUR / 2) for n in (-1, 0, 1, 2)] == [
        "pending", "active", "active", "expired",
    ]  # fmt: skip
    assert replace(one, ended_at=NOW).state(NOW) == "expired"


def test_a_silenced_incident_is_recorded_and_heard_when_one_alert_is_not_silenced() -> None:
    city = City(quiet=Stillness([silence(rule=["rain"])], [], [])).hear(told(RAIN, "a", 0))
    [one] = city.incidents()
    assert one.suppressed is not None and one.suppressed.by == "silence"
    city.hear(told(rule("wind"), "b", 1))
    [one] = city.incidents()
    assert one.suppressed is None
    assert city.steps(one) == ["opened", "joined", "unsuppressed"]


def test_what_was_silenced_and_clears_is_never_told() -> None:
    city = City(quiet=Stillness([silence(rule=["rain"])], [], []))
    city.hear(told(RAIN, "a", 0), told(RAIN, "a", 1, "cleared", start=0))
    [one] = city.incidents()
    assert one.alert_state is AlertState.CLEARED and one.suppressed is not None


def test_what_becomes_priority_1_breaks_its_silence() -> None:
    city = City(quiet=Stillness([silence(rule=["rain"])], [], [])).hear(told(RAIN, "a", 0))
    city.hear(told(RAIN, "a", 1, "changed", start=0, priority=1))
    assert city.incidents()[0].suppressed is None


def test_when_a_silence_ends_what_stands_is_heard() -> None:
    city = City(quiet=Stillness([silence(rule=["rain"])], [], []))
    city.hear(told(RAIN, "a", 0), told(WATER, "w", 0), told(WATER, "w", 1, "cleared", start=0))
    city.book.quiet = Stillness([], [], [])
    reconsider(city.book, {})
    reconsider(city.book, {})
    rain, water = sorted(city.incidents(), key=lambda one: str(one.rule_id))
    assert city.steps(rain) == ["opened", "unsuppressed"]
    assert city.steps(water) == ["opened", "cleared"]


def test_a_shelved_incident_is_quiet_until_it_is_not() -> None:
    city = City().hear(told(GAS, "a", 0))
    [one] = city.incidents()
    shelving = silence("shelving", one.id)
    city.book.quiet = Stillness([shelving], [], [])
    reconsider(city.book, {str(shelving.silence_id): "who: why"})
    [one] = city.incidents()
    assert one.suppressed is not None and one.suppressed.by == "shelved"
    assert city.book.steps[-1].note == "who: why"
    city.book.quiet = Stillness([], [], [])
    reconsider(city.book, {})
    assert city.steps(one) == ["opened", "suppressed", "unsuppressed"]


LOUD = Inhibition(
    id="loud", source=Matchers(rule=("rain",)), target=Matchers(rule=("water",)), equal=("area",)
)


def test_an_inhibition_holds_while_its_source_stands() -> None:
    quiet = Stillness([], [LOUD], [])
    city = City(quiet=quiet).hear(told(WATER, "w", 0), told(RAIN, "a", 1))
    assert quiet.stirred
    reconsider(city.book, {})
    water = next(one for one in city.incidents() if one.rule_id == "water")
    assert water.suppressed is not None and water.suppressed.id == "loud"
    city.hear(told(WATER, "x-441203", 2))  # elsewhere
    assert city.incidents()[-1].suppressed is None
    city.hear(told(RAIN, "a", 3, "cleared", start=1))
    reconsider(city.book, {})
    assert city.steps(water) == ["opened", "suppressed", "unsuppressed"]


@given(
    st.sampled_from((RAIN, WATER, GAS)), st.sampled_from((RAIN, WATER, GAS)),
    st.sampled_from("ab"), st.sampled_from("ab"),
    st.sampled_from(({"rule": ("*",)}, {"cause": ("storm",)}, {"rule": ("rain", "gas")})),
    st.sampled_from(({"rule": ("*",)}, {"subject": ("a",)})),
)  # fmt: skip
def test_no_alert_inhibits_itself_nor_two_each_other(
    one: Any, other: Any, here: str, there: str, source: Any, target: Any
) -> None:
    inhibition = Inhibition(id="i", source=Matchers(**source), target=Matchers(**target))
    first, second = alert(one, here), alert(other, there)
    assert not inhibition.inhibits(first, first)
    assert not (inhibition.inhibits(first, second) and inhibition.inhibits(second, first))
    assert not any(inhibition.inhibits(some, alert(GAS)) for some in (first, second))


def test_a_wrong_inhibition_stops_no_other(tmp_path: Path) -> None:
    good = "{id: a, source: {rule: [x]}, target: {rule: [y]}}"
    (tmp_path / "one.yaml").write_text(f"- {good}\n- {{id: b, source: {{}}}}\n- {good}\n")
    (tmp_path / "two.yaml").write_text("a: [")
    found, errors = load(tmp_path)
    assert [one.id for one in found] == ["a"]
    assert [error.file for error in errors] == ["one.yaml", "one.yaml", "two.yaml"]
    shipped, wrong = load(Path(__file__).parents[3] / "rules" / "inhibitions")
    assert shipped and not wrong
