"""Cursors of lists ordered by (moment, id), newest first. Pure."""

from datetime import datetime
from uuid import UUID

from shared.web.cursors import from_cursor, to_cursor, wrong_cursor


def encode(moment: datetime, identifier: UUID) -> str:
    """Where a page ended."""
    return to_cursor(f"{moment.isoformat()}|{identifier}")


def decode(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The inverse of `encode`; 422 for anything else."""
    key = from_cursor(cursor)
    if key is None:
        return None
    try:
        moment, identifier = key.split("|")
        return datetime.fromisoformat(moment), UUID(identifier)
    except ValueError:
        raise wrong_cursor() from None
