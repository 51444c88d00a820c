"""The embedded event log: append-only tables in PostgreSQL.

Offsets come from a counter per partition, locked by the publishing transaction until it commits:
offsets become visible in order, so a late commit can neither leave a gap nor be skipped.
Publishers of one process share a transaction (group commit), so the lock is held for one short
round trip; another process waits for it at most `LOCK_SECONDS` and is then told `Unavailable`.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.clock import Clock, system_clock, to_micros
from shared.contracts.topics import TOPICS, partition_of
from shared.errors import Overloaded, Unavailable
from shared.eventlog.log import Outgoing, Position
from shared.eventlog.retention import Keeper
from shared.eventlog.tail import Bell, PostgresConsumer, PostgresReader
from shared.store.engine import libpq_url

_log = logging.getLogger(__name__)

LOCK_SECONDS = 5
GROUP_RECORDS = 2_000  # most records of one publishing transaction
QUEUE_REQUESTS = 4_000  # publishers waiting in this process before new ones are refused

_ALLOCATE = """
UPDATE eventlog.partitions SET next_offset = next_offset + %s
WHERE topic = %s AND partition = %s RETURNING next_offset
"""
_COPY = (
    'COPY eventlog.records (topic, partition, "offset", key, value, headers, logged_us)'
    " FROM STDIN (FORMAT BINARY)"
)
_TYPES = ["text", "int4", "int8", "text", "bytea", "jsonb", "int8"]

Pending = tuple[Sequence[Outgoing], "asyncio.Future[list[Position]]"]


class PostgresLog:
    """`EventLog` on PostgreSQL. `max_records`: bound per topic of what is kept."""

    def __init__(
        self, database_url: str, max_records: int = 500_000, clock: Clock = system_clock
    ) -> None:
        self._pool = AsyncConnectionPool(
            libpq_url(database_url), min_size=1, max_size=8, open=False, timeout=LOCK_SECONDS
        )
        self._clock = clock
        self._bell = Bell(database_url)
        self._keeper = Keeper(self._pool, max_records, clock)
        self._queue: asyncio.Queue[Pending] = asyncio.Queue(QUEUE_REQUESTS)
        self._counts = {topic.name: topic.partitions for topic in TOPICS}
        self._tasks: list[asyncio.Task[None]] = []
        self._incarnation = ""

    async def open(self) -> "PostgresLog":
        """Connect and start publishing and tailing. Raises `Unavailable`."""
        try:
            await self._pool.open(wait=True, timeout=10)
        except PoolTimeout as error:
            raise Unavailable(f"database: {error}") from error
        await self.create_topics()
        self._tasks = [
            asyncio.create_task(self._publish_forever(), name="eventlog-publisher"),
            asyncio.create_task(self._bell.listen(), name="eventlog-bell"),
            asyncio.create_task(self._keeper.keep(), name="eventlog-keeper"),
        ]
        return self

    async def publish(self, records: Sequence[Outgoing]) -> list[Position]:
        """See `EventLog.publish`."""
        if not records:
            return []
        for topic in {record.topic for record in records}:
            self._keeper.admit(topic)
        done: asyncio.Future[list[Position]] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((records, done))
        except asyncio.QueueFull:
            raise Overloaded("the event log's queue is full", 1) from None
        return await done

    @asynccontextmanager
    async def consume(self, topic: str, group: str) -> AsyncIterator[PostgresConsumer]:
        """See `EventLog.consume`. One live member per group and topic: a second one waits."""
        consumer = PostgresConsumer(self._pool, self._bell, topic, group)
        await consumer.join()
        try:
            yield consumer
        finally:
            await consumer.leave()

    @asynccontextmanager
    async def read(self, topic: str, start: Mapping[int, int]) -> AsyncIterator[PostgresReader]:
        """See `EventLog.read`."""
        first = await self.starts(topic)
        yield PostgresReader(self._pool, self._bell, topic, first | dict(start))

    async def ends(self, topic: str) -> dict[int, int]:
        """See `EventLog.ends`."""
        return await self._offsets(topic, "next_offset")

    async def starts(self, topic: str) -> dict[int, int]:
        """See `EventLog.starts`."""
        return await self._offsets(topic, "first_offset")

    async def lag(self, topic: str, group: str) -> int:
        """See `EventLog.lag`."""
        query = """
            SELECT coalesce(sum(p.next_offset - coalesce(g.next_offset, p.first_offset)), 0)
            FROM eventlog.partitions p LEFT JOIN eventlog.groups g
              ON g.topic = p.topic AND g.partition = p.partition AND g."group" = %s
            WHERE p.topic = %s"""
        rows = await self._fetch(query, (group, topic))
        return int(rows[0][0])

    async def incarnation(self) -> str:
        """See `EventLog.incarnation`."""
        return self._incarnation

    async def create_topics(self) -> None:
        """See `EventLog.create_topics`."""
        async with self._connection() as connection:
            await connection.execute(
                "INSERT INTO eventlog.life SELECT %s WHERE NOT EXISTS"
                " (SELECT FROM eventlog.life)",
                (str(uuid4()),),
            )
            for topic in TOPICS:
                await connection.execute(
                    "INSERT INTO eventlog.partitions (topic, partition)"
                    " SELECT %s, generate_series(0, %s) ON CONFLICT DO NOTHING",
                    (topic.name, topic.partitions - 1),
                )
        self._incarnation = str((await self._fetch("SELECT incarnation FROM eventlog.life"))[0][0])

    async def close(self) -> None:
        """See `EventLog.close`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        while not self._queue.empty():
            _refuse([self._queue.get_nowait()], Unavailable("the event log is closing"))
        await self._pool.close()

    async def _publish_forever(self) -> None:
        while True:
            group = [await self._queue.get()]
            size = len(group[0][0])
            while size < GROUP_RECORDS and not self._queue.empty():
                group.append(self._queue.get_nowait())
                size += len(group[-1][0])
            try:
                await self._publish_group(group)
            except asyncio.CancelledError:
                _refuse(group, Unavailable("the event log is closing"))
                raise
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("event log: publishing failed: %s", error)
                _refuse(group, Unavailable(f"event log: {error}"))
            except Exception as error:  # the loop must live; the callers are told
                _log.exception("event log: publishing failed")
                _refuse(group, error)

    async def _publish_group(self, group: Sequence[Pending]) -> None:
        records = [record for request, _ in group for record in request]
        slots = [(record.topic, self._partition(record)) for record in records]
        async with self._pool.connection() as connection:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                next_offsets = await _allocate(connection, slots)
                positions = _place(slots, next_offsets)
                await self._append(connection, records, positions)
                await connection.execute(
                    "SELECT pg_notify('yiwang_log', %s)", (",".join({t for t, _ in slots}),)
                )
        self._bell.ring({topic for topic, _ in slots})
        self._keeper.count(positions)
        _answer(group, positions)

    async def _append(
        self,
        connection: psycopg.AsyncConnection[Any],
        records: Sequence[Outgoing],
        positions: Sequence[Position],
    ) -> None:
        logged_us = to_micros(self._clock())
        async with connection.cursor().copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for record, at in zip(records, positions, strict=True):
                await copy.write_row(
                    (
                        at.topic,
                        at.partition,
                        at.offset,
                        record.key,
                        record.value,
                        _encode_headers(record.headers),
                        logged_us,
                    )
                )

    def _partition(self, record: Outgoing) -> int:
        if record.partition is not None:
            return record.partition
        return partition_of(record.key, self._counts[record.topic])

    async def _offsets(self, topic: str, column: str) -> dict[int, int]:
        query = sql.SQL("SELECT partition, {} FROM eventlog.partitions WHERE topic = %s")
        rows = await self._fetch(query.format(sql.Identifier(column)), (topic,))
        return {row[0]: row[1] for row in rows}

    async def _fetch(self, query: Any, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        async with self._connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Unavailable(f"event log: {error}") from error


async def _allocate(
    connection: psycopg.AsyncConnection[Any], slots: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """First offset per partition. Locked in one order everywhere, so nobody deadlocks."""
    counts: dict[tuple[str, int], int] = {}
    for slot in slots:
        counts[slot] = counts.get(slot, 0) + 1
    first: dict[tuple[str, int], int] = {}
    for slot in sorted(counts):
        cursor = await connection.execute(_ALLOCATE, (counts[slot], *slot))
        row = await cursor.fetchone()
        if row is None:
            raise Unavailable(f"no partition {slot[1]} of topic {slot[0]}")
        first[slot] = row[0] - counts[slot]
    return first


def _place(
    slots: Sequence[tuple[str, int]], next_offsets: dict[tuple[str, int], int]
) -> list[Position]:
    positions = []
    for slot in slots:
        positions.append(Position(slot[0], slot[1], next_offsets[slot]))
        next_offsets[slot] += 1
    return positions


def _encode_headers(headers: tuple[tuple[str, bytes], ...]) -> str | None:
    if not headers:
        return None
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers])


def _answer(group: Sequence[Pending], positions: list[Position]) -> None:
    start = 0
    for request, done in group:
        if not done.done():
            done.set_result(positions[start : start + len(request)])
        start += len(request)


def _refuse(group: Sequence[Pending], error: Exception) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(error)
