"""The writer: `city.readings` → the database, then the log's own commit, in that order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Protocol

from services.ingest import metrics
from services.ingest.storage.lane import Lane, Session
from shared.clock import Clock
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog.log import Consumer, EventLog, Record
from shared.eventlog.stretch import outrun, replay

_log = logging.getLogger(__name__)

GROUP = "writer"
# While one lane's rows are made ready, another's are stored. A partition has one lane, so that
# its order is kept.
LANES = 4
MAX_RECORDS = 200  # of one fetch: those of one partition come together, the others wait
WAIT_SECONDS = 0.5
COMMIT_SECONDS = 0.2
LAG_SECONDS = 5.0


class StoreSession(Session, Protocol):
    """See `store.StoreSession`."""

    async def forget_beyond(self, ends: Mapping[int, int]) -> int:
        """Drop progress that lies beyond the log's ends."""
        ...


class Store(Protocol):
    """Opens sessions; see `store.ReadingStore`."""

    async def progress(self) -> Mapping[int, int]:
        """Partition → the next offset that the database lacks."""
        ...

    def session(self) -> AbstractAsyncContextManager[StoreSession]:
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
        async with AsyncExitStack() as stack:
            sessions = [
                await stack.enter_async_context(self._store.session()) for _ in range(LANES)
            ]
            beyond = await outrun(self._log, READINGS, self._store.progress)
            if await sessions[0].forget_beyond(beyond):
                _log.warning("the log of %s was made anew: starting at its beginning", READINGS)
            consumer = await stack.enter_async_context(self._log.consume(READINGS, GROUP))
            done: dict[int, int] = {}
            lanes = [Lane(session, done.update, self._clock) for session in sessions]
            await _flow(Dealer(consumer, lanes, self._fill), done, stop)

    async def _fill(self, partition: int, following: int, lane: Lane) -> None:
        """A database that was restored lacks what the group has taken since: the log has it."""
        first = (await self._store.progress()).get(partition, 0)
        if first >= following:
            return

        async def take(record: Record) -> None:
            await lane.take([record])

        _log.warning("%s/%d: reading %d to %d again", READINGS, partition, first, following)
        await replay(self._log, READINGS, partition, first, following, take)

    async def watch_lag(self, stop: asyncio.Event) -> None:
        """Keep the lag's gauge up to date, until `stop`."""
        while not stop.is_set():
            metrics.LAG.set(await self._log.lag(READINGS, GROUP))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LAG_SECONDS)


class Dealer:
    """Gives each record to its partition's lane. `fill` makes good what lies between the database
    and the first record that comes of a partition."""

    def __init__(
        self, consumer: Consumer, lanes: Sequence[Lane],
        fill: Callable[[int, int, Lane], Awaitable[None]],
    ) -> None:  # fmt: skip
        self.consumer = consumer
        self.lanes = lanes
        self._fill = fill
        self._following: dict[int, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`."""
        while not stop.is_set():
            dealt: dict[int, list[Record]] = {}
            for record in await self.consumer.batch(MAX_RECORDS, WAIT_SECONDS):
                dealt.setdefault(record.partition, []).append(record)
            for partition, records in dealt.items():
                await self._deal(partition, records)

    async def _deal(self, partition: int, records: Sequence[Record]) -> None:
        lane = self.lanes[partition % len(self.lanes)]
        if self._following.get(partition) != records[0].offset:
            await self._fill(partition, records[0].offset, lane)
        self._following[partition] = records[-1].offset + 1
        await lane.take(records)


async def _flow(dealer: Dealer, done: dict[int, int], stop: asyncio.Event) -> None:
    """Log → lanes → commits, until `stop`."""
    consumer, lanes = dealer.consumer, dealer.lanes
    try:
        async with asyncio.TaskGroup() as group:
            committing = group.create_task(_commit_now_and_then(consumer, done))
            working = [group.create_task(lane.run()) for lane in lanes]
            await dealer.run(stop)
            for lane in lanes:
                lane.close()
            await asyncio.wait(working)
            committing.cancel()
    except* Unavailable as errors:
        raise Unavailable(str(errors.exceptions[0])) from errors
    await _commit(consumer, done)


async def _commit_now_and_then(consumer: Consumer, done: dict[int, int]) -> None:
    while True:
        await asyncio.sleep(COMMIT_SECONDS)
        await _commit(consumer, done)


async def _commit(consumer: Consumer, done: dict[int, int]) -> None:
    """Tell the log. The database's own progress decides; this only spares reading again."""
    if not done:
        return
    positions = dict(done)
    done.clear()
    try:
        await consumer.commit(positions)
    except Unavailable as error:  # if the log is really gone, the next look at it says so
        _log.info("position not committed to the log: %s", error)
