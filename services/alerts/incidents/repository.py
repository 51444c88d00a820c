"""What people do with incidents, on PostgreSQL: commands, lists, one with its timeline."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger, trail
from services.alerts.incidents import steps as made
from services.alerts.incidents.jurisdiction import ANYWHERE, Jurisdiction
from services.alerts.incidents.lifecycle import IN_HAND, Step
from services.alerts.incidents.listing import Filter, page
from services.alerts.incidents.timing import Rota
from shared.contracts.incident import Incident
from shared.store.tables import areas, incidents, timeline
from shared.web.identity import Identity
from shared.web.rights import works_for


class Desk:
    """Incidents as people see and change them. `wake`: set whenever something is in the outbox."""

    def __init__(
        self,
        engine: AsyncEngine,
        wake: asyncio.Event,
        rota: Rota,
        jurisdiction: Jurisdiction = ANYWHERE,
    ) -> None:
        self._engine = engine
        self._jurisdiction = jurisdiction
        self._wake = wake
        self._rota = rota

    async def command(
        self, incident: UUID, change: Callable[[Incident], Incident | Any], who: Identity,
        rule: Step, note: str,
    ) -> Any:  # fmt: skip
        """Lock, change, record. `change` returns the new incident, or a refusal that is passed
        on and writes nothing. None: there is no such incident. Raises `Problem` 403 where `who`
        has not the role that the step needs."""
        async with reachable(self._engine.begin()) as connection:
            timing = await self._rota.current(connection)
            found = await ledger.find(connection, incident)
            if found is None:
                return None
            if not (rule.handling and found.state in IN_HAND and works_for(who, found.department)):
                await self._jurisdiction.demand(connection, who, rule.role, found)
            changed = change(found)
            if isinstance(changed, Incident):
                changed = timing.moved(found, changed)
                await ledger.record(connection, made.event(changed, rule.event, who.name, note))
                await trail.note(connection, who.by, rule.event, found, changed, note)
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
                    timeline.c.cause,
                )
                .where(timeline.c.incident_id == incident)
                .order_by(timeline.c.version)
            )
            found = [dict(step._mapping) for step in await connection.execute(steps)]
        return ledger.to_incident(row), found

    async def page(
        self, wanted: Filter, after: tuple[Any, UUID] | None, limit: int
    ) -> list[Incident]:
        """Newest first, from `after` (opened_at, id) on."""
        async with self._engine.connect() as connection:
            found = await connection.execute(page(wanted, after, limit))
            return [ledger.to_incident(row) for row in found]

    async def knows_area(self, area_id: str) -> bool:
        """Whether there is such an area."""
        query = select(areas.c.area_id).where(areas.c.area_id == area_id)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None
