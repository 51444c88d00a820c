"""Times of day on days of the week, by the clocks of a zone. Pure.

A local time that the clocks skip is an hour later by them; of one that they show twice, the first
is meant.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from services.alerts.oncall.entry import Entry

DAY = timedelta(days=1)
WEEK = (1, 2, 3, 4, 5, 6, 7)


def _local(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        raise ValueError("is a local time, in hours and minutes")
    return value


LocalTime = Annotated[time, AfterValidator(_local)]
Weekdays = Annotated[
    tuple[Annotated[int, Field(ge=1, le=7, strict=True)], ...], Field(min_length=1, max_length=7)
]


class Hours(Entry):
    """From `from` until `until`, past midnight unless that is later; of the days that `weekdays`
    says (1: Monday), on which it begins."""

    starts: LocalTime = Field(alias="from")
    until: LocalTime
    weekdays: Weekdays = WEEK

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """When it begins and ends, of one day, in UTC."""
        if day.isoweekday() not in self.weekdays:
            return None
        last = day if self.until > self.starts else day + DAY
        span = instant(day, self.starts, zone), instant(last, self.until, zone)
        return span if span[0] < span[1] else None


def instant(day: date, moment: time, zone: ZoneInfo) -> datetime:
    """When the clocks of a zone show a time, in UTC."""
    return datetime.combine(day, moment, zone).astimezone(UTC)


def spans(
    hours: Sequence[Hours], zone: ZoneInfo, first: datetime, last: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Every span that touches [first, last], in no order; they may overlap."""
    day = first.astimezone(zone).date() - 2 * DAY
    end = last.astimezone(zone).date() + DAY
    while day <= end:
        for each in hours:
            span = each.on(day, zone)
            if span is not None and span[0] <= last and span[1] >= first:
                yield span
        day += DAY


def within(hours: Sequence[Hours], zone: ZoneInfo, at: datetime) -> bool:
    """Whether a moment is in one of them."""
    return any(begins <= at < ends for begins, ends in spans(hours, zone, at, at))
