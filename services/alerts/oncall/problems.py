"""Refusals of on-call entries over HTTP."""

from shared.web.problems import Problem


def missing(kind: str, entry_id: object) -> Problem:
    """404."""
    return Problem(404, "Not found", f"there is no {kind} {entry_id}", code="not_found")


def invalid(pointer: str, detail: str) -> Problem:
    """422."""
    return Problem(
        422, "Invalid request", f"{pointer}: {detail}", code="invalid_request", pointer=pointer
    )


def in_use(detail: str) -> Problem:
    """409: something else names it."""
    return Problem(409, "Not possible now", detail, code="conflict")
