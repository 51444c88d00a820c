"""The past in portions, each fetched while the one before is shown. Bounded: two at a time."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.clock import from_micros, to_micros
from shared.contracts.reading import Reading

READINGS_AT_ONCE = 5_000
SHORTEST = timedelta(seconds=10)
SECONDS_AHEAD = 2  # of the viewer's time


class Place(NamedTuple):
    """Everything up to here has been fetched: readings in order of time, sensor and metric."""

    at: datetime
    sensor_id: str = "~"  # after every name
    metric: str = "~"


@dataclass(frozen=True, slots=True)
class Due:
    """A step of an incident; its content is fetched when it shows. Times are event time."""

    event_id: UUID
    shown_at: datetime
    first_at: datetime


class Source(Protocol):
    """The stored past."""

    async def readings(self, after: Place, until: datetime, limit: int) -> Sequence[Reading]:
        """The next ones, in order of time, sensor and metric."""
        ...

    async def steps(self, after: datetime, until: datetime) -> Sequence[Due]:
        """Every step of every incident, in the order in which they show."""
        ...


@dataclass(frozen=True, slots=True)
class Portion:
    """What happened until `until` (inclusive), since the portion before."""

    readings: Sequence[Reading]
    steps: Sequence[Due]
    until: datetime
    place: Place


class Portions:
    """From `start` on, never beyond `end`. `speed` may be changed at any time."""

    def __init__(self, source: Source, start: datetime, end: datetime, speed: int) -> None:
        self.speed = speed
        self._source = source
        self._end = end
        self._complete = start
        self._readings: deque[Reading] = deque()
        self._steps: deque[Due] = deque()
        self._place = Place(start)
        self._next: asyncio.Task[Portion] | None = None

    async def until(self, moment: datetime) -> tuple[list[Reading], list[Due]]:
        """What happens next, at most one portion; complete when `complete` has reached `moment`."""
        if self._complete < moment and not self._readings and not self._steps:
            fetching, self._next = self._next or self._start(), None
            self._take(await fetching)
            if self._complete < self._end:
                self._start()
        last_us = to_micros(moment)
        readings: list[Reading] = []
        while self._readings and self._readings[0].observed_us <= last_us:
            readings.append(self._readings.popleft())
        steps: list[Due] = []
        while self._steps and self._steps[0].shown_at <= moment:
            steps.append(self._steps.popleft())
        return readings, steps

    def complete(self, moment: datetime) -> bool:
        """Whether all that happened until `moment` has been handed out."""
        return self._complete >= moment

    async def close(self) -> None:
        """Give up what is on its way."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
            self._next = None

    def _take(self, portion: Portion) -> None:
        self._readings.extend(portion.readings)
        self._steps.extend(portion.steps)
        self._complete, self._place = portion.until, portion.place

    def _start(self) -> "asyncio.Task[Portion]":
        self._next = asyncio.ensure_future(self._fetch())
        return self._next

    async def _fetch(self) -> Portion:
        span = max(SHORTEST, timedelta(seconds=SECONDS_AHEAD * self.speed))
        until = min(self._end, self._complete + span)
        readings = await self._source.readings(self._place, until, READINGS_AT_ONCE)
        place = Place(until)
        if len(readings) == READINGS_AT_ONCE:
            last = readings[-1]
            place = Place(from_micros(last.observed_us), last.sensor_id, last.metric)
            # More may have been read at the same moment.
            until = max(self._complete, place.at - timedelta(microseconds=1))
        steps = await self._source.steps(self._complete, until)
        return Portion(readings, steps, until, place)
