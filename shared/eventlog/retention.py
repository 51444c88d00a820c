"""The embedded event log's bound: drops what every group has committed, else refuses."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

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
SELECT p.topic, p.partition, p.first_offset, p.next_offset,
       (SELECT min(g.next_offset) FROM eventlog.groups g
        WHERE g.topic = p.topic AND g.partition = p.partition) AS committed
FROM eventlog.partitions p
"""
_AGED = """
SELECT coalesce(max("offset") + 1, 0) FROM eventlog.records
WHERE topic = %s AND partition = %s AND "offset" >= %s AND "offset" < %s AND logged_us < %s
"""
_DROP = 'DELETE FROM eventlog.records WHERE topic = %s AND partition = %s AND "offset" < %s'
_FORGET = """
UPDATE eventlog.partitions SET first_offset = greatest(first_offset, %s)
WHERE topic = %s AND partition = %s
"""


class Keeper:
    """Watches the size of every topic; `max_records` bounds each."""

    def __init__(self, pool: AsyncConnectionPool[Any], max_records: int, clock: Clock) -> None:
        self._pool = pool
        self._max_records = max_records
        self._clock = clock
        self._kept = {topic.name: 0 for topic in TOPICS}
        self._retention = {topic.name: topic.retention_seconds for topic in TOPICS}

    def admit(self, topic: str) -> None:
        """Raise `Overloaded` when the topic is full of records that a group still needs."""
        if self._kept.get(topic, 0) >= self._max_records:
            raise Overloaded(f"the event log's topic {topic} is full: a consumer is behind")

    def count(self, records: Iterable[Record]) -> None:
        """Take account of what was just published."""
        for record in records:
            self._kept[record.topic] = self._kept.get(record.topic, 0) + 1

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
            rows = await (await connection.execute(_USAGE)).fetchall()
        partitions = {name: sum(1 for row in rows if row[0] == name) for name in self._kept}
        kept = dict.fromkeys(self._kept, 0)
        for topic, partition, first, following, committed in rows:
            room = min(KEEP_COMMITTED, self._max_records // 2) // max(1, partitions.get(topic, 1))
            safe = following if committed is None else committed
            cut = max(following - room, await self._aged(topic, partition, first, following))
            left = following - await self._drop(topic, partition, first, min(cut, safe))
            kept[topic] = kept.get(topic, 0) + left
        self._kept = kept

    async def _aged(self, topic: str, partition: int, first: int, following: int) -> int:
        seconds = self._retention.get(topic)
        if seconds is None or first >= following:
            return 0
        before = to_micros(self._clock()) - seconds * 1_000_000
        window = (topic, partition, first, first + DROP_AT_ONCE, before)
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_AGED, window)).fetchone()
        return int(row[0]) if row is not None else 0

    async def _drop(self, topic: str, partition: int, first: int, cut: int) -> int:
        """Delete below `cut`; returns the oldest offset kept."""
        while first < cut:
            first = min(cut, first + DROP_AT_ONCE)
            async with self._pool.connection() as connection:
                await connection.execute(_FORGET, (first, topic, partition))
                await connection.execute(_DROP, (topic, partition, first))
        return first
