"""Writes down what became of deliveries: what ends while a transaction runs is in the next one."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.delivery import abandonment, burial
from services.alerts.delivery.verdict import SOUND, Attempt, Health, Parcel
from shared.clock import Clock
from shared.errors import Unavailable
from shared.store.tables import endpoints

AT_ONCE = 100

_ENDPOINTS = text("""
UPDATE alerts.endpoints e SET failures = a.failures, failing_since = a.failing_since,
  slow = a.slow, not_before = a.not_before
FROM unnest(CAST(:ids AS uuid[]), CAST(:failures AS int[]), CAST(:since AS timestamptz[]),
  CAST(:slow AS bool[]), CAST(:not_before AS timestamptz[]))
  AS a (id, failures, failing_since, slow, not_before)
WHERE e.endpoint_id = a.id
""")
# One that is to be tried again keeps the state that it has meanwhile (its endpoint was removed).
_DELIVERIES = text("""
UPDATE alerts.deliveries d SET attempts = d.attempts || CAST(a.entry AS jsonb), tries = a.tries,
  state = CASE a.state WHEN 'queued' THEN d.state ELSE a.state END,
  due_at = coalesce(a.due_at, d.due_at)
FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:due AS timestamptz[]),
  CAST(:entries AS text[]), CAST(:tries AS int[])) AS a (id, state, due_at, entry, tries)
WHERE d.delivery_id = a.id
""")


@dataclass(frozen=True)
class _Settled:
    """An attempt that has ended, and who waits for it to be written."""

    parcel: Parcel
    attempts: Sequence[Attempt]
    health: Health
    written: "asyncio.Future[None]" = field(compare=False)

    @property
    def changes_endpoint(self) -> bool:
        """Whether something is held against the endpoint, or no longer is."""
        return not (self.parcel.sound and self.health == SOUND)

    def done(self) -> None:
        """It is written. (Who waited may be gone.)"""
        if not self.written.done():
            self.written.set_result(None)

    def failed(self, error: Exception) -> None:
        """It may be written, or not."""
        if not self.written.done():
            self.written.set_exception(error)


class _Lane:
    """Group commit of one kind of outcome."""

    def __init__(self, write: Callable[[Sequence[_Settled]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[_Settled] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self, one: _Settled) -> None:
        self._waiting.append(one)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await one.written

    async def _write_all(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                await self._write(some)
            except Exception as error:
                for one in some:
                    one.failed(error)
            else:
                for one in some:
                    one.done()


class Settlement:
    """Group commit for outcomes. Those that change nothing of their endpoint have a lane of their
    own: they wait for no lock on one."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._plain, self._changing = _Lane(self._write), _Lane(self._write)

    async def settle(self, parcel: Parcel, attempts: Sequence[Attempt], health: Health) -> None:
        """Returns when it is written. Raises `Unavailable`; then nobody knows whether it is."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        one = _Settled(parcel, attempts, health, written)
        await (self._changing if one.changes_endpoint else self._plain).settle(one)

    async def _write(self, some: Sequence[_Settled]) -> None:
        """In one transaction; once more when it met with another one."""
        for last in (False, True):
            try:
                async with reachable(self._engine.begin()) as connection:
                    await self._record(connection, some)
                    return
            except Unavailable:
                if last:
                    raise

    async def _record(self, connection: AsyncConnection, some: Sequence[_Settled]) -> None:
        changed = [one for one in some if one.changes_endpoint]
        if changed:
            await connection.execute(_ENDPOINTS, _of_endpoints(changed))
        await connection.execute(_DELIVERIES, _of_deliveries(some))
        lost = [
            delivery.delivery_id
            for one in some
            for delivery, attempt in zip(one.parcel.deliveries, one.attempts, strict=True)
            if attempt.state == "dead" and delivery.purpose == "paging"
        ]
        await burial.hand_on(connection, lost, self._clock())
        for one in some:
            if one.health.abandoned:
                await self._abandon(connection, one.parcel, one.health.abandoned)

    async def _abandon(self, connection: AsyncConnection, parcel: Parcel, why: str) -> None:
        now, mine = self._clock(), endpoints.c.endpoint_id == parcel.endpoint_id
        await burial.lock(connection, parcel.endpoint_id)
        statement = update(endpoints).where(mine).values(enabled=False)
        name = (await connection.execute(statement.returning(endpoints.c.name))).scalar_one()
        await burial.bury(connection, parcel.endpoint_id, f"{why}; the endpoint is disabled", now)
        await abandonment.tell(connection, parcel, name, why, now)


def _of_endpoints(some: Sequence[_Settled]) -> dict[str, list[Any]]:
    return {
        "ids": [one.parcel.endpoint_id for one in some],
        "failures": [one.health.failures for one in some],
        "since": [one.health.failing_since for one in some],
        "slow": [one.health.slow for one in some],
        "not_before": [one.health.not_before for one in some],
    }


def _of_deliveries(some: Sequence[_Settled]) -> dict[str, list[Any]]:
    each = [
        (delivery, attempt)
        for one in some
        for delivery, attempt in zip(one.parcel.deliveries, one.attempts, strict=True)
    ]
    return {
        "ids": [delivery.delivery_id for delivery, _ in each],
        "states": [attempt.state for _, attempt in each],
        "due": [attempt.due_at for _, attempt in each],
        "entries": [json.dumps([attempt.entry()]) for _, attempt in each],
        "tries": [delivery.tries + 1 for delivery, _ in each],
    }
