"""Reading the embedded event log: positions, groups, and a bell that says when to look."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4
from zlib import crc32

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.clock import monotonic
from shared.errors import Unavailable
from shared.eventlog.log import Record
from shared.eventlog.recent import Recent
from shared.store.engine import libpq_url
from shared.store.locks import take_seat

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # a tail looks this often even if no bell rings
_FETCH = """
SELECT found.* FROM unnest(%s::int[], %s::int8[]) AS want (number, start), LATERAL (
    SELECT partition, "offset", key, value, headers, logged_us FROM eventlog.records
    WHERE topic = %s AND partition = want.number AND "offset" >= want.start
    ORDER BY "offset" LIMIT %s
) found ORDER BY found.partition, found."offset"
"""
_COMMIT = """
INSERT INTO eventlog.groups (topic, "group", partition, next_offset)
SELECT %s, %s, unnest(%s::int[]), unnest(%s::int8[])
ON CONFLICT (topic, "group", partition) DO UPDATE SET next_offset = excluded.next_offset
"""

Pool = AsyncConnectionPool[Any]


class Bell:
    """Wakes tails when something was published, by this process or (NOTIFY) by another.

    `name` tells this process's notifications from the others'.
    """

    def __init__(self, database_url: str) -> None:
        self.name = uuid4().hex[:8]
        self._url = libpq_url(database_url)
        self._rung: dict[str, int] = {}
        self._foreign: dict[str, int] = {}
        self._waiters: set[asyncio.Event] = set()

    def ring(self, topics: Iterable[str]) -> None:
        """Wake everybody who waits (a wrong wake-up costs little)."""
        for topic in topics:
            self._rung[topic] = self._rung.get(topic, 0) + 1
        for waiter in self._waiters:
            waiter.set()

    def notice(self, payload: str) -> None:
        """Take a notification, `name:topic,…`, for what it is."""
        name, _, topics = payload.partition(":")
        if name != self.name:
            for topic in topics.split(","):
                self._foreign[topic] = self._foreign.get(topic, 0) + 1
            self.ring(topics.split(","))

    def foreign(self, topic: str) -> int:
        """How often it rang for what another process published."""
        return self._foreign.get(topic, 0)

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
                        self.notice(notice.payload)
            except psycopg.Error as error:
                _log.warning("event log: listening stopped, trying again: %s", error)
            await asyncio.sleep(LOOK_SECONDS)


class PostgresReader:
    """See `log.Reader`. Takes partitions in turn so that none starves.

    What this process published comes from memory. The database is asked for what lies before
    that, after another process rang, and every `LOOK_SECONDS`.
    """

    def __init__(
        self, pool: Pool, bell: Bell, recent: Recent, topic: str, start: Mapping[int, int]
    ) -> None:
        self._pool = pool
        self._bell = bell
        self._recent = recent
        self._topic = topic
        self._next = dict(start)
        self._due: set[int] = set()  # partitions of which the database is to be asked
        self._due_at = 0.0
        self._heard = 0

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
        self._note_what_is_due()
        found: list[Record] = []
        missing = []
        for partition, offset in self._next.items():
            held = self._recent.since(self._topic, partition, offset, share)
            if held is None or (not held and partition in self._due):
                missing.append(partition)
            else:
                found += held
        if missing:
            older = await self._fetch(missing, share)
            counts = Counter(record.partition for record in older)
            self._due -= {partition for partition in missing if counts[partition] < share}
            found += older
        for record in found:
            self._next[record.partition] = record.offset + 1
        return found

    def _note_what_is_due(self) -> None:
        """Another process may have published to any partition."""
        foreign, now = self._bell.foreign(self._topic), monotonic()
        if foreign != self._heard or now >= self._due_at:
            self._heard, self._due_at = foreign, now + LOOK_SECONDS
            self._due = set(self._next)

    async def _fetch(self, partitions: Sequence[int], limit: int) -> list[Record]:
        starts = [self._next[partition] for partition in partitions]
        query = (list(partitions), starts, self._topic, limit)
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_FETCH, query, binary=True)
                return [_record(self._topic, row) for row in await cursor.fetchall()]
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Unavailable(f"event log: {error}") from error


class PostgresConsumer(PostgresReader):
    """See `log.Consumer`. An advisory lock makes it the only live member of its group."""

    def __init__(
        self, pool: Pool, bell: Bell, recent: Recent, topic: str, group: str, url: str
    ) -> None:
        super().__init__(pool, bell, recent, topic, {})
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
            await self._keep(self._seat, self._next)
        except psycopg.OperationalError as error:
            await self.leave()
            raise Unavailable(f"event log: {error}") from error

    async def _take_seat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while not await take_seat(connection, self._lock):
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
            await self._keep(self._seat, next_offsets)
        except psycopg.OperationalError as error:
            raise Unavailable(f"event log: {error}") from error

    async def _keep(
        self, seat: psycopg.AsyncConnection[Any], next_offsets: Mapping[int, int]
    ) -> None:
        partitions, offsets = list(next_offsets), list(next_offsets.values())
        await seat.execute(_COMMIT, (self._topic, self._group, partitions, offsets))


def _record(topic: str, row: tuple[Any, ...]) -> Record:
    partition, offset, key, value, headers, logged_us = row
    if isinstance(headers, str):
        headers = json.loads(headers)
    pairs = tuple((name, text.encode("latin-1")) for name, text in headers or ())
    return Record(topic, partition, offset, key, bytes(value), pairs, logged_us)
