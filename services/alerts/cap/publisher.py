"""Publishes, updates and lifts public warnings as incidents ask for them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shapely.geometry import MultiPolygon, Polygon, shape
from sqlalchemy import ColumnElement, and_, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.cap.message import (
    COLOURS,
    Area,
    Earlier,
    Kind,
    PublicWarning,
    Sender,
    document,
    identifier,
)
from services.alerts.cap.newest import newest
from services.alerts.connection import reachable
from services.alerts.incidents import ledger
from shared.clock import Clock
from shared.contracts.incident import Incident, WarningColour
from shared.errors import Unavailable
from shared.store.locks import Lock, hold
from shared.store.tables import areas, cap_messages, incidents

_log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
HOLDS = timedelta(hours=24)
LIFTED = timedelta(hours=1)  # how long it is said that a warning was lifted
RENEWED = timedelta(hours=1)  # before it would expire, while the danger lasts
SIMPLIFIED_DEGREES = 0.005  # of a boundary: some 500 m
EARLIER_AT_MOST = 20
Names = Mapping[str, tuple[str, str]]


class Publisher:
    """`level`: the mildest colour that is published; `names`: of categories, in Chinese and
    English; `city`: the area of what lies in none."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        sender: Sender,
        level: WarningColour,
        names: Names,
        city: str,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._sender = sender
        self._colours = COLOURS[: COLOURS.index(level) + 1]
        self._names = names
        self._city = city

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a lost database is tried again."""
        while not stop.is_set():
            try:
                await self.publish()
            except Unavailable as error:
                _log.warning("public warnings wait: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def publish(self) -> int:
        """Publish whatever has changed since the last time; how many messages."""
        now = self._clock().replace(microsecond=0)
        async with reachable(self._engine.begin()) as connection:
            await hold(connection, Lock.WARNINGS)
            held = await _held(connection)
            found = await self._incidents(connection, list(held))
            made = 0
            for incident in found:
                before = held.get(incident.id, [])
                kind = self._kind(incident, before, now)
                if kind is not None:
                    await self._write(connection, incident, kind, before, now)
                    made += 1
        return made

    def _kind(self, incident: Incident, before: Sequence[Any], now: datetime) -> Kind | None:
        """What is to be published of an incident, if anything. `before`: the newest first."""
        last = before[0] if before and before[0].kind != "Cancel" else None
        if not self._warns(incident):
            return "Cancel" if last is not None and last.expires_at > now else None
        if last is None:
            return "Alert"
        changed = last.colour != incident.warning or last.expires_at < now + RENEWED
        return "Update" if changed else None

    def _warns(self, incident: Incident) -> bool:
        ended = incident.state in ("resolved", "closed") or incident.alert_state == "cleared"
        hidden = incident.suppressed is not None or incident.merged_into is not None
        return incident.warning in self._colours and not (ended or hidden or incident.historical)

    async def _incidents(
        self, connection: AsyncConnection, published: Sequence[UUID]
    ) -> list[Incident]:
        """Those that may warn, and those that did."""
        may: ColumnElement[bool] = and_(
            incidents.c.warning.in_(self._colours), incidents.c.state != "closed",
            ~incidents.c.historical,
        )  # fmt: skip
        query = select(incidents).where(or_(may, incidents.c.id.in_(published)))
        rows = await connection.execute(query.order_by(incidents.c.opened_at))
        return [ledger.to_incident(row) for row in rows]

    async def _write(
        self,
        connection: AsyncConnection,
        incident: Incident,
        kind: Kind,
        before: Sequence[Any],
        now: datetime,
    ) -> None:
        colour = before[0].colour if before else self._colours[-1]
        if kind != "Cancel" and incident.warning is not None:
            colour = incident.warning
        replaced = [] if kind == "Alert" else before[:EARLIER_AT_MOST]
        holds = LIFTED if kind == "Cancel" else HOLDS
        unnamed = (incident.title, "City incident")
        warning = PublicWarning(
            identifier=await _identifier(connection, self._sender.code, now),
            kind=kind,
            sent_at=now,
            expires_at=now + holds,
            incident=incident,
            colour=colour,
            event=self._names.get(incident.category or "", unnamed),
            area=await _area(connection, incident.area_id or self._city, self._city),
            earlier=[Earlier(one.identifier, one.sent_at) for one in reversed(replaced)],
        )
        row = {
            "identifier": warning.identifier, "incident_id": incident.id, "kind": kind,
            "colour": colour, "headline": " / ".join(warning.headlines),
            "area": warning.area.name_zh, "sender": self._sender.address, "sent_at": now,
            "expires_at": warning.expires_at, "document": document(warning, self._sender),
        }  # fmt: skip
        await connection.execute(insert(cap_messages).values(row))


async def _held(connection: AsyncConnection) -> dict[UUID, list[Any]]:
    """Messages of every incident whose last one is no Cancel, the newest first."""
    last = newest().subquery()
    open_ = select(last.c.incident_id).where(last.c.kind != "Cancel")
    query = select(cap_messages).where(cap_messages.c.incident_id.in_(open_))
    order = (cap_messages.c.sent_at.desc(), cap_messages.c.identifier.desc())
    found: dict[UUID, list[Any]] = {}
    for row in await connection.execute(query.order_by(*order)):
        found.setdefault(row.incident_id, []).append(row)
    return found


async def _identifier(connection: AsyncConnection, code: str, now: datetime) -> str:
    query = select(func.count()).where(cap_messages.c.sent_at == now)
    number = int((await connection.execute(query)).scalar_one()) + 1
    return identifier(code, now, number)


async def _area(connection: AsyncConnection, area_id: str, city: str) -> Area:
    """A district with its boundary, simplified; one that is not known is the whole city."""
    query = select(areas.c.area_id, areas.c.name_zh, areas.c.name_en, areas.c.polygon)
    wanted = query.where(areas.c.area_id.in_((area_id, city)))
    rows = {row.area_id: row for row in await connection.execute(wanted)}
    row = rows.get(area_id) or rows.get(city)
    if row is None:
        return Area(area_id, area_id, area_id)
    return Area(row.area_id, row.name_zh, row.name_en, _rings(row.polygon))


def _rings(polygon: Mapping[str, Any] | None) -> list[list[tuple[float, float]]]:
    """Outer rings of a GeoJSON geometry, simplified, closed."""
    if not polygon:
        return []
    outline = shape(polygon).simplify(SIMPLIFIED_DEGREES)
    parts = outline.geoms if isinstance(outline, MultiPolygon) else [outline]
    return [
        [(point[0], point[1]) for point in part.exterior.coords]
        for part in parts
        if isinstance(part, Polygon) and len(part.exterior.coords) >= 4
    ]
