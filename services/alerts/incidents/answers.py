"""What commands on incidents answer when they are not carried out."""

from typing import Any
from uuid import UUID

from services.alerts.incidents.lifecycle import Refusal
from shared.web.problems import Problem

PRINTABLE = r"^[^\x00]*$"  # PostgreSQL's text has no place for NUL


def conflict(refusal: Refusal, current: dict[str, Any] | None = None) -> Problem:
    """422 when the command lacks something, or never makes sense; 409, with the incident as it
    is, when it is not possible now."""
    if refusal.code == "unfit":
        return Problem(422, "Invalid request", refusal.detail, code=refusal.code)
    if refusal.code.endswith("_needed"):
        pointer = "/" + refusal.code.removesuffix("_needed")
        return Problem(422, "Invalid request", refusal.detail, code=refusal.code, pointer=pointer)
    extra = {} if current is None else {"incident": current}
    return Problem(409, "Conflict", refusal.detail, code=refusal.code, **extra)


def unknown_incident(incident_id: UUID) -> Problem:
    """404."""
    return Problem(404, "Not found", f"there is no incident {incident_id}", code="not_found")
