"""What can be wrong with a request about views and screens."""

from services.ops_center.screens.repository import InUse
from shared.web.problems import Problem


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
