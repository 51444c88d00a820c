"""The writer: `city.readings` → the database, then the log's own commit, in that order."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

from services.ingest import metrics
from services.ingest.storage.delivery import Delivery, next_offsets, portions
from services.ingest.storage.outcome import Outcome
from services.ingest.storage.prepared import Prepared, prepare
from shared.clock import Clock, to_micros
from shared.contracts.topics import READINGS
from shared.eventlog.log import Consumer, EventLog

_log = logging.getLogger(__name__)

GROUP = "writer"
MAX_ROWS = 5_000  # of one transaction; larger ones gain nothing and hold up the process
MAX_RECORDS = 1_000  # of one fetch
WAIT_SECONDS = 0.5
# A small batch lets the next one gather: a transaction costs the same for one row as for fifty.
SMALL_ROWS = 500
PACE_SECONDS = 0.02
LAG_SECONDS = 5.0


class Session(Protocol):
    """Where the rows go; see `store.StoreSession`."""

    async def forget_beyond(self, ends: Mapping[int, int]) -> int:
        """Drop progress that lies beyond the log's ends."""
        ...

    async def write(self, prepared: Prepared) -> Outcome:
        """Store in one transaction, progress included."""
        ...


class Store(Protocol):
    """Opens sessions; see `store.ReadingStore`."""

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Raises `Unavailable`."""
        ...


class Writer:
    """One member of the group `writer`."""

    def __init__(self, log: EventLog, store: Store, clock: Clock) -> None:
        self._log = log
        self._store = store
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable` when log or database do not answer; nothing is lost
        by that: what was not committed comes again."""
        async with self._store.session() as session:
            if await session.forget_beyond(await self._log.ends(READINGS)):
                _log.warning("the log of %s was made anew: starting at its beginning", READINGS)
            async with self._log.consume(READINGS, GROUP) as consumer:
                await self._consume(consumer, session, stop)

    async def watch_lag(self, stop: asyncio.Event) -> None:
        """Keep the lag's gauge up to date, until `stop`."""
        while not stop.is_set():
            metrics.LAG.set(await self._log.lag(READINGS, GROUP))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LAG_SECONDS)

    async def _consume(self, consumer: Consumer, session: Session, stop: asyncio.Event) -> None:
        """While the database works on one portion, the next is made ready."""
        ready = _portions(consumer, stop)
        coming = asyncio.ensure_future(anext(ready, None))
        try:
            while (prepared := await coming) is not None:
                coming = asyncio.ensure_future(anext(ready, None))
                with metrics.BATCH_SECONDS.time():
                    outcome = await session.write(prepared)
                self._count(outcome, prepared.deliveries)
                await consumer.commit(next_offsets(prepared.deliveries))
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            await ready.aclose()

    def _count(self, outcome: Outcome, portion: Sequence[Delivery]) -> None:
        metrics.STORED.inc(outcome.stored)
        metrics.DUPLICATES.inc(outcome.duplicates)
        metrics.CONFLICTS.inc(len(outcome.conflicts))
        metrics.CORRECTED.inc(len(outcome.corrections))
        metrics.POISON.inc(len(outcome.poison) + len(outcome.broken))
        for delivery in outcome.broken:
            _log.error("record %d/%d: %s", delivery.partition, delivery.offset, delivery.flaw)
        accepted = [d.batch.accepted_us for d in portion if d.batch is not None]
        if accepted:
            delay = to_micros(self._clock()) - min(accepted)
            metrics.STORE_DELAY.observe(max(0, delay) / 1_000_000)


async def _portions(consumer: Consumer, stop: asyncio.Event) -> AsyncGenerator[Prepared, None]:
    while not stop.is_set():
        records = await consumer.batch(MAX_RECORDS, WAIT_SECONDS)
        rows = 0
        for portion in portions(records, MAX_ROWS):
            prepared = prepare(portion)
            rows += prepared.rows
            yield prepared
        if 0 < rows < SMALL_ROWS:
            await asyncio.sleep(PACE_SECONDS)
