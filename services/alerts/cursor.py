"""Opaque cursors of lists ordered by (moment, id), newest first. Pure."""

import base64
from datetime import datetime
from uuid import UUID

from shared.web.problems import Problem


def encode(moment: datetime, identifier: UUID) -> str:
    """Where a page ended."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{identifier}".encode()).decode()


def decode(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The inverse of `encode`; 422 for anything else."""
    if cursor is None:
        return None
    try:
        moment, identifier = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        return datetime.fromisoformat(moment), UUID(identifier)
    except ValueError:
        raise Problem(422, "Invalid request", "cursor: not one of ours", code="cursor") from None
