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
    whole = _whole(span, width, rolled_to[width])
    if whole is None:
        return _cover(span, finer, rolled_to)
    return [
        *_cover(Span(span.start, whole.start), finer, rolled_to),
        whole,
        *_cover(Span(whole.end, span.end), finer, rolled_to),
    ]


def widest(span: Span, rolled_to: Mapping[int, datetime]) -> Segment | None:
    """The coarsest whole buckets in `span`; None: there are none."""
    made = [width for width in reversed(WIDTHS) if width in rolled_to]
    found = (_whole(span, width, rolled_to[width]) for width in made)
    return next((segment for segment in found if segment), None)


def _whole(span: Span, width: int, rolled_to: datetime) -> Segment | None:
    """The buckets of one width that lie wholly in `span` and are made; None: there are none."""
    start = aligned(span.start, width, up=True)
    end = aligned(min(span.end, rolled_to), width)
    return Segment(width, start, end) if start < end else None


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
