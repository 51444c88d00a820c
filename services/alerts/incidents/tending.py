"""What time alone does to incidents: a flood ends, a consequence outlives its cause, what lay
below something that people have closed is listed again."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger, loading
from services.alerts.incidents.casebook import Casebook
from shared.clock import Clock
from shared.contracts.incident import AlertState, IncidentState
from shared.store.tables import incidents

LOOK_SECONDS = 5.0
OUTLIVES = timedelta(minutes=5)  # what still stands so long after its cause is news of its own


class Tending:
    """A job. `wake`: set when the outbox has something new."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, wake: asyncio.Event, operators: int
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._wake = wake
        self._operators = operators

    async def run(self, stop: asyncio.Event) -> None:
        """Look now and then, until `stop`. Raises `Unavailable`."""
        while not stop.is_set():
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def look(self) -> None:
        """End a flood that is over; release what outlives its cause."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            await ledger.one_at_a_time(connection)
            book = Casebook(now)
            await self._end_flood(connection, book, now)
            await _release(connection, book, now)
            await _surface(connection, book)
            await ledger.record_book(connection, book)
        if book.steps:
            self._wake.set()

    async def _end_flood(self, connection: AsyncConnection, book: Casebook, now: datetime) -> None:
        newest = (
            select(incidents.c.first_at, incidents.c.opened_at)
            .where(incidents.c.kind == "alert", incidents.c.historical.is_(False))
            .order_by(incidents.c.opened_at.desc())
            .limit(1)
        )
        row = (await connection.execute(newest)).first()
        if row is None or row.first_at is None:
            return
        here = row.first_at + (now - row.opened_at)  # how far event time has come
        gate = await loading.load_flood(connection, book, here, 0, self._operators)
        gate.reach(here)
        gate.passed(book)


async def _release(connection: AsyncConnection, book: Casebook, now: datetime) -> None:
    cause = incidents.alias()
    query = (
        select(incidents.c.id)
        .join(cause, cause.c.id == incidents.c.parent_id)
        .where(
            incidents.c.state != IncidentState.CLOSED,
            incidents.c.alert_state == AlertState.ACTIVE,
            incidents.c.historical.is_(False),
            cause.c.kind != "flood",
            cause.c.state != IncidentState.CLOSED,
            cause.c.alert_state == AlertState.CLEARED,
            cause.c.updated_at < now - OUTLIVES,
        )
    )
    ids = set((await connection.execute(query)).scalars())
    await loading.load_whole(connection, book, ids)
    for number in sorted(ids):
        book.step(book.cases[number], "incident.released", parent_id=None)


async def _surface(connection: AsyncConnection, book: Casebook) -> None:
    """People knew of these when they closed what they lay below: nobody is paged once more."""
    above = incidents.alias()
    query = (
        select(incidents.c.id)
        .join(above, above.c.id == incidents.c.parent_id)
        .where(incidents.c.state != IncidentState.CLOSED, above.c.state == IncidentState.CLOSED)
    )
    ids = set((await connection.execute(query)).scalars())
    await loading.load_whole(connection, book, ids)
    for number in sorted(ids):
        book.step(book.cases[number], "incident.surfaced", parent_id=None)
