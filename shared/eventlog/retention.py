"""The embedded event log's bound: drops what every group has committed, else refuses."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from shared.clock import Clock, to_micros
from shared.contracts.topics import TOPICS
from shared.errors import Overloaded
from shared.eventlog.log import Record

_log = logging.getLogger(__name__)

KEEP_SECONDS = 5.0
KEEP_COMMITTED = 20_000  # records per topic kept after every group has committed them
DROP_AT_ONCE = 50_000  # records per transaction, so that a clean-up never holds a lock long

_USAGE = """
SELECT p.topic, p.partition, p.first_offset, p.next_offset, p.kept_bytes,
       (SELECT min(g.next_offset) FROM eventlog.groups g
        WHERE g.topic = p.topic AND g.partition = p.partition) AS committed
FROM eventlog.partitions p
"""
_AGED = """
SELECT coalesce(max("offset") + 1, 0) FROM eventlog.records
WHERE topic = %s AND partition = %s AND "offset" >= %s AND "offset" < %s AND logged_us < %s
"""
_DROP = """
WITH gone AS (
    DELETE FROM eventlog.records WHERE topic = %(topic)s AND partition = %(partition)s
    AND "offset" < %(first)s RETURNING octet_length(value) AS bytes
)
UPDATE eventlog.partitions SET first_offset = greatest(first_offset, %(first)s),
    kept_bytes = kept_bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)
WHERE topic = %(topic)s AND partition = %(partition)s RETURNING kept_bytes
"""


class Usage(NamedTuple):
    """A partition. `committed`: what every group has done; None without groups."""

    topic: str
    partition: int
    first: int
    following: int
    bytes: int
    committed: int | None


@dataclass(slots=True)
class Size:
    """How much a topic keeps."""

    records: int = 0
    bytes: int = 0


class Keeper:
    """Watches the size of every topic; `max_records` and `max_bytes` bound each."""

    def __init__(
        self, pool: AsyncConnectionPool[Any], max_records: int, max_bytes: int, clock: Clock
    ) -> None:
        self._pool = pool
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept = {topic.name: Size() for topic in TOPICS}
        self._retention = {topic.name: topic.retention_seconds for topic in TOPICS}

    def admit(self, topic: str) -> None:
        """Raise `Overloaded` when the topic is full of records that a group still needs."""
        size = self._kept[topic]
        if size.records >= self._max_records or size.bytes >= self._max_bytes:
            raise Overloaded(f"the event log's topic {topic} is full: a consumer is behind")

    def count(self, records: Iterable[Record]) -> None:
        """Take account of what was just published."""
        for record in records:
            size = self._kept[record.topic]
            size.records += 1
            size.bytes += len(record.value)

    async def keep(self) -> None:
        """Clean up for ever; a failure is logged and tried again."""
        while True:
            try:
                await self.clean()
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("event log: clean-up failed, trying again: %s", error)
            await asyncio.sleep(KEEP_SECONDS)

    async def clean(self) -> None:
        """Drop once, in small transactions."""
        async with self._pool.connection() as connection:
            rows = [Usage(*row) for row in await (await connection.execute(_USAGE)).fetchall()]
        kept = {topic.name: Size() for topic in TOPICS}
        for row in rows:
            same = [each for each in rows if each.topic == row.topic]
            room = self._room(row, len(same), sum(each.bytes for each in same))
            cut = max(row.following - room, await self._aged(row))
            first, size = await self._drop(row, cut)
            total = kept.setdefault(row.topic, Size())
            total.records += row.following - first
            total.bytes += size
        self._kept = kept

    def _room(self, row: Usage, partitions: int, topic_bytes: int) -> int:
        """How many records of a partition may stay although nobody needs them any more."""
        room = min(KEEP_COMMITTED, self._max_records // 2) // partitions
        if topic_bytes <= self._max_bytes // 2:
            return room
        return min(room, (row.following - row.first) * (self._max_bytes // 2) // topic_bytes)

    async def _aged(self, row: Usage) -> int:
        """The offset before which everything is older than the topic's retention."""
        seconds = self._retention.get(row.topic)
        if seconds is None or row.first >= row.following:
            return 0
        before = to_micros(self._clock()) - seconds * 1_000_000
        window = (row.topic, row.partition, row.first, row.first + DROP_AT_ONCE, before)
        async with self._pool.connection() as connection:
            found = await (await connection.execute(_AGED, window)).fetchone()
        return int(found[0]) if found is not None else 0

    async def _drop(self, row: Usage, cut: int) -> tuple[int, int]:
        """Delete below `cut` what every group has committed; (oldest offset kept, bytes kept)."""
        first, size = row.first, row.bytes
        cut = min(cut, row.following if row.committed is None else row.committed)
        while first < cut:
            first = min(cut, first + DROP_AT_ONCE)
            values = {"topic": row.topic, "partition": row.partition, "first": first}
            async with self._pool.connection() as connection:
                found = await (await connection.execute(_DROP, values)).fetchone()
            size = int(found[0]) if found is not None else 0
        return first, size
