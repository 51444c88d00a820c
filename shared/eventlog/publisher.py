"""Publishing to the embedded event log: group commit, and nobody waits for another's partition.

Publishers of one process share a transaction. Partitions that somebody else's transaction holds
are left out of it (SKIP LOCKED): their requests wait for their own turn, the others do not.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.clock import Clock, monotonic, to_micros
from shared.errors import Overloaded, Unavailable
from shared.eventlog.log import Outgoing, Position, Record
from shared.eventlog.recent import Recent
from shared.eventlog.retention import Keeper
from shared.eventlog.tail import Bell

_log = logging.getLogger(__name__)

TURN_SECONDS = 5.0  # a request waits this long for a partition that another transaction holds
RETRY_SECONDS = 0.02
GROUP_RECORDS = 2_000  # most records of one publishing transaction
QUEUE_REQUESTS = 4_000  # publishers waiting in this process before new ones are refused

Slot = tuple[str, int]  # topic, partition

_LOCK = """
SELECT p.topic, p.partition, p.next_offset FROM eventlog.partitions p
JOIN unnest(%s::text[], %s::int[]) AS want (topic, partition) USING (topic, partition)
ORDER BY p.topic, p.partition FOR UPDATE OF p SKIP LOCKED
"""
_ADVANCE = """
UPDATE eventlog.partitions p
SET next_offset = next_offset + want.count, kept_bytes = kept_bytes + want.bytes
FROM unnest(%s::text[], %s::int[], %s::int[], %s::int8[]) AS want (topic, partition, count, bytes)
WHERE p.topic = want.topic AND p.partition = want.partition
"""
_COPY = (
    'COPY eventlog.records (topic, partition, "offset", key, value, headers, logged_us)'
    " FROM STDIN (FORMAT BINARY)"
)
_TYPES = ["text", "int4", "int8", "text", "bytea", "jsonb", "int8"]


@dataclass(frozen=True, slots=True)
class Request:
    """One `publish` call that waits for its positions."""

    records: Sequence[Outgoing]
    slots: Sequence[Slot]
    done: "asyncio.Future[list[Position]]"
    deadline: float

    def refuse(self, error: Exception) -> None:
        """Tell the caller, if he still waits."""
        if not self.done.done():
            self.done.set_exception(error)


class Publisher:
    """Takes requests from a bounded queue and appends them, many per transaction."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        bell: Bell,
        recent: Recent,
        keeper: Keeper,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._bell = bell
        self._recent = recent
        self._keeper = keeper
        self._clock = clock
        self._queue: asyncio.Queue[Request] = asyncio.Queue(QUEUE_REQUESTS)
        self._waiting: list[Request] = []  # for a partition that is held

    async def publish(self, records: Sequence[Outgoing], slots: Sequence[Slot]) -> list[Position]:
        """Append and return the positions. Raises `Unavailable` or `Overloaded`."""
        done: asyncio.Future[list[Position]] = asyncio.get_running_loop().create_future()
        if len(self._waiting) >= QUEUE_REQUESTS:
            raise Overloaded("too many records wait for a partition of the event log", 1)
        try:
            self._queue.put_nowait(Request(records, slots, done, monotonic() + TURN_SECONDS))
        except asyncio.QueueFull:
            raise Overloaded("the event log's queue is full", 1) from None
        return await done

    async def run(self) -> None:
        """Append for ever; every failure is told to the callers it concerns."""
        while True:
            group = await self._next_group()
            try:
                self._waiting = await self._append(group) if group else []
            except asyncio.CancelledError:
                _refuse(group, Unavailable("the event log is closing"))
                raise
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("event log: publishing failed: %s", error)
                _refuse(group, Unavailable(f"event log: {error}"))
                self._waiting = []
            except Exception as error:  # the loop must live; the callers are told
                _log.exception("event log: publishing failed")
                _refuse(group, error)
                self._waiting = []

    def close(self) -> None:
        """Refuse whoever still waits."""
        while not self._queue.empty():
            self._queue.get_nowait().refuse(Unavailable("the event log is closing"))

    async def _next_group(self) -> list[Request]:
        """What waits for a held partition and is not too late, and what is new."""
        group = [request for request in self._waiting if not _give_up(request)]
        size = sum(len(request.records) for request in group)
        try:
            async with asyncio.timeout(RETRY_SECONDS if group else None):
                group.append(await self._queue.get())
                size += len(group[-1].records)
        except TimeoutError:
            return group
        while size < GROUP_RECORDS and not self._queue.empty():
            group.append(self._queue.get_nowait())
            size += len(group[-1].records)
        return group

    async def _append(self, group: Sequence[Request]) -> list[Request]:
        """One transaction; returns the requests whose partitions somebody else holds."""
        async with self._pool.connection() as connection, connection.transaction():
            held = await _lock(connection, {slot for request in group for slot in request.slots})
            ready = [request for request in group if held.keys() >= set(request.slots)]
            records = _place(ready, held, to_micros(self._clock()))
            await _advance(connection, records)
            await _copy(connection, records)
            topics = {record.topic for record in records}
            notice = f"{self._bell.name}:{','.join(topics)}"
            await connection.execute("SELECT pg_notify('yiwang_log', %s)", (notice,))
        self._recent.add(records)
        self._bell.ring(topics)
        self._keeper.count(records)
        _answer(ready, records)
        return [request for request in group if not held.keys() >= set(request.slots)]


def _give_up(request: Request) -> bool:
    if monotonic() < request.deadline:
        return False
    request.refuse(Unavailable("event log: a partition is held by another transaction"))
    return True


async def _lock(connection: psycopg.AsyncConnection[Any], slots: set[Slot]) -> dict[Slot, int]:
    """Partition → its next offset, for those that could be locked."""
    topics, partitions = [slot[0] for slot in slots], [slot[1] for slot in slots]
    cursor = await connection.execute(_LOCK, (topics, partitions))
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def _advance(connection: psycopg.AsyncConnection[Any], records: Sequence[Record]) -> None:
    counts: Counter[Slot] = Counter()
    sizes: Counter[Slot] = Counter()
    for record in records:
        counts[record.topic, record.partition] += 1
        sizes[record.topic, record.partition] += len(record.value)
    topics, partitions = [slot[0] for slot in counts], [slot[1] for slot in counts]
    wanted = (topics, partitions, list(counts.values()), [sizes[slot] for slot in counts])
    await connection.execute(_ADVANCE, wanted)


async def _copy(connection: psycopg.AsyncConnection[Any], records: Sequence[Record]) -> None:
    async with connection.cursor().copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for at in records:
            headers = _encode_headers(at.headers)
            place = (at.topic, at.partition, at.offset)
            await copy.write_row((*place, at.key, at.value, headers, at.logged_us))


def _place(ready: Sequence[Request], held: dict[Slot, int], logged_us: int) -> list[Record]:
    """Every record of the requests, with the offset it gets."""
    following = dict(held)
    records = []
    for request in ready:
        for out, slot in zip(request.records, request.slots, strict=True):
            offset = following[slot]
            records.append(Record(*slot, offset, out.key, out.value, out.headers, logged_us))
            following[slot] += 1
    return records


def _encode_headers(headers: tuple[tuple[str, bytes], ...]) -> str | None:
    if not headers:
        return None
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _answer(ready: Sequence[Request], records: Sequence[Record]) -> None:
    start = 0
    for request in ready:
        if not request.done.done():
            own = records[start : start + len(request.records)]
            request.done.set_result([Position(r.topic, r.partition, r.offset) for r in own])
        start += len(request.records)


def _refuse(group: Sequence[Request], error: Exception) -> None:
    for request in group:
        request.refuse(error)
