"""The audit logs of all services, read as one, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Table, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.audit import Verdict, verify
from shared.store.tables import CHAINS

Key = tuple[datetime, str, int]


@dataclass(frozen=True)
class Wanted:
    """Rows that are meant; None: any. `action`, `subject` may end in `*`."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    chain: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Trail:
    """Reads `audit` of every schema."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, wanted: Wanted, after: Key | None, limit: int) -> list[dict[str, Any]]:
        """Newest first, from `after` (moment, chain, number) on."""
        parts = [
            _part(name, table, wanted, after, limit)
            for name, table in CHAINS.items()
            if wanted.chain in (None, name)
        ]
        whole = union_all(*(part.subquery().select() for part in parts)).subquery()
        order = [whole.c[name].desc() for name in ("at", "chain", "seq")]
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(whole).order_by(*order).limit(limit))
            return [_shown(row._mapping) for row in rows]

    async def verified(self, heads: Sequence[str] = ()) -> dict[str, Verdict]:
        """Every chain, read from its start. `heads`: `chain:seq:hash`, noted earlier."""
        noted = dict(head.split(":", 1) for head in heads)
        async with self._engine.connect() as connection:
            return {
                name: await verify(connection, table, noted.get(name))
                for name, table in CHAINS.items()
            }


def _part(name: str, table: Table, wanted: Wanted, after: Key | None, limit: int) -> Select[Any]:
    shown = [column for column in table.c if column.name not in ("previous", "hash")]
    chain = literal(name).label("chain")
    query = select(chain, *shown).where(*_conditions(table, wanted))
    if after is not None:
        query = query.where(tuple_(table.c.at, chain, table.c.seq) < after)
    return query.order_by(table.c.at.desc(), table.c.seq.desc()).limit(limit)


def _conditions(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        found.append(table.c.actor == wanted.actor)
    for column, value in ((table.c.action, wanted.action), (table.c.subject, wanted.subject)):
        if value is not None and value.endswith("*"):
            found.append(column.startswith(value[:-1], autoescape=True))
        elif value is not None:
            found.append(column == value)
    if wanted.since is not None:
        found.append(table.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.at < wanted.until)
    return found


def _shown(row: Any) -> dict[str, Any]:
    fields = dict(row)
    change: dict[str, Any] = msgspec.json.decode(fields.pop("change"))
    return fields | change
