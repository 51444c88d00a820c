"""Duties on PostgreSQL: departments and working days as operators have changed them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.duties.calendar import Calendar, Override
from services.alerts.duties.deadlines import Deadlines
from services.alerts.duties.departments import Department, Departments
from services.alerts.duties.files import Book
from shared.clock import Clock, monotonic
from shared.contracts.incident import Incident
from shared.store.audit import SYSTEM, Action, By, record_change
from shared.store.tables import alerts_audit, calendar, departments

_log = logging.getLogger(__name__)

KEEP_SECONDS = 2.0
WARN_DAYS = 45  # before a year begins whose holidays nobody has entered


@dataclass(frozen=True)
class Duties:
    """Everything that decides who has to do what until when, at one moment."""

    deadlines: Deadlines
    departments: Departments

    def moved(self, before: Incident, after: Incident) -> Incident:
        """See `Deadlines.moved`."""
        return self.deadlines.moved(before, after)

    def opened(self, incident: Incident, own_seconds: int | None, areas: Sequence[str]) -> Incident:
        """An incident that opens, with who takes it and until when. Its department so far is the
        rule's; `own_seconds`: the rule's deadline, if any; `areas`: the nearest first."""
        department = self.departments.department_for(incident.category, incident.department, areas)
        changed: dict[str, object] = {"department": department}
        if not incident.historical:  # what is long over cannot be handled in time
            changed |= vars(self.deadlines.opened(incident.grade, own_seconds, incident.opened_at))
        return incident.model_copy(update=changed)


class Roster:
    """What the folder says, with what operators have changed. Remembered for two seconds."""

    def __init__(self, engine: AsyncEngine, book: Book, clock: Clock) -> None:
        self._engine = engine
        self._book = book
        self._clock = clock
        self._known: Duties | None = None
        self._asked_at = 0.0
        self._warned: set[int] = set()

    async def seed(self) -> None:
        """Enter the folder's departments where there are none at all."""
        async with reachable(self._engine.begin()) as connection:
            count = (
                await connection.execute(select(func.count()).select_from(departments))
            ).scalar()
            if count == 0 and self._book.departments:
                rows = [_row(each, "first start") for each in self._book.departments]
                statement = upsert(departments).values(rows)
                await connection.execute(statement.on_conflict_do_nothing())

    async def current(self, connection: AsyncConnection) -> Duties:
        """As they are now, to within two seconds."""
        if self._known is None or monotonic() - self._asked_at > KEEP_SECONDS:
            known = await self._read(connection)
            self._known, self._asked_at = known, monotonic()
            self._warn(known.deadlines.calendar)
        return self._known

    async def look(self) -> Duties:
        """As they are now, without a transaction of the caller's."""
        async with reachable(self._engine.connect()) as connection:
            return await self._read(connection)

    async def put_department(self, department: Department, actor: str, by: By = SYSTEM) -> None:
        """Enter or replace one."""
        row = _row(department, actor)
        statement = upsert(departments).values(row)
        changed = row | {"changed_at": func.now()}
        async with reachable(self._engine.begin()) as connection:
            before = await _department(connection, department.name)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=[departments.c.name], set_=changed)
            )
            after = await _department(connection, department.name)
            name = "department.entered"
            action = Action(name, department.name, self._clock(), before, after)
            await record_change(connection, alerts_audit, by, action)
        self._known = None

    async def remove_department(self, name: str, by: By = SYSTEM) -> bool:
        """False: there is none of this name. Incidents that it has keep it."""
        statement = delete(departments).where(departments.c.name == name)
        async with reachable(self._engine.begin()) as connection:
            before = await _department(connection, name)
            if before is not None:
                await connection.execute(statement)
                action = Action("department.removed", name, self._clock(), before)
                await record_change(connection, alerts_audit, by, action)
        self._known = None
        return before is not None

    async def put_days(
        self, days: Mapping[date, Override | None], actor: str, by: By = SYSTEM
    ) -> None:
        """Override days, or (None) believe the official calendar again."""
        said = [(day, override) for day, override in days.items() if override is not None]
        rows = [
            {"day": day, "working": override.working, "note": override.note, "changed_by": actor}
            for day, override in said
        ]
        async with reachable(self._engine.begin()) as connection:
            before = await _days(connection, days)
            await connection.execute(delete(calendar).where(calendar.c.day.in_(list(days))))
            if rows:
                await connection.execute(insert(calendar), rows)
            after = await _days(connection, days)
            action = Action("calendar.changed", "calendar", self._clock(), before, after)
            await record_change(connection, alerts_audit, by, action)
        self._known = None

    async def _read(self, connection: AsyncConnection) -> Duties:
        found = await connection.execute(select(departments).order_by(departments.c.name))
        everyone = [
            Department(
                row.name,
                row.name_en,
                frozenset(row.categories),
                frozenset(row.areas),
                row.parent,
            )
            for row in found
        ]
        days = {
            row.day: Override(row.working, row.note)
            for row in await connection.execute(select(calendar))
        }
        book = self._book
        known = Calendar(book.hours, book.zone, days)
        return Duties(Deadlines(book.terms, known), Departments(everyone, book.categories))

    def _warn(self, known: Calendar) -> None:
        now = self._clock().astimezone(known.zone)
        for year in {now.year, (now + timedelta(days=WARN_DAYS)).year} - self._warned:
            self._warned.add(year)
            if not known.knows(year):
                _log.error(
                    "the holidays of %d are not known: deadlines in working hours take its weekends"
                    " only; enter them with PUT /v1/calendar",
                    year,
                )


async def _department(connection: AsyncConnection, name: str) -> dict[str, Any] | None:
    """As the audit log shows one."""
    shown = [column for column in departments.c if column.name not in ("changed_by", "changed_at")]
    query = select(*shown).where(departments.c.name == name)
    row = (await connection.execute(query)).first()
    return None if row is None else dict(row._mapping)


async def _days(connection: AsyncConnection, days: Iterable[date]) -> dict[str, Any]:
    """Each day as the audit log shows it; None: as the official calendar says."""
    rows = await connection.execute(select(calendar).where(calendar.c.day.in_(list(days))))
    known = {row.day: {"working": row.working, "note": row.note} for row in rows}
    return {str(day): known.get(day) for day in days}


def _row(department: Department, actor: str) -> dict[str, str | Sequence[str] | None]:
    return {
        "name": department.name,
        "name_en": department.name_en,
        "categories": sorted(department.categories),
        "areas": sorted(department.areas),
        "parent": department.parent,
        "changed_by": actor,
    }
