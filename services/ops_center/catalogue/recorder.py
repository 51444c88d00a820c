"""Measures the quality of every dataset, hour by hour, as soon as an hour is rolled up."""

import asyncio
from contextlib import suppress
from typing import Protocol

LOOK_SECONDS = 60.0


class Measuring(Protocol):
    """See `repository.Shelf`."""

    async def measure(self) -> int:
        """How many hours were measured."""
        ...


class Recorder:
    """`run` is a job."""

    def __init__(self, shelf: Measuring) -> None:
        self._shelf = shelf

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            await self._shelf.measure()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
