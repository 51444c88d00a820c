"""One rule, many items."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.quarantine.mending import Rule, Unmendable, mend

ITEM = {"sensor_id": "g", "metric": "water.level", "observed_at": "2026-05-01T08:00:00Z",
        "value": 3200}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ({"multiply": 0.001}, {"value": 3.2}),
        ({"multiply": 2, "add": -400}, {"value": 6000.0}),
        ({"add": 0.5}, {"value": 3200.5}),
        ({"shift_seconds": -28800}, {"observed_at": "2026-05-01T00:00:00+00:00"}),
        ({"sensor_id": "h", "metric": "drain.level"}, {"sensor_id": "h", "metric": "drain.level"}),
        ({"replace": True}, {"replace": True}),
        ({"quality": "suspect"}, {"quality": "suspect"}),
    ],
)
def test_a_rule_changes_what_it_names(rule: dict[str, Any], changed: dict[str, Any]) -> None:
    assert mend(Rule(**rule), ITEM) == ITEM | changed
    assert ITEM["value"] == 3200


def test_a_time_without_offset_gets_one() -> None:
    naive = ITEM | {"observed_at": "2026-05-01T08:00:00"}
    made = mend(Rule(utc_offset="+08:00"), naive)
    assert made["observed_at"] == "2026-05-01T08:00:00+08:00"
    aware = mend(Rule(utc_offset="+08:00"), ITEM)
    assert aware["observed_at"] == "2026-05-01T08:00:00+00:00"


def test_fields_that_do_not_belong_are_dropped() -> None:
    assert mend(Rule(drop_fields=["unit"]), ITEM | {"unit": "mm"}) == ITEM


@pytest.mark.parametrize(
    ("rule", "item"),
    [
        ({"multiply": 2}, ITEM | {"value": "12"}),
        ({"multiply": 2}, ITEM | {"value": True}),
        ({"multiply": 1e308}, ITEM | {"value": 1e308}),
        ({"multiply": 2}, ITEM | {"value": 10**400}),
        ({"shift_seconds": 1}, ITEM | {"observed_at": "yesterday"}),
        ({"shift_seconds": 1}, ITEM | {"observed_at": 5}),
        ({"shift_seconds": 3600}, ITEM | {"observed_at": "9999-12-31T23:59:59Z"}),
        ({"add": 1}, "text"),
        ({"add": 1}, None),
    ],
)
def test_what_a_rule_does_not_fit_is_left(rule: dict[str, Any], item: Any) -> None:
    with pytest.raises(Unmendable):
        mend(Rule(**rule), item)


@pytest.mark.parametrize("rule", [{}, {"multiply": None}, {"sensor_id": "a b"}, {"metric": "A"}])
def test_a_rule_must_say_something_sound(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rule(**rule)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    item=st.dictionaries(st.sampled_from([*ITEM, "quality", "x"]), anything) | anything,
    multiply=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    shift=st.none() | st.floats(-1e9, 1e9),
)
def test_any_item_is_mended_or_left(item: Any, multiply: float | None, shift: float | None) -> None:
    rule = Rule(multiply=multiply, shift_seconds=shift, quality="bad")
    try:
        made = mend(rule, item)
    except Unmendable:
        return
    assert made["quality"] == "bad"
    assert made.keys() == item.keys() | {"quality"}
