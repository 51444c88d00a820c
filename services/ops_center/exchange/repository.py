"""Exports in the database; ops_center alone writes them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.exchange.order import Dataset, Format
from services.ops_center.exchange.slices import Slice
from services.ops_center.history.question import Selection
from shared.clock import Clock
from shared.store.audit import Action, By, record
from shared.store.tables import export_parts, exports, ops_audit

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Export:
    """A row of `ops.exports`."""

    export_id: UUID
    owner: str
    made_by: str
    dataset: Dataset
    format: Format
    selection: Selection
    start: datetime | None
    end: datetime
    since: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """What a part came out as."""

    rows: int
    size: int
    sha256: bytes


class Exports:
    """The exports of everybody."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def make(self, export: Export, slices: Sequence[Slice], by: By) -> None:
        """With its parts, none of them made yet; what has expired goes."""
        row = asdict(export) | {"selection": asdict(export.selection)}
        parts = [
            {"export_id": export.export_id, "number": number, "kind": one.kind,
             "start": one.span.start, "end": one.span.end}
            for number, one in enumerate(slices, start=1)
        ]  # fmt: skip
        said = {name: row[name] for name in ("dataset", "format", "selection", "start", "end")}
        async with self._engine.begin() as connection:
            await connection.execute(delete(exports).where(exports.c.expires_at <= self._clock()))
            await connection.execute(insert(exports).values(row))
            if parts:
                await connection.execute(insert(export_parts), parts)
            after = said | {"parts": len(parts)}
            action = Action("export.made", str(export.export_id), export.created_at, after=after)
            await record(connection, ops_audit, by, action)

    async def export(self, export_id: UUID) -> Export | None:
        """One that has not expired."""
        query = select(exports).where(exports.c.export_id == export_id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None or row["expires_at"] <= self._clock() else _export(row)

    async def parts(self, export_id: UUID) -> Sequence[RowMapping]:
        """Rows of `ops.export_parts`, in order."""
        query = select(export_parts).where(export_parts.c.export_id == export_id)
        async with self._engine.connect() as connection:
            found = await connection.execute(query.order_by(export_parts.c.number))
            return found.mappings().all()

    async def part(self, export_id: UUID, number: int) -> RowMapping | None:
        """One."""
        query = select(export_parts).where(
            export_parts.c.export_id == export_id, export_parts.c.number == number
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).mappings().first()

    async def note(self, export_id: UUID, number: int, made: Made) -> None:
        """What a part came out as; otherwise than the last time: a new revision."""
        values = {"rows": made.rows, "bytes": made.size, "sha256": made.sha256}
        values |= {"made_at": self._clock(), "revision": export_parts.c.revision + 1}
        query = update(export_parts).where(
            export_parts.c.export_id == export_id, export_parts.c.number == number,
            export_parts.c.sha256.is_distinct_from(made.sha256),
        )  # fmt: skip
        async with self._engine.begin() as connection:
            await connection.execute(query.values(values))

    async def page(
        self, owner: str | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[RowMapping]:
        """Of one owner (None: of all), newest first, with the numbers of their parts."""
        parts = (
            select(func.count().label("parts"), func.count(export_parts.c.sha256).label("made"))
            .where(export_parts.c.export_id == exports.c.export_id)
            .lateral()
        )
        query = select(exports, parts).where(exports.c.expires_at > self._clock())
        key = tuple_(exports.c.created_at, exports.c.export_id)
        if owner is not None:
            query = query.where(exports.c.owner == owner)
        if after is not None:
            query = query.where(key < after)
        query = query.order_by(exports.c.created_at.desc(), exports.c.export_id.desc())
        async with self._engine.connect() as connection:
            return (await connection.execute(query.limit(limit))).mappings().all()


def _export(row: RowMapping) -> Export:
    fields: dict[str, Any] = dict(row)
    lists = {name: tuple(names) for name, names in fields["selection"].items()}
    return Export(**fields | {"selection": Selection(**lists)})
