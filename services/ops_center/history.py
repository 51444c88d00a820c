"""How a span of time is asked for, and cut into points. Pure."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from shared.contracts.reading import parse_moment

MIN_POINTS, DEFAULT_POINTS, MAX_POINTS = 2, 500, 2_000
FIRST_YEAR, LAST_YEAR = 1900, 2999
DEFAULT_SPAN = timedelta(hours=24)
ORIGIN = datetime(2000, 1, 1, tzinfo=UTC) - timedelta(hours=8)  # midnight in China

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
)


class BadParameter(ValueError):
    """A query parameter is wrong: which, and why."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (inclusive) to `end` (exclusive), both aware."""

    start: datetime
    end: datetime


class Item(msgspec.Struct, frozen=True):
    """One point: a reading, or the readings of a bucket that starts at `at`.

    `bad`: how many of the `count` readings had quality `bad`; mean, min, max and last leave them
    out as long as there are others.
    """

    at: str
    mean: float
    min: float
    max: float
    count: int
    last: float
    bad: int


class History(msgspec.Struct, frozen=True):
    """`resolution_seconds`: width of the buckets, 0 for single readings. Gaps have no items."""

    sensor_id: str
    metric: str
    unit: str
    resolution_seconds: int
    items: list[Item]


def span_of(start: str | None, end: str | None, now: datetime) -> Span:
    """The parameters `from` and `to`; without them the last 24 h. Raises `BadParameter`."""
    until = now if end is None else _moment("to", end)
    since = until - DEFAULT_SPAN if start is None else _moment("from", start)
    if since >= until:
        raise BadParameter("from", "'from' must lie before 'to'")
    return Span(since, until)


def bucket_seconds(span: Span, points: int) -> int:
    """The smallest handy width of buckets, aligned to `ORIGIN`, of which `points` cover `span`."""
    seconds = (span.end - span.start).total_seconds()
    least = seconds / (points - 1)  # the ends of the span may cut one bucket into two
    for step in _STEPS:
        if step >= least:
            return step
    return math.ceil(least / _DAY) * _DAY


def _moment(name: str, raw: str) -> datetime:
    try:
        # A `+` that was not percent-encoded arrives as a space.
        moment = parse_moment(raw.strip().replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise BadParameter(name, str(error)) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadParameter(name, f"a time lies between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment
