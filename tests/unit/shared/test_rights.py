"""Which grant holds where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.identity import Grant, Identity
from shared.web.problems import Problem
from shared.web.rights import EVERYWHERE, ROLES, Place, demand, highest, may, may_somewhere

DINGHU = Place(frozenset({"441203", "441200"}), frozenset({"environment"}))
ELSEWHERE = Place(frozenset({"441202", "441200"}), frozenset({"environment"}))


def person(*grants: Grant) -> Identity:
    return Identity("person", "li", highest(grants), frozenset(), "person:li", grants=grants)


@pytest.mark.parametrize(
    ("grant", "place", "allowed"),
    [
        (Grant("operator"), DINGHU, True),
        (Grant("operator"), EVERYWHERE, True),
        (Grant("viewer"), DINGHU, False),
        (Grant("admin"), DINGHU, True),
        (Grant("operator", "441203"), DINGHU, True),
        (Grant("operator", "441200"), DINGHU, True),
        (Grant("operator", "441203"), ELSEWHERE, False),
        (Grant("operator", "441203"), EVERYWHERE, False),
        (Grant("operator", "441203", "environment"), DINGHU, True),
        (Grant("operator", "441203", "traffic"), DINGHU, False),
        (Grant("operator", None, "environment"), ELSEWHERE, True),
        (Grant("operator", None, "environment"), Place(frozenset({"441203"})), False),
        (Grant("admin", "441203", "traffic"), EVERYWHERE, False),
    ],
)
def test_a_grant_holds_in_its_area_and_domain(grant: Grant, place: Place, allowed: bool) -> None:
    assert may(person(grant), "operator", place) is allowed


def test_one_grant_must_fit_as_a_whole() -> None:
    """The role of one grant and the place of another make no right."""
    both = person(Grant("dispatcher", "441202"), Grant("viewer", "441203"))
    assert not may(both, "dispatcher", DINGHU)
    assert may(both, "viewer", DINGHU)
    assert both.role == "dispatcher"


def test_the_refusal_says_what_is_lacking() -> None:
    with pytest.raises(Problem) as elsewhere:
        demand(person(Grant("operator", "441202")), "operator", DINGHU)
    assert (elsewhere.value.status, elsewhere.value.code) == (403, "elsewhere")
    assert "441203" in elsewhere.value.detail
    with pytest.raises(Problem) as nowhere:
        demand(person(Grant("viewer")), "operator", DINGHU)
    assert nowhere.value.code == "role"


GRANTS = st.builds(
    Grant,
    st.sampled_from(ROLES),
    st.sampled_from((None, "441200", "441202", "441203")),
    st.sampled_from((None, "traffic", "environment")),
)


@given(st.lists(GRANTS, max_size=4), st.sampled_from(ROLES), st.sampled_from(ROLES))
def test_who_may_do_more_may_do_less_and_more_grants_never_take_away(
    grants: list[Grant], role: str, other: str
) -> None:
    lower, upper = sorted((role, other), key=ROLES.index)
    for place in (DINGHU, ELSEWHERE, EVERYWHERE):
        if may(person(*grants), upper, place):
            assert may(person(*grants), lower, place)
            assert may(person(*grants, Grant("viewer")), upper, place)
            assert may_somewhere(person(*grants), upper)
        if may(person(*grants), role, EVERYWHERE):
            assert may(person(*grants), role, place)


def test_without_a_grant_nothing_is_allowed() -> None:
    assert not may(person(), "viewer", EVERYWHERE)
    assert not may_somewhere(person(), "viewer")
    assert highest(()) == ""
