"""What people do with incidents, as the audit log keeps it."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.incident import Incident
from shared.store.audit import Action, By, changed, record
from shared.store.tables import alerts_audit

_NOISE = {"updated_at", "alarms", "version"}


async def note(
    connection: AsyncConnection, by: By, event: str, before: Incident, after: Incident, said: str
) -> None:
    """One step of one incident, in its transaction."""
    was, now = changed(_fields(before), _fields(after))
    more = {"note": said} if said else {}
    action = Action(
        event, str(after.id), after.updated_at,
        was | {"version": before.version}, now | {"version": after.version} | more,
    )  # fmt: skip
    await record(connection, alerts_audit, by, action)


async def note_other(
    connection: AsyncConnection, by: By, name: str, subject: object, at: datetime, **after: Any
) -> None:
    """Something that concerns incidents and is no step of one."""
    await record(connection, alerts_audit, by, Action(name, str(subject), at, None, after or None))


def _fields(incident: Incident) -> dict[str, Any]:
    return incident.model_dump(mode="json", exclude=_NOISE)
