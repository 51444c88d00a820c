"""Where an incident is, for who may work on it: its area with all that it lies in, its domains."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.incident import Incident
from shared.store.tables import alerts, metrics
from shared.web.identity import Identity
from shared.web.rights import Place, demand, may

_ABOVE = text(
    """
    WITH RECURSIVE above AS (
        SELECT area_id, parent_id FROM ingest.areas WHERE area_id = ANY (:ids)
        UNION
        SELECT a.area_id, a.parent_id FROM ingest.areas a JOIN above ON a.area_id = above.parent_id
    )
    SELECT area_id FROM above
    """
)


class Jurisdiction:
    """`domains`: of categories, for what no metric tells (people's reports)."""

    def __init__(self, domains: Mapping[str, str] = MappingProxyType({})) -> None:
        self._domains = domains

    async def demand(
        self, connection: AsyncConnection, who: Identity, role: str, *found: Incident
    ) -> None:
        """`Problem` 403 unless somebody has at least `role` where each of the incidents is."""
        if may(who, role):
            return
        for incident in found:
            demand(who, role, await self.place(connection, incident))

    async def place(self, connection: AsyncConnection, incident: Incident) -> Place:
        """The area that it is in, and the one whose people it was assigned to; the domains of its
        alerts and its category."""
        measured = select(alerts.c.metric).where(alerts.c.incident_id == incident.id).distinct()
        codes = {*(await connection.execute(measured)).scalars(), incident.metric}
        return await self.around(
            connection, (incident.area_id, incident.assigned_area), codes, incident.category
        )

    async def around(
        self,
        connection: AsyncConnection,
        area_ids: Iterable[str | None],
        codes: Iterable[str | None] = (),
        category: str | None = None,
    ) -> Place:
        """The place of areas, metrics and a category."""
        ids = [one for one in area_ids if one is not None]
        areas = (await connection.execute(_ABOVE, {"ids": ids})).scalars() if ids else ()
        known = [one for one in codes if one is not None]
        query = select(metrics.c.domain).where(metrics.c.metric.in_(known)).distinct()
        domains = set((await connection.execute(query)).scalars()) if known else set()
        if category is not None and category in self._domains:
            domains.add(self._domains[category])
        return Place(frozenset(areas), frozenset(domains))


ANYWHERE = Jurisdiction()
