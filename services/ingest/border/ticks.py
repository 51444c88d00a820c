"""The passing of time, written to the log: who replays `city.readings` replays time as well."""

import asyncio
import logging
from contextlib import suppress

from shared.clock import Clock, to_micros
from shared.contracts.reading import Batch, encode_batch
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Outgoing

_log = logging.getLogger(__name__)

SOURCE = "clock"


class Ticks:
    """Writes an empty batch to every partition, again and again. Several replicas do no harm:
    readers take the latest moment that they have seen."""

    def __init__(self, log: EventLog, clock: Clock, every_seconds: float) -> None:
        self._log = log
        self._clock = clock
        self._every_seconds = every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. While the log is away or full nothing is written: its time stands still,
        and goes on with the first tick that it takes."""
        lost = False
        while not stop.is_set():
            try:
                await self.tick()
                lost = False
            except Unavailable as error:
                if not lost:
                    _log.warning("no tick: %s", error)
                lost = True
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every_seconds)

    async def tick(self) -> None:
        """Once. Raises `Unavailable`."""
        partitions = await self._log.ends(READINGS)
        value = encode_batch(Batch([], to_micros(self._clock()), SOURCE))
        await self._log.publish(
            [Outgoing(READINGS, SOURCE, value, partition=partition) for partition in partitions]
        )
