"""How a span of time is asked for, and cut into points. Pure."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.reading import parse_moment

MIN_POINTS, DEFAULT_POINTS, MAX_POINTS = 2, 500, 2_000
AREA_POINTS = 100  # by default, per area
FIRST_YEAR, LAST_YEAR = 1900, 2999
DEFAULT_SPAN = timedelta(hours=24)

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
)


class BadParameter(ValueError):
    """A query parameter is wrong: which, why, and the code of the reason."""

    def __init__(self, name: str, detail: str, code: str = "invalid_value") -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail
        self.code = code


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (inclusive) to `end` (exclusive), both aware."""

    start: datetime
    end: datetime


def span_of(start: str | None, end: str | None, now: datetime) -> Span:
    """The parameters `from` and `to`; without them the last 24 h. Raises `BadParameter`."""
    until = now if end is None else moment_of("to", end)
    since = until - DEFAULT_SPAN if start is None else moment_of("from", start)
    if since >= until:
        raise BadParameter("from", "'from' must lie before 'to'")
    return Span(since, until)


def bucket_seconds(span: Span, points: int, least: int = 1) -> int:
    """The smallest handy width of buckets, aligned to `ORIGIN`, of which `points` cover `span`;
    not below `least`."""
    seconds = (span.end - span.start).total_seconds()
    # The ends of the span may cut one bucket into two.
    needed = max(least, seconds / (points - 1))
    for step in _STEPS:
        if step >= needed:
            return step
    return math.ceil(needed / _DAY) * _DAY


def moment_of(name: str, raw: str) -> datetime:
    """A parameter that is a time. Raises `BadParameter`."""
    try:
        # A `+` that was not percent-encoded arrives as a space.
        moment = parse_moment(raw.strip().replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise BadParameter(name, str(error)) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadParameter(name, f"a time lies between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment
