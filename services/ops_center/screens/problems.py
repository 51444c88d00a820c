"""What can be wrong with a request about views and screens."""

from collections.abc import Sequence
from typing import Any

from services.ops_center.screens.repository import InUse
from shared.web.problems import Problem, documented


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the documentation of a route."""
    said = {401: "Nobody is logged in", 403: "Not an administrator", 404: "No such one",
            409: "In use, revoked, or the name is taken", 422: "A field is wrong"}  # fmt: skip
    return documented({status: said[status] for status in statuses})


def invalid(found: Sequence[tuple[str, str]], code: str = "unknown") -> Problem:
    """422 with every (JSON pointer, detail)."""
    detail = f"{found[0][0]}: {found[0][1]}"
    listed = [{"pointer": pointer, "detail": text, "code": code} for pointer, text in found]
    return Problem(422, "Invalid request", detail, code="invalid_request", errors=listed)


def not_found(what: str) -> Problem:
    """404."""
    return Problem(404, "Not found", f"There is no {what} of this id.", code="not_found")


def name_taken() -> Problem:
    """409."""
    return Problem(409, "Name taken", "Another view has this name.", code="name_taken")


def in_use(error: InUse) -> Problem:
    """409: who shows the view."""
    return Problem(409, "In use", f"Shown by {error}.", code="in_use", shown_by=error.names)


def revoked() -> Problem:
    """409."""
    return Problem(409, "Revoked", "This screen is revoked: make a new one.", code="revoked")
