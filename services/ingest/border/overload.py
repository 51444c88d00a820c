"""Refusing at the border while the writer is too far behind, or the log takes nothing more or does
not answer at all.

Gateway and writer may be different processes: how far the writer has come is asked of the log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from services.ingest import metrics
from shared.clock import monotonic
from shared.contracts.topics import READINGS
from shared.errors import Overloaded, Unavailable
from shared.eventlog.log import EventLog

_log = logging.getLogger(__name__)

GROUP = "writer"
POLL_SECONDS = 1.0
ANSWER_SECONDS = 2.0  # without any word from the log it counts as gone
AGAIN_BELOW = 0.8  # of the bound: accepting and refusing must not alternate
SAMPLES = 1_000
TRIPPED_SECONDS = 1.0
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 2, 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the writer may be behind; 0: any distance."""

    records: int
    seconds: float


class Backlog:
    """What the writer has not committed, and for how long that has lain there. Pure."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._every = max(POLL_SECONDS, bounds.seconds / SAMPLES * 2)
        self._ends: deque[tuple[float, int]] = deque(maxlen=SAMPLES)  # when, end of the log
        self._last = (0.0, 0)
        self.records = 0
        self.age_seconds = 0.0
        self.refusing = False
        self.retry_after_seconds = MIN_RETRY_SECONDS

    def observe(self, now: float, end: int, lag: int) -> None:
        """The log's end (offsets of all partitions together) and the records behind it."""
        committed = end - lag
        if not self._ends or now - self._ends[-1][0] >= self._every:
            self._ends.append((now, end))
        while self._ends and self._ends[0][1] <= committed:
            self._ends.popleft()
        self.records = lag
        self.age_seconds = now - self._ends[0][0] if lag and self._ends else 0.0
        self.refusing = self._share() >= (AGAIN_BELOW if self.refusing else 1.0)
        self.retry_after_seconds = self._wait(now, committed)
        self._last = (now, committed)

    def _share(self) -> float:
        """1: a bound is reached."""
        records, seconds = self._bounds.records, self._bounds.seconds
        return max(
            self.records / records if records else 0.0,
            self.age_seconds / seconds if seconds else 0.0,
        )

    def _wait(self, now: float, committed: int) -> int:
        """Seconds until it falls below the bound at the present pace."""
        then, before = self._last
        pace = (committed - before) / (now - then) if now > then else 0.0
        surplus = self.records - AGAIN_BELOW * self._bounds.records
        if pace <= 0 or not self._bounds.records:
            return MAX_RETRY_SECONDS // 2
        return min(MAX_RETRY_SECONDS, max(MIN_RETRY_SECONDS, ceil(surplus / pace)))


class Guard:
    """`refusal`: why nothing may enter now, None if it may."""

    def __init__(
        self, log: EventLog, bounds: Bounds, timer: Callable[[], float] = monotonic
    ) -> None:
        self._log = log
        self._backlog = Backlog(bounds)
        self._timer = timer
        self._behind: Overloaded | None = None
        self._tripped: tuple[float, Overloaded] | None = None  # until when, by what
        self._silent: Overloaded | None = None
        self._heard_at = timer()
        self._listeners: list[Callable[[Overloaded], None]] = []

    def check(self) -> None:
        """Raise `Overloaded` if nothing may enter now; costs nothing if it may."""
        if self._silent is not None:
            raise self._silent
        if self._behind is not None:
            raise self._behind
        if self._tripped is not None:
            until, error = self._tripped
            if self._timer() < until:
                raise error
            self._tripped = None

    def is_open(self) -> bool:
        """False: `check` may raise."""
        return self._behind is None and self._tripped is None and self._silent is None

    def listen(self, told: Callable[[Overloaded], None]) -> None:
        """`told` is called when the log falls silent: whoever waits for it need wait no longer."""
        self._listeners.append(told)

    def heard(self) -> None:
        """The log has answered somebody."""
        self._heard_at = self._timer()
        if self._silent is not None:
            self._silent = None
            _log.warning("the event log answers again")

    def trip(self, error: Overloaded) -> None:
        """The log has refused: for a second nobody else need try."""
        if self._tripped is None:
            _log.warning("refusing readings: %s", error)
        self._tripped = (self._timer() + TRIPPED_SECONDS, error)

    async def watch(self, stop: asyncio.Event) -> None:
        """Ask the log again and again, until `stop`. One that neither answers nor acknowledges
        anything meanwhile is gone: nobody need find that out by waiting."""
        while not stop.is_set():
            began = self._timer()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self.look()
            except (Unavailable, TimeoutError):
                if self._heard_at < began:
                    self._fall_silent()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)

    def _fall_silent(self) -> None:
        if self._silent is None:
            _log.warning("the event log does not answer: refusing readings")
        error = Overloaded("The event log does not answer: repeat later.", MIN_RETRY_SECONDS)
        self._silent = error
        for told in self._listeners:
            told(error)

    async def look(self) -> None:
        """Ask the log once. Raises `Unavailable`."""
        end = sum((await self._log.ends(READINGS)).values())
        self.heard()  # what it knows of the group is another question
        lag = await self._log.lag(READINGS, GROUP)
        backlog, was = self._backlog, self._backlog.refusing
        backlog.observe(self._timer(), end, lag)
        metrics.BACKLOG.set(lag)
        metrics.BACKLOG_AGE.set(backlog.age_seconds)
        metrics.REFUSING.set(backlog.refusing)
        self._behind = self._reason() if backlog.refusing else None
        if backlog.refusing != was:
            state = "refusing readings" if backlog.refusing else "accepting readings again"
            _log.warning("%s: the writer is %d records behind", state, lag)

    def _reason(self) -> Overloaded:
        detail = f"Storing is {self._backlog.records} records behind: repeat the request later."
        return Overloaded(detail, self._backlog.retry_after_seconds)
