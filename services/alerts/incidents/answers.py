"""What commands on incidents answer when they are not carried out."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from services.alerts.incidents.lifecycle import Refusal
from shared.contracts.incident import Incident
from shared.web.problems import Problem

PRINTABLE = r"^[^\x00]*$"  # PostgreSQL's text has no place for NUL

Find = Callable[[UUID], Awaitable[tuple[Incident, Any] | None]]  # an incident with its timeline


async def conflict(refusal: Refusal, incident_id: UUID, find: Find) -> Problem:
    """422 when the command lacks something, or never makes sense; 409, with the incident as it
    is, when it is not possible now: whoever was second sees it."""
    if refusal.code == "unfit":
        return Problem(422, "Invalid request", refusal.detail, code=refusal.code)
    if refusal.code.endswith("_needed"):
        pointer = "/" + refusal.code.removesuffix("_needed")
        return Problem(422, "Invalid request", refusal.detail, code=refusal.code, pointer=pointer)
    found = await find(incident_id)
    extra = {} if found is None else {"incident": found[0].model_dump(mode="json")}
    return Problem(409, "Conflict", refusal.detail, code=refusal.code, **extra)


def unknown_incident(incident_id: UUID) -> Problem:
    """404."""
    return Problem(404, "Not found", f"there is no incident {incident_id}", code="not_found")
