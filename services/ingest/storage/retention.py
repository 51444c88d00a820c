"""Drops what is older than its class of metrics is kept: first the readings, then the rollups.

A floor is written before anything below it is dropped, so that nothing is made anew of what is
half gone. Readings are dropped only when their rollups are made.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg

from services.ingest import metrics
from services.ingest.storage.chunks import fit_chunks, has_timescale
from services.ingest.storage.classes import STANDARD, KeptClass
from shared.clock import Clock
from shared.errors import Unavailable
from shared.store.engine import connect
from shared.store.locks import Lock, take_seat
from shared.store.rollups import WIDTHS, floor_to, relation

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 3_600.0
_DAY = timedelta(days=1)
_DROPPED = """
SELECT dropped_to FROM ingest.retention_floors WHERE width_seconds = %s AND metric = ANY (%s)
"""
_SET_DROPPED = """
UPDATE ingest.retention_floors SET dropped_to = %s WHERE metric = ANY (%s) AND width_seconds = %s
"""
_SET_FLOOR = """
INSERT INTO ingest.retention_floors (metric, width_seconds, floor)
SELECT unnest(%s::text[]), %s, %s ON CONFLICT (metric, width_seconds) DO UPDATE
SET floor = greatest(ingest.retention_floors.floor, excluded.floor)
"""
_READY = """
SELECT (SELECT min(rolled_to) FROM ingest.rollup_state) >= %(floor)s AND NOT EXISTS (
  SELECT 1 FROM ingest.rollup_marks WHERE day < %(floor)s AND metric = ANY (%(codes)s))
"""
_DROP_CHUNKS = "SELECT drop_chunks(%s::regclass, older_than => %s::timestamptz)"

Connection = psycopg.AsyncConnection[Any]


class Classes(Protocol):
    """See `classes.Classes`."""

    async def all(self) -> list[KeptClass]:
        """Every class."""
        ...

    async def codes(self) -> list[str]:
        """Every metric."""
        ...


class Retention:
    """One at a time in a city."""

    def __init__(self, database_url: str, classes: Classes, clock: Clock) -> None:
        self._url = database_url
        self._classes = classes
        self._clock = clock
        self._members: dict[str, list[str]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Every hour until `stop`. Raises `Unavailable`."""
        while not stop.is_set():
            connection = await connect(self._url, autocommit=True)
            try:
                await self.step(connection)
            except psycopg.OperationalError as error:
                raise Unavailable(f"database: {error}") from error
            finally:
                await connection.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PERIOD_SECONDS)

    async def step(self, connection: Connection) -> None:
        """Drop what is due now."""
        if not await take_seat(connection, Lock.RETENTION):
            return
        await fit_chunks(connection)
        classes = await self._classes.all()
        self._members = _members(classes, await self._classes.codes())
        for width in (0, *WIDTHS):
            floors = {each.name: self._floor(each, width) for each in classes}
            due = {
                name: (codes, floor)
                for name, codes in self._members.items()
                if (floor := floors[name]) is not None
            }
            await self._drop(connection, width, due)

    def _floor(self, kept: KeptClass, width: int) -> datetime | None:
        days = kept.by_width()[width]
        if days is None:
            return None
        return floor_to(self._clock() - timedelta(days=days), WIDTHS[-1])

    async def _drop(
        self, connection: Connection, width: int, due: Mapping[str, tuple[list[str], datetime]]
    ) -> None:
        """`due`: class → its metrics and floor, where there is one."""
        ready = {}
        for name, (codes, floor) in due.items():
            if await _raised(connection, width, codes, floor):
                ready[name] = (codes, floor)
            else:
                _log.info("retention: %s waits until all below %s is rolled up", name, floor)
        if ready and len(ready) == len(self._members) and await has_timescale(connection):
            least = min(floor for _, floor in ready.values())
            await connection.execute(_DROP_CHUNKS, (_table(width), least))
        for codes, floor in ready.values():
            start = await _dropped_to(connection, width, codes)
            dropped = await _delete(connection, width, codes, start, floor)
            await connection.execute(_SET_DROPPED, (floor, codes, width))
            metrics.DROPPED.labels(_table(width).removeprefix("ingest.")).inc(dropped)


async def _dropped_to(connection: Connection, width: int, codes: list[str]) -> datetime | None:
    """Up to where all these metrics have been dropped; None: not from the beginning."""
    cursor = await connection.execute(_DROPPED, (width, codes))
    found = [row[0] for row in await cursor.fetchall()]
    return min(found) if found and None not in found else None


async def _delete(
    connection: Connection,
    width: int,
    codes: Sequence[str],
    start: datetime | None,
    end: datetime,
) -> int:
    """From `start` (None: the oldest row) to `end`, a day per transaction."""
    table, time = _table(width), _time(width)
    if start is None:
        row = await (
            await connection.execute(f"SELECT min({time}) FROM {table}".encode())
        ).fetchone()
        start = floor_to(row[0] if row is not None and row[0] is not None else end, WIDTHS[-1])
    query = f"DELETE FROM {table} WHERE metric = ANY (%s) AND {time} >= %s AND {time} < %s"
    dropped = 0
    while start < end:
        values = (list(codes), start, min(start + _DAY, end))
        dropped += (await connection.execute(query.encode(), values)).rowcount
        start += _DAY
    return dropped


async def _raised(
    connection: Connection, width: int, codes: Sequence[str], floor: datetime
) -> bool:
    """Raise the floor, if the rollups of all below are made: they are made of what is finer. Nobody
    works marks off meanwhile, and whoever does so afterwards sees the floor."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE ingest.retention_floors IN EXCLUSIVE MODE")
        if width != WIDTHS[-1]:
            values = {"floor": floor, "codes": list(codes)}
            row = await (await connection.execute(_READY, values)).fetchone()
            if row is None or not row[0]:
                return False
        await connection.execute(_SET_FLOOR, (list(codes), width, floor))
    return True


def _members(classes: Sequence[KeptClass], codes: Sequence[str]) -> dict[str, list[str]]:
    members = {each.name: list(each.metrics) for each in classes}
    named = {code for each in members.values() for code in each}
    members[STANDARD] = [code for code in codes if code not in named]
    return {name: codes for name, codes in members.items() if codes}


def _table(width: int) -> str:
    return relation(width) if width else "ingest.readings"


def _time(width: int) -> str:
    return "bucket" if width else "observed_at"
