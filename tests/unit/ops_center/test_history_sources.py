"""From which sources history answers: readings, or rollups of which width."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.history.sources import (
    RAW,
    WORTH_READINGS,
    Segment,
    aligned,
    finest_kept,
    plan,
    widest,
)
from services.ops_center.history.span import Span
from shared.store.rollups import WIDTHS

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 4, 1), datetime(2026, 5, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(
    st.tuples(MOMENTS, MOMENTS).filter(lambda pair: pair[0] < pair[1]),
    st.sampled_from([1, 30, 60, 120, 300, 900, 1800, 3600, 7200, 43_200, 86_400, 3 * 86_400]),
    st.dictionaries(st.sampled_from(WIDTHS), MOMENTS),
    st.floats(min_value=0),
)
def test_segments_cover_the_span_once_with_whole_buckets(
    ends: tuple[datetime, datetime], width: int, rolled_to: dict[int, datetime], density: float
) -> None:
    segments = plan(Span(*ends), width, rolled_to, density)
    edges = [ends[0], *(segment.end for segment in segments)]
    assert [segment.start for segment in segments] == edges[:-1]
    assert edges[-1] == ends[1]
    for segment in segments:
        assert segment.start < segment.end
        if segment.source == RAW:
            continue
        assert width % segment.source == 0
        assert density * segment.source >= WORTH_READINGS
        assert segment.end <= rolled_to[segment.source]
        assert segment.start == aligned(segment.start, segment.source)
        assert segment.end == aligned(segment.end, segment.source)
    assert len(segments) <= 2 * len(WIDTHS) + 1


def test_a_long_span_takes_the_coarsest_rollup_and_cuts_only_its_ends() -> None:
    rolled = dict.fromkeys(WIDTHS, NOW - timedelta(minutes=2))
    span = Span(NOW - timedelta(days=30, minutes=22, seconds=3), NOW)
    sources = [segment.source for segment in plan(span, 86_400, rolled)]
    assert sources == [RAW, 60, 900, 3_600, 86_400, 3_600, 900, 60, RAW]


def test_rollups_of_few_readings_are_left_alone() -> None:
    rolled = dict.fromkeys(WIDTHS, NOW)
    span = Span(NOW - timedelta(hours=30), NOW)
    sources = [s.source for s in plan(span, 3_600, rolled, per_second=1 / 60)]
    assert sources == [3_600]
    sources = [s.source for s in plan(span, 3_600, rolled, per_second=1 / 3_600)]
    assert sources == [RAW]
    cut = Span(span.start + timedelta(minutes=7), NOW)
    sources = [s.source for s in plan(cut, 3_600, rolled, per_second=1 / 60)]
    assert sources == [RAW, 900, 3_600]


def test_the_widest_whole_buckets_are_looked_at_first() -> None:
    rolled = dict.fromkeys(WIDTHS, NOW - timedelta(minutes=2))
    day = widest(Span(NOW - timedelta(hours=24, minutes=1), NOW), rolled)
    assert day == Segment(3_600, NOW - timedelta(hours=24), NOW - timedelta(hours=1))
    assert widest(Span(NOW - timedelta(seconds=90), NOW), rolled) is None
    assert widest(Span(NOW - timedelta(hours=24), NOW), {}) is None


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(7, RAW), (8, 60), (31, 900), (91, 3_600), (400, 86_400), (5_000, 86_400)],
)
def test_where_raw_rows_are_gone_the_finest_rollup_that_is_left_answers(
    ago: int, expected: int
) -> None:
    kept = {RAW: 7, 60: 30, 900: 90, 3_600: 365, 86_400: 1_000}
    floors = {source: NOW - timedelta(days=days) for source, days in kept.items()}
    assert finest_kept(floors, NOW - timedelta(days=ago)) == expected
    assert finest_kept({}, NOW - timedelta(days=ago)) == RAW
