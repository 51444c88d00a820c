"""How exports are cut, and which bytes of a part are wanted."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from services.ops_center.exchange.ranges import NotSatisfiable, Wanted, wanted
from services.ops_center.exchange.slices import (
    MOST_PARTS,
    PART_ROWS,
    TooManyParts,
    cut,
    plan,
    width_seconds,
)
from services.ops_center.history.span import Span
from services.ops_center.sensorthings.odata import Condition, options, steps
from shared.web.problems import Problem

START = datetime(2026, 5, 1, 3, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 4, 30, 16, tzinfo=UTC)  # in China
DAY = timedelta(days=1)


def test_parts_hold_about_a_million_rows() -> None:
    for rate in (0.001, 1, 90, 900):
        assert width_seconds(rate) * rate <= PART_ROWS
    assert width_seconds(1e9) == 900, "no part is shorter than a quarter of an hour"


def test_pieces_cover_a_span_at_edges_that_do_not_depend_on_it() -> None:
    span = Span(START, START + timedelta(hours=8))
    pieces = cut(span, 3 * 3_600)
    assert pieces[0].start == span.start
    assert pieces[-1].end == span.end
    assert all(a.end == b.start for a, b in pairwise(pieces))
    later = cut(Span(START + timedelta(hours=1), span.end), 3 * 3_600)
    assert later[-1:] == pieces[-1:]
    with pytest.raises(TooManyParts):
        cut(Span(START, START + MOST_PARTS * DAY), 900)


def test_only_what_is_new_or_changed_is_given_again() -> None:
    span, known = Span(START, MIDNIGHT + 5 * DAY), MIDNIGHT + 4 * DAY
    slices = plan(span, 86_400, known, {MIDNIGHT, MIDNIGHT - DAY, MIDNIGHT + 4 * DAY})
    assert [(one.kind, one.span) for one in slices] == [
        ("changed", Span(START, MIDNIGHT + DAY)), ("new", Span(known, span.end))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "condition", "found"),
    [
        (None, None, Wanted(0, 99, False)),
        ("bytes=10-", None, Wanted(10, 99, True)),
        ("bytes=10-19", '"e"', Wanted(10, 19, True)),
        ("bytes=90-200", None, Wanted(90, 99, True)),
        ("bytes=-5", None, Wanted(95, 99, True)),
        ("bytes=10-", '"other"', Wanted(0, 99, False)),
        ("bytes=1-2,5-6", None, Wanted(0, 99, False)),
        ("bytes=-", None, Wanted(0, 99, False)),
        ("bytes=20-10", None, Wanted(0, 99, False)),
    ],
)
def test_ranges(asked: str | None, condition: str | None, found: Wanted) -> None:
    assert wanted(100, asked, condition, '"e"') == found


def test_a_range_behind_the_end_cannot_be_had() -> None:
    with pytest.raises(NotSatisfiable):
        wanted(100, "bytes=100-", None, '"e"')


def test_paths_and_options_of_sensorthings() -> None:
    assert steps("Things('a/b''c')/Datastreams") == [("Things", "a/b'c"), ("Datastreams", None)]
    asked = options(
        {"$filter": "name eq 'x and y' and result ge 3", "$expand": "A($top=1;$expand=B),C/D"}
    )
    assert asked.conditions == (Condition("name", "eq", "x and y"), Condition("result", "ge", 3.0))
    assert asked.expand["A"].top == 1
    assert list(asked.expand["A"].expand) == ["B"]
    assert list(asked.expand["C"].expand) == ["D"]
    for wrong in ({"$top": "-1"}, {"$filter": "a or b"}, {"$expand": "A($top=1"}, {"top": "1"}):
        with pytest.raises(Problem):
            options(wrong)
