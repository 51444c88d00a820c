"""Which rows answer a question: raw readings, or rollups of which width. Pure.

Buckets of all widths are aligned to `ORIGIN`, so that those of a rollup lie within those of every
multiple of its width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ops_center.history.span import Span
from shared.store.rollups import WIDTHS, floor_to

RAW = 0
SOURCES = (RAW, *WIDTHS)  # widths in seconds, finest first; RAW: the readings themselves
# A series' rollups lie each on a page of its own, its readings together in their key: with fewer
# readings in a bucket they are there sooner.
WORTH_READINGS = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows of one source from `start` (inclusive) to `end` (exclusive)."""

    source: int
    start: datetime
    end: datetime


def plan(
    span: Span, width: int, rolled_to: Mapping[int, datetime], per_second: float = math.inf
) -> list[Segment]:
    """Disjoint segments that cover `span`, each from the coarsest source whose buckets lie wholly
    in it, for buckets of `width` seconds. `rolled_to`: by width, up to where rollups are made;
    `per_second`: readings of a series, to tell which rollups are worth it."""
    worth = [w for w in WIDTHS if w * per_second >= WORTH_READINGS]
    usable = [w for w in worth if w in rolled_to and width % w == 0]
    return sorted(_cover(span, usable, rolled_to), key=lambda segment: segment.start)


def _cover(span: Span, widths: Sequence[int], rolled_to: Mapping[int, datetime]) -> list[Segment]:
    if span.start >= span.end:
        return []
    if not widths:
        return [Segment(RAW, span.start, span.end)]
    *finer, width = widths
    start = aligned(span.start, width, up=True)
    end = aligned(min(span.end, rolled_to[width]), width)
    if start >= end:
        return _cover(span, finer, rolled_to)
    return [
        *_cover(Span(span.start, start), finer, rolled_to),
        Segment(width, start, end),
        *_cover(Span(end, span.end), finer, rolled_to),
    ]


def widest(span: Span, rolled_to: Mapping[int, datetime]) -> Segment | None:
    """The coarsest whole buckets in `span`; None: there are none."""
    for width in reversed(WIDTHS):
        if width in rolled_to:
            start = aligned(span.start, width, up=True)
            end = aligned(min(span.end, rolled_to[width]), width)
            if start < end:
                return Segment(width, start, end)
    return None


def aligned(moment: datetime, width: int, *, up: bool = False) -> datetime:
    """The edge of a bucket of `width` seconds at or before (`up`: at or after) `moment`."""
    start = floor_to(moment, width)
    return start + timedelta(seconds=width) if up and start < moment else start


def finest_kept(floors: Mapping[int, datetime], start: datetime) -> int:
    """The finest source that still has what was read from `start` on; where none has, the one
    that reaches back furthest. `floors`: by source, below which its rows have been dropped."""
    for source in SOURCES:
        if source not in floors or floors[source] <= start:
            return source
    return min(SOURCES, key=lambda source: floors[source])
