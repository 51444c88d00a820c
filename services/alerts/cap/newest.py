"""What is said last of each incident: its newest public warning."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from shared.store.tables import cap_messages


def newest(*among: ColumnElement[bool]) -> Select[Any]:
    """The newest message of each incident, of those that fulfil `among`."""
    query = select(cap_messages).where(*among).distinct(cap_messages.c.incident_id)
    return query.order_by(
        cap_messages.c.incident_id,
        cap_messages.c.sent_at.desc(),
        cap_messages.c.identifier.desc(),
    )
