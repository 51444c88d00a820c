"""Which of the messages of neighbouring cities hold: a question about all of them, so that it does
not matter in which order they came."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, tuple_

from shared.store.tables import neighbour_warnings


def holds(now: datetime) -> ColumnElement[bool]:
    """A row of `neighbour_warnings` is in force: it warns, has not expired, and no message of the
    same city replaces it: neither one that names it, nor a later one that replaces the same."""
    mine, later = neighbour_warnings, neighbour_warnings.alias()
    name = mine.c.sender + "," + mine.c.identifier
    is_later = tuple_(later.c.sent_at, later.c.identifier) > tuple_(
        mine.c.sent_at, mine.c.identifier
    )
    replaced = or_(
        name == later.c.replaces.any_(), and_(later.c.replaces.overlap(mine.c.replaces), is_later)
    )
    return and_(
        mine.c.kind != "Cancel",
        mine.c.expires_at > now,
        ~exists().where(later.c.adcode == mine.c.adcode, replaced),
    )
