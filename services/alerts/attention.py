"""Marks incidents that somebody may have to be told of, in the transaction of their step."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store.tables import escalations


async def want(connection: AsyncConnection, incidents: Collection[UUID], at: datetime) -> None:
    """Look at these incidents, whether people were told of them before or not."""
    if not incidents:
        return
    rows = [{"incident_id": one, "next_at": at} for one in sorted(set(incidents))]
    statement = upsert(escalations)
    earliest = func.least(escalations.c.next_at, statement.excluded.next_at)  # NULL is ignored
    statement = statement.on_conflict_do_update(
        index_elements=[escalations.c.incident_id], set_={"next_at": earliest}
    )
    await connection.execute(statement, rows)


async def remind(connection: AsyncConnection, incidents: Collection[UUID], at: datetime) -> None:
    """Look again at those of these that people were told of."""
    if not incidents:
        return
    mine = escalations.c.incident_id.in_(sorted(set(incidents)))
    earliest = func.least(escalations.c.next_at, at)
    await connection.execute(update(escalations).where(mine).values(next_at=earliest))
