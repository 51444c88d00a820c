"""Incidents over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.alerts import cursor
from services.alerts.incidents.answers import PRINTABLE, conflict, unknown_incident
from services.alerts.incidents.lifecycle import SCALES, STEPS, Command, Refusal, Wanted, step
from services.alerts.incidents.listing import Filter
from services.alerts.incidents.repository import Desk
from shared.clock import Clock
from shared.contracts.incident import Incident, IncidentKind, IncidentState, WarningColour
from shared.web.auth import identify_request, require_role
from shared.web.clearances import clearance_of
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
_EVER = datetime(1, 1, 2, tzinfo=UTC)
Level = Annotated[int, Field(ge=1, le=4)]


class CommandBody(BaseModel):
    """What a command takes. The actor is the identity behind the request, never a field.

    `version`: of the incident the person was looking at; a newer one answers 409. `department`:
    for dispatch, transfer and assign; `area_id`: for assign; `grade`, `priority`, `warning` (null:
    none any more): for regrade.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"note": "带水泵", "department": "排水管理处", "version": 2},
                {"note": "水位还在上涨", "grade": 2, "warning": "orange"},
            ]
        },
    )

    note: Annotated[str, Field(max_length=4_000, pattern=PRINTABLE)] = ""
    department: Annotated[str | None, Field(max_length=200, pattern=PRINTABLE)] = None
    version: Annotated[int | None, Field(ge=1)] = None
    area_id: Annotated[str | None, Field(max_length=64, pattern=PRINTABLE)] = None
    grade: Level | None = None
    priority: Level | None = None
    warning: WarningColour | None = None

    def wanted(self) -> Wanted:
        """What the command comes with. A warning that is given as null is taken away."""
        scales = {
            scale: getattr(self, scale)
            for scale in SCALES
            if scale in self.model_fields_set
            and (scale == "warning" or getattr(self, scale) is not None)
        }
        return Wanted(self.note, self.department, self.area_id, self.version, scales)


class ListQuery(BaseModel):
    """`area_id`: with everything below it; `top`: only what stands in the operator's list;
    `overdue`: the current step or the case is late; `q`: in the title, or a sensor's id."""

    model_config = ConfigDict(extra="forbid")

    state: list[IncidentState] = []
    priority: list[Level] = []
    grade: list[Level] = []
    kind: list[IncidentKind] = []
    area_id: Annotated[str | None, Field(max_length=64, pattern=PRINTABLE)] = None
    department: Annotated[str | None, Field(max_length=200, pattern=PRINTABLE)] = None
    category: Annotated[str | None, Field(max_length=64, pattern=PRINTABLE)] = None
    overdue: bool | None = None
    top: bool | None = None
    q: Annotated[str | None, Field(max_length=200, pattern=PRINTABLE)] = None
    opened_from: AwareDatetime | None = None
    opened_to: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: str | None = None

    def filter(self, now: datetime) -> Filter:
        """As the repository wants it."""
        return Filter(
            now, self.state, self.priority, self.grade, self.kind, self.area_id, self.department,
            self.category, self.overdue, self.top, self.q, self.opened_from, self.opened_to,
        )  # fmt: skip


class IncidentPage(BaseModel):
    """A page of incidents, newest first."""

    items: list[Incident]
    next: str | None


async def commander(
    identity: Annotated[Identity, Depends(identify_request)], command: Command
) -> Identity:
    """Who has the role that the command needs somewhere, or a department that may give it; where,
    and whether it has the case, is judged with the incident."""
    rule = STEPS[command]
    return await require_role(rule.role, somewhere=True, handling=rule.handling)(identity)


Commander = Annotated[Identity, Depends(commander)]


def incidents_router(repository: Desk, clock: Clock) -> APIRouter:
    """`/v1/incidents…`."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"])

    @router.get("", summary="List incidents")
    async def list_incidents(
        who: Viewer,
        request: Request,
        query: Annotated[ListQuery, Query()],
    ) -> IncidentPage:
        """Newest first. The filters narrow together; several values of one widen it."""
        clearance = clearance_of(request.app.state.disclosure, who)
        wanted = replace(query.filter(clock()), lent=clearance.areas)
        if clearance.since is not None or clearance.until is not None:
            since, until = clearance.since or _EVER, clearance.until or clock()
            wanted = replace(
                wanted,
                opened_from=max(wanted.opened_from or since, since),
                opened_to=min(wanted.opened_to or until, until),
            )
        items = await repository.page(wanted, cursor.decode(query.cursor), query.limit)
        last = items[-1] if len(items) == query.limit else None
        following = cursor.encode(last.opened_at, last.id) if last else None
        return IncidentPage(items=items, next=following)

    @router.get("/{incident_id}", summary="One incident")
    async def get_incident(_: Viewer, incident_id: UUID) -> dict[str, Any]:
        """One incident with its timeline, oldest step first."""
        found = await repository.get(incident_id)
        if found is None:
            raise unknown_incident(incident_id)
        incident, steps = found
        return incident.model_dump(mode="json") | {"timeline": steps}

    @router.post("/{incident_id}/{command}", summary="Take a step of the closed loop")
    async def command_incident(
        who: Commander, incident_id: UUID, command: Command, body: CommandBody | None = None
    ) -> Incident:
        """Take a step of the closed loop; answers the incident after it. Operators acknowledge,
        start, resolve and comment; everything else is for dispatchers: in the area and domain of
        the incident (403 `elsewhere`). The people of the department that it was dispatched to
        start, resolve and comment too."""
        asked = body or CommandBody()
        if asked.area_id is not None and not await repository.knows_area(asked.area_id):
            raise _unknown_area(asked.area_id)
        outcome = await repository.command(
            incident_id,
            lambda incident: step(incident, command, clock(), asked.wanted()),
            who,
            STEPS[command],
            asked.note,
        )
        if outcome is None:
            raise unknown_incident(incident_id)
        if isinstance(outcome, Refusal):
            raise await conflict(outcome, incident_id, repository.get)
        accepted: Incident = outcome
        return accepted

    return router


def _unknown_area(area_id: str) -> Problem:
    detail = f"/area_id: there is no area {area_id}"
    return Problem(422, "Invalid request", detail, code="unknown_area", pointer="/area_id")
