"""Keeps the rollups true: what is new in bounded windows, then what has been marked as late."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg

from services.ingest import metrics
from services.ingest.storage.rollups import statements
from shared.clock import Clock, monotonic
from shared.errors import Unavailable
from shared.store.engine import connect
from shared.store.locks import Lock, take_seat
from shared.store.rollups import ORIGIN, WIDTHS, floor_to

_log = logging.getLogger(__name__)

SETTLE = timedelta(seconds=60)  # readings younger than this still come in; later ones leave marks
PERIOD_SECONDS = 5.0
# A mark is worked off when nobody has touched it for so long, or 30 times as long after it was
# made: while a day is being filled in, making it again and again would only hold its writer up.
QUIET = timedelta(seconds=10)
# Of the time, so that a backlog of buckets never takes a core away from the writer.
DUTY = 0.25
AIM_SECONDS = 0.4  # of one transaction; windows and numbers of marks follow it
WINDOWS = (timedelta(minutes=1), timedelta(days=7))
MARKS = (1, 5_000)
_MINUTE = timedelta(minutes=1)

Connection = psycopg.AsyncConnection[Any]


class Refresher:
    """One at a time in a city; the others wait for its end."""

    def __init__(self, database_url: str, clock: Clock, quiet: timedelta = QUIET) -> None:
        self._url = database_url
        self._clock = clock
        self._quiet = quiet
        self._window = timedelta(minutes=10)
        self._marks = 100

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`; what was not committed is made again."""
        connection = await connect(self._url, autocommit=True)
        try:
            await connection.execute("SET application_name = 'yiwang-rollups'")
            while not stop.is_set():
                begun = monotonic()
                # The seat is taken anew at each turn; it ends with the connection.
                more = await take_seat(connection, Lock.ROLLUPS) and await self.step(connection)
                spent = monotonic() - begun
                pause = spent * (1 / DUTY - 1) if more else PERIOD_SECONDS
                await _wait(stop, pause)
        except psycopg.OperationalError as error:
            raise Unavailable(f"database: {error}") from error
        finally:
            await connection.close()

    async def step(self, connection: Connection) -> bool:
        """One window and one lot of marks; True when there is more to do."""
        behind = await self._advance(connection)
        return await self._catch_up(connection) or behind

    async def _advance(self, connection: Connection) -> bool:
        target = floor_to(self._clock() - SETTLE, 60)
        closed = await self._close(connection, target)
        rolled = await _rolled_to(connection)
        begun = monotonic()
        async with connection.transaction():
            for width in WIDTHS:
                start, end = rolled[width], floor_to(closed, width)
                if start < end:
                    values = {"start": start, "end": end, **_values(width)}
                    await connection.execute(statements.roll(width).encode(), values)
                    await connection.execute(statements.ADVANCE, (width, end))
        self._window = _adapted(self._window, monotonic() - begun, *WINDOWS)
        metrics.ROLLED_TO.set(closed.timestamp())
        return closed < target

    async def _close(self, connection: Connection, target: datetime) -> datetime:
        """Move the watermark, alone with it: every writer that has not seen it has committed."""
        async with connection.transaction():
            await connection.execute(statements.ALONE)
            row = await (await connection.execute(statements.WATERMARK)).fetchone()
            closed: datetime | None = row[0] if row is not None else None
            if closed is None:
                closed = await _begin(connection, target)
            following = max(closed, min(target, closed + self._window))
            await connection.execute(statements.CLOSE, (following,))
        return following

    async def _catch_up(self, connection: Connection) -> bool:
        begun = monotonic()
        rolled = await _rolled_to(connection)
        async with connection.transaction():
            await connection.execute(statements.HOLD_FLOORS)
            values = {"quiet": self._quiet, "limit": self._marks}
            cursor = await connection.execute(statements.TAKE_MARKS, values)
            taken = await cursor.fetchall()
            alive = [row for row in taken if not row[4]]
            if alive:
                days = {floor_to(first, WIDTHS[-1]) for _, _, first, _, _ in alive}
                await connection.execute(statements.CHANGED, (sorted(days),))
                await _roll_again(connection, alive, rolled)
        metrics.ROLLED_AGAIN.inc(len(alive))
        if len(alive) < len(taken):
            _log.warning("%d late stretches lie below what is kept", len(taken) - len(alive))
        full = len(taken) == self._marks
        self._marks = _adapted(self._marks, monotonic() - begun, *MARKS) if taken else self._marks
        return full


async def _roll_again(
    connection: Connection, marks: list[tuple[Any, ...]], rolled: Mapping[int, datetime]
) -> None:
    sensors, codes, firsts, lasts, _ = zip(*marks, strict=True)
    stretches = {
        "sensors": list(sensors),
        "metrics": list(codes),
        "firsts": list(firsts),
        "lasts": list(lasts),
    }
    for width in WIDTHS:
        if width in rolled:
            values = {"rolled_to": rolled[width], **stretches, **_values(width)}
            await connection.execute(statements.roll_again(width).encode(), values)


async def _rolled_to(connection: Connection) -> dict[int, datetime]:
    cursor = await connection.execute(statements.ROLLED_TO)
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def _begin(connection: Connection, target: datetime) -> datetime:
    """Where the rollups of all widths begin: the day of the oldest reading, or of `target`."""
    row = await (await connection.execute(statements.FIRST)).fetchone()
    first = row[0] if row is not None and row[0] is not None else target
    day = floor_to(min(first, target), WIDTHS[-1])
    for width in WIDTHS:
        await connection.execute(statements.ADVANCE, (width, day))
    return day


def _values(width: int) -> dict[str, Any]:
    return {"width": timedelta(seconds=width), "origin": ORIGIN}


def _adapted(size: Any, seconds: float, least: Any, most: Any) -> Any:
    """Twice as much where it went quickly, half where it took long."""
    if seconds < AIM_SECONDS / 2:
        return min(size * 2, most)
    if seconds > AIM_SECONDS * 2:
        return max(least, size // 2)
    return size


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
