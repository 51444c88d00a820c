"""The quarantine in the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.quarantine.aside import SetAside, readable
from services.ingest.quarantine.selection import Count, Selection, conditions
from shared.contracts.topics import READINGS
from shared.store.tables import quarantine, quarantine_changes, quarantine_dropped

ROWS_AT_ONCE = 1_000


class Quarantine:
    """What was set aside, kept until somebody mends it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def set_aside(self, rows: Sequence[SetAside], incarnation: str) -> None:
        """Into quarantine; what lies there already is left alone."""
        if not rows:
            return
        values = [_quarantined(row, incarnation) for row in rows]
        async with self._engine.begin() as connection:
            for start in range(0, len(values), ROWS_AT_ONCE):
                some = values[start : start + ROWS_AT_ONCE]
                await connection.execute(insert(quarantine).on_conflict_do_nothing(), some)

    async def page(
        self, selection: Selection, before: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first."""
        query = select(quarantine).where(*conditions(selection))
        if before is not None:
            query = query.where(quarantine.c.id < before)
        query = query.order_by(quarantine.c.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def one(self, number: int) -> dict[str, Any] | None:
        """One item with its `changes`, oldest first."""
        changes = select(quarantine_changes).where(quarantine_changes.c.quarantine_id == number)
        async with self._engine.connect() as connection:
            found = await connection.execute(select(quarantine).where(quarantine.c.id == number))
            row = found.mappings().first()
            if row is None:
                return None
            made = await connection.execute(changes.order_by(quarantine_changes.c.id))
            return dict(row) | {"changes": [dict(change) for change in made.mappings()]}

    async def counts(self) -> list[Count]:
        """How many lie there, by source, reason and state."""
        by = (quarantine.c.source, quarantine.c.code, quarantine.c.state)
        return await self._count(select(*by, func.count()).group_by(*by).order_by(*by))

    async def dropped(self) -> list[Count]:
        """How many the bound has cost, ever, by source, reason and state."""
        by = (
            quarantine_dropped.c.source,
            quarantine_dropped.c.code,
            quarantine_dropped.c.state,
        )
        return await self._count(select(*by, quarantine_dropped.c.dropped).order_by(*by))

    async def _count(self, query: Select[Any]) -> list[Count]:
        async with self._engine.connect() as connection:
            return [Count(*row) for row in await connection.execute(query)]

    async def quarantined_at(
        self, incarnation: str, places: Sequence[tuple[int, int]]
    ) -> list[tuple[int, str]]:
        """(index, code) of what was set aside of the records at (partition, offset) `places`."""
        query = (
            select(quarantine.c.index, quarantine.c.code)
            .where(
                quarantine.c.incarnation == incarnation,
                quarantine.c.topic == READINGS,
                tuple_(quarantine.c.partition, quarantine.c.offset).in_(places),
            )
            .order_by(quarantine.c.index)
        )
        async with self._engine.connect() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]


def _quarantined(row: SetAside, incarnation: str) -> dict[str, Any]:
    return {
        "topic": row.topic,
        "partition": row.partition,
        "offset": row.offset,
        "index": row.index,
        "incarnation": incarnation,
        "source": row.source,
        "code": row.code.value,
        "detail": readable(row.detail),
        "item": row.item,
        "format": row.format,
        "reading": row.reading,
    }
