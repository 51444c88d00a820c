"""Trying again until it works: a source outlives its receiver's restarts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from services.simulator.records import Answer, Reading
from shared.clock import monotonic
from shared.errors import Overloaded, Unavailable

T = TypeVar("T")
Say = Callable[[str], None]

BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MAX_RETRY_AFTER_SECONDS = 60.0
QUIET_SECONDS = 3.0  # an outage shorter than this is not worth a line


class Sender(Protocol):
    """Where readings go: see `http_sender` and `kafka_sender`."""

    async def send(self, batch: Sequence[Reading]) -> Answer:
        """One attempt. Raises `Unavailable` or `Misconfigured`."""
        ...


class Stopped(Exception):
    """The stop event was set before it worked."""


class Persistence:
    """Repeats attempts that raise `Unavailable`. Counts `retries`; tells of long outages."""

    def __init__(self, stop: asyncio.Event, say: Say) -> None:
        self.retries = 0
        self._stop = stop
        self._say = say

    async def until_done(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The result of the first attempt that works. Raises `Stopped`."""
        began, told = monotonic(), False
        failures = 0
        while True:
            try:
                result = await attempt()
            except Unavailable as error:
                if not told and monotonic() - began > QUIET_SECONDS:
                    self._say(f"waiting: {error}")
                    told = True
                self.retries += 1
                await self.pause(_wait_seconds(error, failures))
                failures += 1
                continue
            if told:
                self._say(f"going on after {monotonic() - began:.0f} s")
            return result

    async def pause(self, seconds: float) -> None:
        """Let time pass. Raises `Stopped` as soon as the stop event is set."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        if self._stop.is_set():
            raise Stopped


def _wait_seconds(error: Unavailable, failures: int) -> float:
    backoff = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
    if isinstance(error, Overloaded):
        return min(MAX_RETRY_AFTER_SECONDS, max(backoff, float(error.retry_after_seconds)))
    return backoff
