"""Incidents over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.alerts import cursor
from services.alerts.incidents.lifecycle import STEPS, Command, Refusal, step
from services.alerts.incidents.repository import Desk
from shared.clock import Clock
from shared.contracts.incident import Incident, IncidentState
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Operator = Annotated[Identity, Depends(require_role("operator"))]
PRINTABLE = r"^[^\x00]*$"  # PostgreSQL's text has no place for NUL


class CommandBody(BaseModel):
    """What a command takes. The actor is the identity behind the request, never a field.

    `version`: of the incident the person was looking at; a newer one answers 409.
    """

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=4_000, pattern=PRINTABLE)] = ""
    department: Annotated[str | None, Field(max_length=200, pattern=PRINTABLE)] = None
    version: Annotated[int | None, Field(ge=1)] = None


class IncidentPage(BaseModel):
    """A page of incidents, newest first."""

    items: list[Incident]
    next: str | None


def incidents_router(repository: Desk, clock: Clock) -> APIRouter:
    """`/v1/incidents…`."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"])

    @router.get("")
    async def list_incidents(
        _: Viewer,
        state: IncidentState | None = None,
        area_id: Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)] = None,
        priority: Annotated[int | None, Query(ge=1, le=4)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor_: Annotated[str | None, Query(alias="cursor")] = None,
    ) -> IncidentPage:
        """Incidents, newest first."""
        items = await repository.page(
            state=state,
            area_id=area_id,
            priority=priority,
            after=cursor.decode(cursor_),
            limit=limit,
        )
        last = items[-1] if len(items) == limit else None
        following = cursor.encode(last.opened_at, last.id) if last else None
        return IncidentPage(items=items, next=following)

    @router.get("/{incident_id}")
    async def get_incident(_: Viewer, incident_id: UUID) -> dict[str, Any]:
        """One incident with its timeline, oldest step first."""
        found = await repository.get(incident_id)
        if found is None:
            raise _unknown(incident_id)
        incident, steps = found
        return incident.model_dump(mode="json") | {"timeline": steps}

    @router.post("/{incident_id}/{command}")
    async def command_incident(
        who: Operator, incident_id: UUID, command: Command, body: CommandBody | None = None
    ) -> Incident:
        """Take a step of the closed loop; answers the incident after it."""
        asked = body or CommandBody()
        outcome = await repository.command(
            incident_id,
            lambda incident: step(
                incident,
                command,
                clock(),
                note=asked.note,
                department=asked.department,
                version=asked.version,
            ),
            who.name,
            STEPS[command].event,
            asked.note,
        )
        if outcome is None:
            raise _unknown(incident_id)
        if isinstance(outcome, Refusal):
            await _refuse(repository, incident_id, outcome)
        accepted: Incident = outcome
        return accepted

    return router


async def _refuse(repository: Desk, incident_id: UUID, refusal: Refusal) -> None:
    """422 when the command lacks something, 409 with the current incident otherwise."""
    if refusal.code in ("note_needed", "department_needed"):
        pointer = "/" + refusal.code.removesuffix("_needed")
        raise Problem(422, "Invalid request", refusal.detail, code=refusal.code, pointer=pointer)
    found = await repository.get(incident_id)
    current = found[0].model_dump(mode="json") if found else None
    raise Problem(409, "Conflict", refusal.detail, code=refusal.code, incident=current)


def _unknown(incident_id: UUID) -> Problem:
    return Problem(404, "Not found", f"there is no incident {incident_id}", code="not_found")
