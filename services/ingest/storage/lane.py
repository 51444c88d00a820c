"""A lane of the writer: some partitions' records, in log order, over a connection of its own."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from services.ingest import metrics
from services.ingest.storage.delivery import Delivery, deliver, next_offsets
from services.ingest.storage.marks import Marks
from services.ingest.storage.outcome import Outcome
from services.ingest.storage.prepared import Prepared, prepare
from shared import tracing
from shared.clock import Clock, to_micros
from shared.eventlog.log import Record
from shared.metrics import CONSUMED_TO

_log = logging.getLogger(__name__)

# Bounds of one transaction.
MAX_ROWS = 10_000
MAX_BYTES = 2 * 1024 * 1024  # of records, as they lie in the log
# A small one lets the next gather for so long: a transaction costs much the same for any few rows.
SMALL_ROWS = 4_000
SMALL_BYTES = 256 * 1024  # of records that came meanwhile
PACE_SECONDS = 0.2
HELD_BYTES = 2 * MAX_BYTES  # of records that wait; then the log is not asked for more


class Session(Protocol):
    """Where the rows go; see `store.StoreSession`."""

    @property
    def marks(self) -> Marks:
        """Of the series it has met."""
        ...

    async def write(self, prepared: Prepared) -> Outcome:
        """Store in one transaction, progress included. Raises `Unavailable`."""
        ...


class Lane:
    """Takes records and writes them, portion by portion. `stored`: told what is committed."""

    def __init__(
        self, session: Session, stored: Callable[[dict[int, int]], None], clock: Clock
    ) -> None:
        self._session = session
        self._stored = stored
        self._clock = clock
        self._records: deque[Record] = deque()
        self._held = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def take(self, records: Sequence[Record]) -> None:
        """Accept records; returns when there is room for more."""
        self._records.extend(records)
        self._held += sum(len(record.value) for record in records)
        self._filled.set()
        if self._held > HELD_BYTES:
            self._room.clear()
        await self._room.wait()

    def close(self) -> None:
        """Write no further portion: what waits is read again by whoever comes next."""
        self._closed = True
        self._filled.set()

    async def run(self) -> None:
        """Until closed. Raises `Unavailable`."""
        while True:
            await self._filled.wait()
            if self._closed:
                return
            prepared = prepare(self._portion(), self._session.marks)
            with metrics.BATCH_SECONDS.time():
                outcome = await self._session.write(prepared)
            self._stored(next_offsets(prepared.deliveries))
            self._count(outcome, prepared.deliveries)
            if prepared.rows < SMALL_ROWS and self._held < SMALL_BYTES:
                await asyncio.sleep(PACE_SECONDS)

    def _portion(self) -> list[Delivery]:
        """The next records, decoded: one, and more as long as the bounds allow."""
        portion: list[Delivery] = []
        rows = size = 0
        while self._records and rows < MAX_ROWS and size < MAX_BYTES:
            record = self._records.popleft()
            portion.append(deliver(record))
            rows += portion[-1].rows
            size += len(record.value)
        self._held -= size
        if not self._records:
            self._filled.clear()
        if self._held <= HELD_BYTES:
            self._room.set()
        return portion

    def _count(self, outcome: Outcome, portion: Sequence[Delivery]) -> None:
        metrics.STORED.inc(outcome.stored)
        metrics.DUPLICATES.inc(outcome.duplicates)
        metrics.CONFLICTS.inc(len(outcome.conflicts))
        metrics.CORRECTED.inc(len(outcome.corrections))
        metrics.POISON.inc(len(outcome.poison) + len(outcome.broken))
        for delivery in outcome.broken:
            _log.error("record %d/%d: %s", delivery.partition, delivery.offset, delivery.flaw)
        for delivery in portion:
            tracing.follow(delivery.headers, "writer: store", delivery.logged_us)
        for partition, logged_us in {d.partition: d.logged_us for d in portion}.items():
            CONSUMED_TO.labels("writer", partition).set(logged_us / 1e6)
        accepted = [d.batch.accepted_us for d in portion if d.batch is not None]
        if accepted:
            delay = to_micros(self._clock()) - min(accepted)
            metrics.STORE_DELAY.observe(max(0, delay) / 1_000_000)
