"""The embedded event log: append-only tables in PostgreSQL.

Offsets come from a counter per partition, locked by the publishing transaction until it commits:
offsets become visible in order, so a late commit can neither leave a gap nor be skipped.
`publisher.py` appends, `tail.py` reads, `retention.py` keeps it bounded.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.clock import Clock, system_clock
from shared.contracts.topics import TOPICS, partition_of
from shared.errors import Unavailable
from shared.eventlog.log import Outgoing, Position
from shared.eventlog.publisher import Publisher
from shared.eventlog.recent import Recent
from shared.eventlog.retention import Keeper
from shared.eventlog.tail import Bell, PostgresConsumer, PostgresReader
from shared.store.engine import libpq_url

POOL_SECONDS = 5
CANCEL_SECONDS = 0.2


class PostgresLog:
    """`EventLog` on PostgreSQL. `max_records`, `max_bytes`: bounds per topic of what is kept."""

    def __init__(
        self,
        database_url: str,
        max_records: int = 500_000,
        max_bytes: int = 2 * 1024**3,
        clock: Clock = system_clock,
    ) -> None:
        self._url = libpq_url(database_url)
        self._pool = AsyncConnectionPool(
            self._url, min_size=1, max_size=8, open=False, timeout=POOL_SECONDS
        )
        self._bell = Bell(database_url)
        self._recent = Recent()
        self._keeper = Keeper(self._pool, max_records, max_bytes, clock)
        self._publisher = Publisher(self._pool, self._bell, self._recent, self._keeper, clock)
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
            asyncio.create_task(self._publisher.run(), name="eventlog-publisher"),
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
        slots = [(record.topic, self._partition(record)) for record in records]
        return await self._publisher.publish(records, slots)

    @asynccontextmanager
    async def consume(self, topic: str, group: str) -> AsyncIterator[PostgresConsumer]:
        """See `EventLog.consume`. One live member per group and topic: a second one waits."""
        consumer = PostgresConsumer(self._pool, self._bell, self._recent, topic, group, self._url)
        await consumer.join()
        try:
            yield consumer
        finally:
            await consumer.leave()

    @asynccontextmanager
    async def read(self, topic: str, start: Mapping[int, int]) -> AsyncIterator[PostgresReader]:
        """See `EventLog.read`."""
        first = await self.starts(topic)
        begin = {number: max(oldest, start.get(number, 0)) for number, oldest in first.items()}
        yield PostgresReader(self._pool, self._bell, self._recent, topic, begin)

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
                "INSERT INTO eventlog.life SELECT %s WHERE NOT EXISTS (SELECT FROM eventlog.life)",
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
        pending, self._tasks = set(self._tasks), []
        while pending:  # a cancelled query may end in an error, which these loops survive
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CANCEL_SECONDS)
        self._publisher.close()
        await self._pool.close()

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
