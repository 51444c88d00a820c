"""People's reports on PostgreSQL: they open an incident or join an open one."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import any_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger, trail
from services.alerts.incidents import report as told
from services.alerts.incidents import steps as made
from services.alerts.incidents.jurisdiction import ANYWHERE, Jurisdiction
from services.alerts.incidents.report import NEAR_METRES, NEAR_TIME, Candidate, Kind, Report, Spot
from services.alerts.incidents.timing import Rota
from services.alerts.incidents.whereabouts import Boundaries, Whereabouts, above
from shared.contracts.incident import AlertState, Incident, IncidentState
from shared.store.tables import incidents, reports, sensors
from shared.web.identity import Identity
from shared.web.rights import demand

PHONE = "reports.phone"  # the data-subject field that a person may be granted
Outcome = Literal["opened", "joined", "known"]
_METRES_PER_DEGREE = 111_000.0
_OPEN = incidents.c.state != IncidentState.CLOSED
_LISTED = [column for column in reports.c if column.name != "phone"]


@dataclass(frozen=True)
class Taken:
    """What became of a report: it opened an incident, joined one, or was known already."""

    outcome: Outcome
    report_id: UUID
    incident: Incident


class Reports:
    """`kinds`: what categories say. `wake`: set whenever something is in the outbox."""

    def __init__(
        self,
        engine: AsyncEngine,
        wake: asyncio.Event,
        rota: Rota,
        kinds: Mapping[str, Kind],
        jurisdiction: Jurisdiction = ANYWHERE,
    ) -> None:
        self._engine = engine
        self._jurisdiction = jurisdiction
        self._wake = wake
        self._rota = rota
        self._boundaries = Boundaries()
        self.kinds = kinds

    async def whereabouts(self, spot: Spot | None, area_id: str | None) -> Whereabouts:
        """Where a report lies; nowhere: outside of the city, or there is no such area."""
        async with reachable(self._engine.connect()) as connection:
            if spot is not None:
                return await self._boundaries.find(connection, spot)
            return await above(connection, area_id) if area_id else Whereabouts()

    async def take(self, report: Report, area_name: str, who: Identity) -> Taken:
        """Into an incident, at once and once: two reports of one thing open one incident. Raises
        `Problem` 403 for people who are no operators there."""
        async with reachable(self._engine.begin()) as connection:
            if who.kind == "person":
                place = await self._jurisdiction.around(
                    connection, report.area_ids, (), report.category
                )
                demand(who, "operator", place)
            await ledger.one_at_a_time(connection)
            known = await _known(connection, report.report_id)
            if known is not None:
                return Taken("known", report.report_id, known)
            home = told.joined(report, await _candidates(connection, report))
            incident = await ledger.find(connection, home) if home else None
            if incident is None:
                taken = await self._open(connection, report, area_name)
            else:
                taken = await _join(connection, report, incident)
            await connection.execute(insert(reports).values(_row(report, taken.incident.id)))
            said = {"category": report.category, "incident_id": taken.incident.id}
            await trail.note_other(
                connection, who.by, "report.taken", report.report_id, report.received_at, **said
            )
        self._wake.set()
        return taken

    async def get(self, report_id: UUID, who: Identity, now: datetime) -> dict[str, Any] | None:
        """One report; with the caller's number, which is audited, for who has been granted it.
        Raises `Problem` 403 for who is no dispatcher there."""
        async with reachable(self._engine.begin()) as connection:
            found = await self._of_dispatcher(connection, report_id, who)
            if found is not None and PHONE in who.subjects:
                await trail.note_other(connection, who.by, "report.number_read", report_id, now)
        return found and _told(found, who)

    async def of(self, incident: UUID, who: Identity) -> list[dict[str, Any]]:
        """The reports of an incident, oldest first, without callers' numbers."""
        query = select(*_LISTED).where(reports.c.incident_id == incident)
        query = query.order_by(reports.c.received_at, reports.c.report_id)
        async with reachable(self._engine.connect()) as connection:
            rows = await connection.execute(query)
            return [_told(dict(row._mapping), who) for row in rows]

    async def forget_phone(self, report_id: UUID, who: Identity, now: datetime) -> bool:
        """Erase the caller's number; False: there is no such report. Raises `Problem` 403."""
        statement = update(reports).where(reports.c.report_id == report_id).values(phone=None)
        async with reachable(self._engine.begin()) as connection:
            if await self._of_dispatcher(connection, report_id, who) is None:
                return False
            await connection.execute(statement)
            await trail.note_other(connection, who.by, "report.number_erased", report_id, now)
        return True

    async def _of_dispatcher(
        self, connection: AsyncConnection, report_id: UUID, who: Identity
    ) -> dict[str, Any] | None:
        query = select(reports).where(reports.c.report_id == report_id)
        row = (await connection.execute(query)).first()
        if row is None:
            return None
        home = await ledger.find(connection, row.incident_id)
        if home is not None:
            await self._jurisdiction.demand(connection, who, "dispatcher", home)
        return dict(row._mapping)

    async def _open(self, connection: AsyncConnection, report: Report, area_name: str) -> Taken:
        incident = told.opened(report, self.kinds[report.category], area_name)
        timing = await self._rota.current(connection)
        incident = timing.opened(incident, None, report.area_ids)
        step = made.event(incident, "incident.opened", report.received_by, told.said(report))
        await ledger.record(connection, step)
        return Taken("opened", report.report_id, incident)


async def _join(connection: AsyncConnection, report: Report, incident: Incident) -> Taken:
    after = told.told_again(incident, report.received_at)
    step = made.event(after, "incident.reported", report.received_by, told.said(report))
    await ledger.record(connection, step)
    return Taken("joined", report.report_id, after)


async def _known(connection: AsyncConnection, report_id: UUID) -> Incident | None:
    query = select(incidents).join(reports).where(reports.c.report_id == report_id)
    row = (await connection.execute(query)).first()
    return None if row is None else ledger.to_incident(row)


async def _candidates(connection: AsyncConnection, report: Report) -> list[Candidate]:
    """Open incidents of the category with a report or a sensor near by: at the time of the report
    or the raising; what is still in alarm is so at any time since."""
    if report.spot is None:
        return []
    here, at = report.spot, report.occurred_at
    told_near = (
        select(reports.c.incident_id, reports.c.lon, reports.c.lat, reports.c.occurred_at)
        .join(incidents, incidents.c.id == reports.c.incident_id)
        .where(
            _OPEN, incidents.c.category == report.category, *_around(reports, here),
            reports.c.occurred_at.between(at - NEAR_TIME, at + NEAR_TIME),
        )
    )  # fmt: skip
    raised_near = (
        select(
            incidents.c.id, sensors.c.lon, sensors.c.lat, incidents.c.observed_at,
            incidents.c.last_at, incidents.c.alert_state,
        )
        .join(sensors, sensors.c.sensor_id == any_(incidents.c.subjects))
        .where(
            _OPEN, incidents.c.category == report.category, ~incidents.c.historical,
            *_around(sensors, here),
        )
    )  # fmt: skip
    found = [
        Candidate(row[0], Spot(row[1], row[2]), row[3])
        for row in await connection.execute(told_near)
    ]
    return found + [_raised(row, report) for row in await connection.execute(raised_near)]


def _raised(row: Any, report: Report) -> Candidate:
    first, last = row.observed_at, row.last_at or row.observed_at
    if row.alert_state == AlertState.ACTIVE:
        last = max(last, report.occurred_at)
    moment = min(max(report.occurred_at, first), last)
    return Candidate(row.id, Spot(row.lon, row.lat), moment)


def _around(table: Any, spot: Spot) -> list[Any]:
    """A box that holds everything within reach."""
    north = NEAR_METRES / _METRES_PER_DEGREE
    east = north / max(0.01, math.cos(math.radians(spot.lat)))
    return [
        table.c.lat.between(spot.lat - north, spot.lat + north),
        table.c.lon.between(spot.lon - east, spot.lon + east),
    ]


def _row(report: Report, incident: UUID) -> dict[str, Any]:
    fields = vars(report) | {"incident_id": incident, "photos": list(report.photos)}
    spot = fields.pop("spot")
    del fields["area_ids"]
    return fields | {"lon": spot and spot.lon, "lat": spot and spot.lat}


def _told(found: dict[str, Any], who: Identity) -> dict[str, Any]:
    """A text may hold numbers too."""
    if PHONE in who.subjects:
        return found
    return found | {"text": told.without_numbers(found["text"])}
