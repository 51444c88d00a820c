"""What people do with incidents, on PostgreSQL: commands, lists, one with its timeline."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.incidents import ledger
from services.alerts.incidents import steps as made
from shared.contracts.incident import Incident
from shared.store.tables import incidents, timeline


class Desk:
    """Incidents as people see and change them. `wake`: set whenever something is in the outbox."""

    def __init__(self, engine: AsyncEngine, wake: asyncio.Event) -> None:
        self._engine = engine
        self._wake = wake

    async def command(
        self, incident: UUID, change: Callable[[Incident], Incident | Any], actor: str, event: str,
        note: str,
    ) -> Any:  # fmt: skip
        """Lock, change, record. `change` returns the new incident, or a refusal that is passed
        on and writes nothing. None: there is no such incident."""
        async with self._engine.begin() as connection:
            found = await ledger.find(connection, incident)
            if found is None:
                return None
            changed = change(found)
            if isinstance(changed, Incident):
                await ledger.record(connection, made.event(changed, event, actor, note))
        self._wake.set()
        return changed

    async def get(self, incident: UUID) -> tuple[Incident, list[dict[str, Any]]] | None:
        """An incident and its timeline, oldest step first."""
        async with self._engine.connect() as connection:
            query = select(incidents).where(incidents.c.id == incident)
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            steps = (
                select(
                    timeline.c.type,
                    timeline.c.at,
                    timeline.c.actor,
                    timeline.c.note,
                    timeline.c.version,
                )
                .where(timeline.c.incident_id == incident)
                .order_by(timeline.c.version)
            )
            found = [dict(step._mapping) for step in await connection.execute(steps)]
        return ledger.to_incident(row), found

    async def page(
        self,
        *,
        state: str | None,
        area_id: str | None,
        priority: int | None,
        after: tuple[Any, UUID] | None,
        limit: int,
    ) -> list[Incident]:
        """Newest first, from `after` (opened_at, id) on."""
        query = select(incidents)
        for column, wanted in (("state", state), ("area_id", area_id), ("priority", priority)):
            if wanted is not None:
                query = query.where(incidents.c[column] == wanted)
        query = _page(query, after, limit)
        async with self._engine.connect() as connection:
            return [ledger.to_incident(row) for row in await connection.execute(query)]


def _page(query: Select[Any], after: tuple[Any, UUID] | None, limit: int) -> Select[Any]:
    order = tuple_(incidents.c.opened_at, incidents.c.id)
    if after is not None:
        query = query.where(order < after)
    return query.order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)
