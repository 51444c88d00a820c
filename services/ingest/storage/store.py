"""Readings into the database: once each, together with how far the log has been taken."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from services.ingest.quarantine.aside import SetAside
from services.ingest.storage import statements
from services.ingest.storage.copyrows import encode_rows, rows_of
from services.ingest.storage.delivery import next_offsets
from services.ingest.storage.fold import Arrival, Key, Settled, Value, settle
from services.ingest.storage.marks import Marks
from services.ingest.storage.outcome import Outcome
from services.ingest.storage.prepared import Prepared, prepare, prepare_carefully
from services.ingest.storage.rollups.lateness import late, mark, watermark_us
from shared.clock import from_micros
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.store.engine import connect

CAREFUL_BATCHES = 8  # staged after a duplicate was met: repeats come in runs

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

# Errors of one row; whatever else goes wrong is not the row's fault.
_ROW_ERRORS = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)


class ReadingStore:
    """Opens sessions that write what is read from the log of one `incarnation`."""

    def __init__(self, database_url: str, incarnation: str) -> None:
        self._url = database_url
        self._incarnation = incarnation

    async def progress(self) -> dict[int, int]:
        """Partition → the next offset that the database lacks. Raises `Unavailable`."""
        try:
            async with await connect(self._url, autocommit=True) as connection:
                values = (READINGS, self._incarnation)
                cursor = await connection.execute(statements.PROGRESS, values)
                return {row[0]: row[1] for row in await cursor.fetchall()}
        except psycopg.OperationalError as error:
            raise Unavailable(f"database: {error}") from error

    @asynccontextmanager
    async def session(self) -> AsyncIterator["StoreSession"]:
        """A connection of its own. Raises `Unavailable`, also for a connection lost inside."""
        connection = await connect(self._url, autocommit=True)
        try:
            await connection.execute("SET application_name = 'yiwang-writer'")
            await connection.execute(statements.STAGING)
            # Rows are looked up by key; a young chunk has no statistics and would be read whole,
            # once for each of them.
            for way in ("hashjoin", "mergejoin", "seqscan", "material"):
                await connection.execute(f"SET enable_{way} = off".encode())
            yield StoreSession(connection, self._incarnation)
        except psycopg.OperationalError as error:
            raise Unavailable(f"database: {error}") from error
        finally:
            await connection.close()


class StoreSession:
    """Writes batch after batch. `marks`: of the series that it has met."""

    def __init__(self, connection: Connection, incarnation: str) -> None:
        self.marks = Marks()
        self._connection = connection
        self._incarnation = incarnation
        self._careful = 0

    async def forget_beyond(self, ends: Mapping[int, int]) -> int:
        """Drop progress past the log's end: such a log was made anew. Returns how many."""
        dropped = 0
        for partition, end in ends.items():
            values = (READINGS, partition, self._incarnation, end)
            dropped += (await self._connection.execute(statements.FORGET, values)).rowcount
        return dropped

    async def write(self, prepared: Prepared) -> Outcome:
        """One transaction: rows, quarantine, corrections and progress. What an earlier run has
        stored already is skipped. Raises `Unavailable`."""
        try:
            try:
                return await self._transact(prepared)
            except _ROW_ERRORS as error:
                if not prepared.fresh:
                    raise
                # A mark was too low, or no row can hold one of the readings: look at each key.
                outcome = await self._transact(prepare_carefully(prepared.deliveries))
                if isinstance(error, psycopg.errors.UniqueViolation):
                    await self._lift_marks(prepared)
                return outcome
        except psycopg.OperationalError as error:
            raise Unavailable(f"database: {error}") from error

    async def _transact(self, prepared: Prepared) -> Outcome:
        outcome = Outcome()
        following = next_offsets(prepared.deliveries)
        async with self._connection.transaction():
            closed_us = await watermark_us(self._connection)
            done = await self._done(following)
            fresh = [d for d in prepared.deliveries if d.offset >= done.get(d.partition, 0)]
            if len(fresh) < len(prepared.deliveries):
                again = prepare(fresh, Marks()) if prepared.fresh else prepare_carefully(fresh)
                prepared = again
            outcome.broken = [delivery for delivery in fresh if delivery.batch is None]
            await self._store(prepared, outcome)
            await mark(self._connection, late(prepared.readings(), closed_us))
            await self._keep_record(outcome, following, done)
        return outcome

    async def _done(self, following: Mapping[int, int]) -> dict[int, int]:
        """Locks the rows: a writer that has lost its partitions waits, then finds it all done."""
        values = (READINGS, self._incarnation, list(following))
        cursor = await self._connection.execute(statements.DONE, values)
        return {row[0]: row[1] for row in await cursor.fetchall()}

    async def _lift_marks(self, prepared: Prepared) -> None:
        """Learn from the database how new its rows of these series are."""
        series = list(prepared.series())
        sensors, codes = [one[0] for one in series], [one[1] for one in series]
        values = (sensors, codes, from_micros(prepared.earliest_us))
        cursor = await self._connection.execute(statements.NEWEST, values)
        for sensor_id, metric, newest_us in await cursor.fetchall():
            self.marks.lift((sensor_id, metric), newest_us)

    async def _store(self, prepared: Prepared, outcome: Outcome) -> None:
        if prepared.fresh:
            await self._copy("ingest.readings", prepared.copied)
            outcome.stored += prepared.fresh
        folded = prepared.folded
        if folded.plain:
            await self._insert(list(folded.plain.values()), prepared.folded_rows, outcome)
        outcome.repeat(chain.from_iterable(folded.repeats.values()))
        outcome.poison += folded.poison
        if folded.disputed:
            await self._settle(folded.disputed, outcome)

    async def _insert(self, arrivals: list[Arrival], rows: bytes, outcome: Outcome) -> None:
        """Store arrivals with distinct keys; one that breaks a row is found by halving."""
        try:
            if self._careful or not await self._copied(rows):
                await self._merge(arrivals, rows, outcome)
            else:
                outcome.stored += len(arrivals)
        except _ROW_ERRORS as error:
            if len(arrivals) == 1:
                outcome.poison.append((arrivals[0], str(error).splitlines()[0]))
                return
            half = len(arrivals) // 2
            for part in (arrivals[:half], arrivals[half:]):
                await self._insert(part, encode_rows(rows_of(part)), outcome)

    async def _copied(self, rows: bytes) -> bool:
        """True if all were new; False, and nothing stored, if one was there before."""
        try:
            async with self._connection.transaction():
                await self._copy("ingest.readings", rows)
        except psycopg.errors.UniqueViolation:
            self._careful = CAREFUL_BATCHES
            return False
        return True

    async def _merge(self, arrivals: list[Arrival], rows: bytes, outcome: Outcome) -> None:
        async with self._connection.transaction():
            await self._connection.execute("DELETE FROM pg_temp.staging")
            await self._copy("pg_temp.staging", rows)
            stored = (await self._connection.execute(statements.MERGE)).rowcount
            differing = {} if stored == len(arrivals) else await self._differing(arrivals)
        self._careful = self._careful - 1 if stored == len(arrivals) else CAREFUL_BATCHES
        outcome.stored += stored
        outcome.duplicates += len(arrivals) - stored - len(differing)
        outcome.conflicts += [(a, differing[a.key]) for a in arrivals if a.key in differing]

    async def _copy(self, table: str, rows: bytes) -> None:
        async with self._connection.cursor().copy(statements.COPY.format(table).encode()) as copy:
            await copy.write(rows)

    async def _differing(self, arrivals: list[Arrival]) -> dict[Key, Value]:
        bounds = _bounds([arrival.key for arrival in arrivals])
        return await self._values(statements.DIFFERING, bounds)

    async def _settle(self, disputed: Mapping[Key, list[Arrival]], outcome: Outcome) -> None:
        """Store disputed keys; one that breaks a row is found by halving."""
        try:
            async with self._connection.transaction():
                stored, settled = await self._play(disputed)
        except _ROW_ERRORS as error:
            keys = list(disputed)
            if len(keys) == 1:
                flaw = str(error).splitlines()[0]
                outcome.poison += [(arrival, flaw) for arrival in disputed[keys[0]]]
                return
            half = len(keys) // 2
            await self._settle({key: disputed[key] for key in keys[:half]}, outcome)
            await self._settle({key: disputed[key] for key in keys[half:]}, outcome)
            return
        outcome.stored += len(settled.inserts)
        outcome.duplicates += settled.repeats
        outcome.corrections += settled.corrections
        outcome.conflicts += [(a, stored.get(a.key)) for a in settled.conflicts]

    async def _play(
        self, disputed: Mapping[Key, list[Arrival]]
    ) -> tuple[dict[Key, Value], Settled]:
        keys = list(disputed)
        sensors, codes, times = zip(*(_named(key) for key in keys), strict=True)
        columns = (list(sensors), list(codes), list(times))
        stored = await self._values(statements.STORED, (*columns, *_bounds(keys)))
        settled = settle(disputed, stored)
        updates = [(*value, *_named(key)) for key, value in settled.updates.items()]
        if updates:
            await self._connection.cursor().executemany(statements.UPDATE, updates)
        if settled.inserts:
            await self._copy("ingest.readings", encode_rows(settled.inserts.items()))
        return stored, settled

    async def _values(self, query: str, values: tuple[Any, ...]) -> dict[Key, Value]:
        cursor = await self._connection.execute(query.encode(), values)
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in await cursor.fetchall()}

    async def _keep_record(
        self, outcome: Outcome, following: Mapping[int, int], done: Mapping[int, int]
    ) -> None:
        cursor = self._connection.cursor()
        if outcome.corrections:
            rows = [
                (*_named(c.arrival.key), c.old[0], c.arrival.value[0], c.arrival.origin.source)
                for c in outcome.corrections
            ]
            await cursor.executemany(statements.CORRECTION, rows)
        if set_aside := outcome.set_aside(READINGS):
            await cursor.executemany(
                statements.QUARANTINE, [quarantine_row(row, self._incarnation) for row in set_aside]
            )
        ahead = [
            (READINGS, partition, self._incarnation, offset)
            for partition, offset in following.items()
            if offset > done.get(partition, 0)
        ]
        await cursor.executemany(statements.ADVANCE, ahead)


def quarantine_row(row: SetAside, incarnation: str) -> tuple[Any, ...]:
    """The values of `statements.QUARANTINE`."""
    place = (row.topic, row.partition, row.offset, row.index, incarnation)
    return (*place, row.source, row.code.value, row.detail, Jsonb(row.item))


def _named(key: Key) -> tuple[str, str, Any]:
    return (key[0], key[1], from_micros(key[2]))


def _bounds(keys: Sequence[Key]) -> tuple[Any, Any]:
    times = [key[2] for key in keys]
    return (from_micros(min(times)), from_micros(max(times)))
