"""Reading the embedded event log: positions, groups, and a bell that says when to look."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.clock import monotonic
from shared.errors import Unavailable
from shared.eventlog.log import Record
from shared.store.engine import libpq_url

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # a tail looks this often even if no bell rings
_FETCH = """
SELECT partition, "offset", key, value, headers, logged_us FROM eventlog.records
WHERE topic = %s AND partition = %s AND "offset" >= %s ORDER BY "offset" LIMIT %s
"""
_COMMIT = """
INSERT INTO eventlog.groups (topic, "group", partition, next_offset) VALUES (%s, %s, %s, %s)
ON CONFLICT (topic, "group", partition) DO UPDATE SET next_offset = excluded.next_offset
"""

Pool = AsyncConnectionPool[Any]


class Bell:
    """Wakes tails when something was published, by this process or (NOTIFY) by another."""

    def __init__(self, database_url: str) -> None:
        self._url = libpq_url(database_url)
        self._rung: dict[str, int] = {}
        self._waiters: set[asyncio.Event] = set()

    def ring(self, topics: set[str]) -> None:
        """Wake everybody who waits (a wrong wake-up costs one query)."""
        for topic in topics:
            self._rung[topic] = self._rung.get(topic, 0) + 1
        for waiter in self._waiters:
            waiter.set()

    def count(self, topic: str) -> int:
        """How often the bell rang for a topic: take it before looking, hand it to `wait`."""
        return self._rung.get(topic, 0)

    async def wait(self, topic: str, seen: int, timeout_seconds: float) -> None:
        """Until the bell rings for `topic` after `seen` was counted, or the time is over."""
        deadline = monotonic() + timeout_seconds
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            while self.count(topic) == seen and (left := deadline - monotonic()) > 0:
                waiter.clear()
                try:
                    await asyncio.wait_for(waiter.wait(), left)
                except TimeoutError:
                    return
        finally:
            self._waiters.discard(waiter)

    async def listen(self) -> None:
        """Forward the notifications of other processes; reconnects for ever."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True
                ) as connection:
                    await connection.execute("LISTEN yiwang_log")
                    async for notice in connection.notifies():
                        self.ring(set(notice.payload.split(",")))
            except psycopg.Error as error:
                _log.warning("event log: listening stopped, trying again: %s", error)
            await asyncio.sleep(LOOK_SECONDS)


class PostgresReader:
    """See `log.Reader`. Takes partitions in turn so that none starves."""

    def __init__(self, pool: Pool, bell: Bell, topic: str, start: Mapping[int, int]) -> None:
        self._pool = pool
        self._bell = bell
        self._topic = topic
        self._next = dict(start)

    async def batch(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """See `log.Reader.batch`."""
        deadline = monotonic() + timeout_seconds
        while True:
            seen = self._bell.count(self._topic)
            records = await self._look(max_records)
            left = deadline - monotonic()
            if records or left <= 0:
                return records
            await self._bell.wait(self._topic, seen, min(left, LOOK_SECONDS))

    async def _look(self, max_records: int) -> list[Record]:
        share = max(1, max_records // max(1, len(self._next)))
        found: list[Record] = []
        try:
            async with self._pool.connection() as connection, connection.pipeline():
                cursors = [
                    await connection.execute(
                        _FETCH, (self._topic, partition, offset, share), binary=True
                    )
                    for partition, offset in self._next.items()
                ]
                for cursor in cursors:
                    found += [_record(self._topic, row) for row in await cursor.fetchall()]
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Unavailable(f"event log: {error}") from error
        for record in found:
            self._next[record.partition] = record.offset + 1
        return found


class PostgresConsumer(PostgresReader):
    """See `log.Consumer`. An advisory lock makes it the only live member of its group."""

    def __init__(self, pool: Pool, bell: Bell, topic: str, group: str, url: str) -> None:
        super().__init__(pool, bell, topic, {})
        self._group = group
        self._url = url
        self._lock = crc32(f"{topic}|{group}".encode())
        self._seat: psycopg.AsyncConnection[Any] | None = None

    async def join(self) -> None:
        """Wait for the group's seat, then start where the group has committed."""
        try:
            self._seat = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            await self._take_seat(self._seat)
            cursor = await self._seat.execute(
                "SELECT p.partition, greatest(coalesce(g.next_offset, 0), p.first_offset)"
                " FROM eventlog.partitions p LEFT JOIN eventlog.groups g ON g.topic = p.topic"
                ' AND g.partition = p.partition AND g."group" = %s WHERE p.topic = %s',
                (self._group, self._topic),
            )
            self._next = {row[0]: row[1] for row in await cursor.fetchall()}
            # A group that exists is never overtaken by retention, even before its first commit.
            for partition, offset in self._next.items():
                await self._seat.execute(_COMMIT, (self._topic, self._group, partition, offset))
        except psycopg.OperationalError as error:
            await self.leave()
            raise Unavailable(f"event log: {error}") from error

    async def _take_seat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,))
            row = await cursor.fetchone()
            if row is not None and row[0]:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def leave(self) -> None:
        """Give the seat up."""
        if self._seat is not None:
            await self._seat.close()
            self._seat = None

    async def batch(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """See `log.Consumer.batch`; `Unavailable` when the seat was lost with its connection."""
        if self._seat is None or self._seat.closed:
            raise Unavailable("event log: the group's seat was lost")
        return await super().batch(max_records, timeout_seconds)

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """See `log.Consumer.commit`. Made on the seat's own connection: who has lost the seat
        cannot commit over his successor."""
        if self._seat is None:
            raise Unavailable("event log: the group's seat was lost")
        try:
            async with self._seat.pipeline():
                for partition, offset in next_offsets.items():
                    await self._seat.execute(_COMMIT, (self._topic, self._group, partition, offset))
        except psycopg.OperationalError as error:
            raise Unavailable(f"event log: {error}") from error


def _record(topic: str, row: tuple[Any, ...]) -> Record:
    partition, offset, key, value, headers, logged_us = row
    if isinstance(headers, str):
        headers = json.loads(headers)
    pairs = tuple((name, text.encode("latin-1")) for name, text in headers or ())
    return Record(topic, partition, offset, key, bytes(value), pairs, logged_us)
