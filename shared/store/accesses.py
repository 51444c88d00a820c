"""Writes who was told what, into a service's own schema; and reads it of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, literal_column, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.disclosure.level import Level
from shared.store.audit import Action, By, record
from shared.store.tables import ACCESSES, CHAINS

KEPT = timedelta(days=400)
_KEY = ("hour", "key_id", "dataset", "level")


@dataclass(frozen=True, slots=True)
class Counted:
    """What somebody was told of a dataset in an hour, up to a level."""

    hour: datetime
    key_id: str
    dataset: str
    level: Level
    by: By
    requests: int
    rows: int


async def write(engine: AsyncEngine, schema: str, counted: Sequence[Counted]) -> None:
    """Adds up; what is the first of its hour is recorded in the audit log, in one transaction."""
    async with engine.begin() as connection:
        first = [one for one in counted if await _add(connection, schema, one)]
        for one in first:
            if one.level > Level.PUBLIC:
                after = {"level": one.level.code, "hour": one.hour.isoformat()}
                action = Action("data.accessed", one.dataset, after=after)
                await record(connection, CHAINS[schema], one.by, action)


async def _add(connection: AsyncConnection, schema: str, one: Counted) -> bool:
    """Whether it is the first of its hour; then what is older than `KEPT` is forgotten."""
    table = ACCESSES[schema]
    values = {
        "hour": one.hour, "key_id": one.key_id, "dataset": one.dataset, "level": int(one.level),
        "actor": one.by.actor, "kind": one.by.kind, "requests": one.requests, "rows": one.rows,
    }  # fmt: skip
    statement = insert(table).values(values)
    added = {name: table.c[name] + statement.excluded[name] for name in ("requests", "rows")}
    statement = statement.on_conflict_do_update(index_elements=_KEY, set_=added)
    first = bool(await connection.scalar(statement.returning(literal_column("xmax = 0"))))
    if first:
        old = (table.c.key_id == one.key_id) & (table.c.hour < one.hour - KEPT)
        await connection.execute(delete(table).where(old))
    return first


async def usage(connection: AsyncConnection, key_id: str, since: datetime) -> list[dict[str, Any]]:
    """What a key was told, by hour and dataset, from `since` on: requests and rows."""
    parts = [
        select(table.c.hour, table.c.dataset, table.c.requests, table.c.rows).where(
            table.c.key_id == key_id, table.c.hour >= since
        )
        for table in ACCESSES.values()
    ]
    whole = union_all(*parts).subquery()
    names = (whole.c.hour, whole.c.dataset)
    sums = (func.sum(whole.c.requests).label("requests"), func.sum(whole.c.rows).label("rows"))
    query = select(*names, *sums).group_by(*names).order_by(*names)
    rows = (await connection.execute(query)).all()
    return [
        {"hour": r.hour, "dataset": r.dataset, "requests": int(r.requests), "rows": int(r.rows)}
        for r in rows
    ]
