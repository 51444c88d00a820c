"""Incidents that people merge, split and link, on PostgreSQL: all of it or nothing."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger, loading, trail
from services.alerts.incidents.alert import Alert
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.jurisdiction import ANYWHERE, Jurisdiction
from services.alerts.incidents.lifecycle import Refusal, Wanted
from services.alerts.incidents.merging import RULES, SPLIT, AsBefore, Decision, Parts, merge, split
from services.alerts.incidents.timing import Rota
from shared.clock import Clock
from shared.contracts.incident import Incident
from shared.store.tables import alerts, incidents, reports
from shared.web.identity import Identity


@dataclass(frozen=True)
class Pair:
    """Two incidents after a command: the one it was given to, and the other."""

    incident: Incident
    other: Incident


class Families:
    """`wake`: set whenever something is in the outbox."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        wake: asyncio.Event,
        rota: Rota,
        jurisdiction: Jurisdiction = ANYWHERE,
    ) -> None:
        self._engine = engine
        self._jurisdiction = jurisdiction
        self._clock = clock
        self._wake = wake
        self._rota = rota

    async def pair(
        self, one: UUID, other: UUID, decide: Decision, wanted: Wanted, who: Identity
    ) -> Pair | Refusal | UUID:
        """Merge, link or unlink. A UUID: of the one that there is not. Raises `Problem` 403."""
        async with reachable(self._engine.begin()) as connection:
            book = await self._book(connection, (one, other), who.name, wanted.note)
            missing = next((each for each in (one, other) if each not in book.cases), None)
            if missing is not None:
                return missing
            before = [book.cases[each].incident for each in (one, other)]
            rule = RULES[decide]
            await self._jurisdiction.demand(connection, who, rule.role, *before)
            refusal = decide(book, book.cases[one], book.cases[other], wanted)
            if refusal is not None:
                return refusal
            await _write(connection, book)
            if decide is merge:
                await _move_reports(connection, reports.c.incident_id == one, other)
            for was in before:
                now = book.cases[was.id].incident
                await trail.note(connection, who.by, rule.event, was, now, wanted.note)
        self._wake.set()
        return Pair(book.cases[one].incident, book.cases[other].incident)

    async def split(
        self, one: UUID, alert_ids: Collection[UUID], report_ids: Collection[UUID],
        title: str | None, wanted: Wanted, who: Identity,
    ) -> Pair | Refusal | UUID:  # fmt: skip
        """Some alerts and reports into an incident of their own, which is the other."""
        async with reachable(self._engine.begin()) as connection:
            book = await self._book(connection, (one,), who.name, wanted.note)
            if one not in book.cases:
                return one
            before = book.cases[one].incident
            await self._jurisdiction.demand(connection, who, SPLIT.role, before)
            held = await _reports_of(connection, one)
            strangers = [each for each in report_ids if each not in held]
            if strangers:
                return Refusal("unfit", f"report {strangers[0]} is not in this incident")
            leaving = set(report_ids)
            parts = Parts(set(alert_ids), len(leaving), len(held - leaving), title)
            made = split(book, book.cases[one], parts, wanted, book.now)
            if isinstance(made, Refusal):
                return made
            await _write(connection, book)
            await _move_reports(connection, reports.c.report_id.in_(leaving), made.id)
            now = book.cases[one].incident
            await trail.note(connection, who.by, SPLIT.event, before, now, wanted.note)
        self._wake.set()
        return Pair(book.cases[one].incident, made.incident)

    async def alerts_of(self, incident: UUID, limit: int) -> list[Alert]:
        """The alerts gathered in an incident, the first raised first."""
        wanted = (
            select(alerts.c.alert_id)
            .where(alerts.c.incident_id == incident)
            .order_by(alerts.c.raised_at, alerts.c.alert_id)
            .limit(limit)
        )
        async with reachable(self._engine.connect()) as connection:
            found = await ledger.load_alerts(connection, alerts.c.alert_id.in_(wanted))
        return sorted(found, key=lambda alert: alert.order)

    async def _book(
        self, connection: AsyncConnection, ids: Collection[UUID], actor: str, note: str
    ) -> Casebook:
        """The incidents with all their alerts, and their parts, locked."""
        await ledger.one_at_a_time(connection)
        timing = await self._rota.current(connection)
        now: datetime = self._clock()
        book = Casebook(now, AsBefore(lambda: book), timing, actor=actor, note=note)
        parts = select(incidents.c.id).where(incidents.c.parent_id.in_(ids))
        children = (await connection.execute(parts)).scalars()
        await loading.load_whole(connection, book, {*ids, *children})
        return book


async def _write(connection: AsyncConnection, book: Casebook) -> None:
    for case in book.changed_cases.values():
        case.touched = True
    await ledger.record_book(connection, book)


async def _reports_of(connection: AsyncConnection, incident: UUID) -> set[UUID]:
    query = select(reports.c.report_id).where(reports.c.incident_id == incident)
    return set((await connection.execute(query)).scalars())


async def _move_reports(
    connection: AsyncConnection, which: ColumnElement[bool], home: UUID
) -> None:
    await connection.execute(update(reports).where(which).values(incident_id=home))
