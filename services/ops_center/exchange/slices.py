"""How a span is cut into parts, so that each has about as many readings as it may. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.ops_center.history.sources import aligned
from services.ops_center.history.span import Span

PART_ROWS = 1_000_000  # expected of one part, at most
MOST_PARTS = 2_000
WINDOW_SECONDS = 86_400  # of one series is in memory at once
_WIDTHS = (900, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600)
_DAY = timedelta(days=1)

Kind = Literal["new", "changed"]


@dataclass(frozen=True, slots=True)
class Slice:
    """What one part holds: the rows of `span`. `changed`: it takes the place of what an earlier
    export gave for this span."""

    span: Span
    kind: Kind = "new"


class TooManyParts(ValueError):
    """The span would need more parts than an export may have."""


def width_seconds(rows_per_second: float) -> int:
    """The handiest width of parts of at most `PART_ROWS` expected rows: a fraction of a day, or
    whole days."""
    seconds = PART_ROWS / max(rows_per_second, 1e-9)
    fitting = [width for width in _WIDTHS if width <= seconds]
    days = int(min(seconds, 366 * WINDOW_SECONDS) // WINDOW_SECONDS)
    return days * WINDOW_SECONDS if days else max(fitting, default=_WIDTHS[0])


def cut(span: Span, width: int) -> list[Span]:
    """Its pieces between edges that are the same whenever they are asked for: multiples of
    `width` since the origin of all buckets."""
    pieces, start = [], span.start
    while start < span.end:
        end = min(aligned(start, width) + timedelta(seconds=width), span.end)
        pieces.append(Span(start, end))
        start = end
        if len(pieces) > MOST_PARTS:
            raise TooManyParts(f"more than {MOST_PARTS} parts: ask for a shorter span")
    return pieces


def windows(span: Span) -> Iterator[Span]:
    """A part's days, in order."""
    yield from cut(span, WINDOW_SECONDS)


def plan(
    span: Span, width: int, known_to: datetime | None, changed: Collection[datetime]
) -> list[Slice]:
    """`known_to`: up to where an earlier export has given everything; of what lies before it only
    the days of `changed` (their starts) are given again."""
    if known_to is None:
        return [Slice(piece) for piece in cut(span, width)]
    again = [
        Slice(piece, "changed")
        for day in sorted(changed)
        for piece in cut(_within(span.start, Span(day, day + _DAY), known_to), width)
    ]
    return again + [Slice(piece) for piece in cut(Span(max(known_to, span.start), span.end), width)]


def _within(start: datetime, day: Span, end: datetime) -> Span:
    return Span(max(start, day.start), min(day.end, end))
