"""Takes orders for exports, shows their manifests, hands their parts out."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.exchange.lending import narrowed
from services.ops_center.exchange.maker import Maker, Order
from services.ops_center.exchange.manifest import Manifest, Part, Shown
from services.ops_center.exchange.order import Cursor, ExportIn
from services.ops_center.exchange.planning import planned, since_of
from services.ops_center.exchange.repository import KEPT, Export, Exports
from services.ops_center.exchange.shape import shape_of
from services.ops_center.exchange.spool import Ready, Spool
from services.ops_center.history.stream import Slots
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.web.identity import Identity
from shared.web.problems import Problem

MOST_MADE = 2  # parts at once: each takes a core of the database


class Desk:
    """One per process."""

    def __init__(
        self, engine: AsyncEngine, exports: Exports, declaration: Declaration, spool: Spool
    ) -> None:
        self._engine = engine
        self._exports = exports
        self._declaration = declaration
        self._spool = spool
        self._maker = Maker(engine, declaration)
        self._slots = Slots(MOST_MADE, "parts of exports")

    async def order(self, asked: ExportIn, identity: Identity, clearance: Clearance) -> Manifest:
        """Raises `BadParameter`, `Problem`."""
        asked = narrowed(asked, clearance)
        if not shape_of(self._declaration, asked.dataset, clearance).columns:
            detail = f"Nothing of the dataset '{asked.dataset}' is open to you."
            raise Problem(403, "Forbidden", detail, code="level")
        found = await planned(self._engine, asked)
        export = Export(
            uuid4(), identity.key_id, identity.name, asked.dataset, asked.format, asked.selection,
            found.start, found.end, asked.since, found.seen, found.seen + KEPT,
        )  # fmt: skip
        await self._exports.make(export, found.slices, identity.by)
        return await self.manifest(export, clearance)

    async def manifest(self, export: Export, clearance: Clearance) -> Manifest:
        """As it is now."""
        rows = await self._exports.parts(export.export_id)
        made = all(row["sha256"] is not None for row in rows)
        cursor = Cursor(export.start, export.end, export.created_at)
        return Manifest(
            export_id=export.export_id,
            dataset=export.dataset,
            format=export.format,
            selection={name: list(names) for name, names in asdict(export.selection).items()},
            start=export.start,
            end=export.end,
            as_of=export.created_at,
            created_at=export.created_at,
            expires_at=export.expires_at,
            made_by=export.made_by,
            fields=await self._fields(export, clearance),
            rows=sum(row["rows"] for row in rows) if made else None,
            complete=made,
            parts=[_part(row) for row in rows],
            next=cursor.written(),
        )

    async def part(self, export: Export, number: int, clearance: Clearance) -> Ready:
        """Made now, unless it is still here. Raises `Problem`, `Overloaded`, `Unavailable`."""
        row = await self._exports.part(export.export_id, number)
        if row is None:
            raise Problem(404, "Not found", f"This export has no part {number}.", code="not_found")
        name = f"{export.export_id}.{number}.{_fingerprint(clearance)}"
        kept = self._spool.found(name)
        if kept is not None:
            return kept
        give = self._slots.take()
        try:
            order = Order(export, row["start"], row["end"], clearance, since_of(export.since))
            draft = self._spool.draft()
            made = await self._maker.make(order, draft)
        finally:
            give()
        await self._exports.note(export.export_id, number, made)
        return self._spool.keep(draft, name, made.sha256, made.rows)

    async def _fields(self, export: Export, clearance: Clearance) -> Sequence[Shown]:
        shape = shape_of(self._declaration, export.dataset, clearance)
        units = {column.name: column.unit for column in shape.columns}
        if export.dataset == "readings":
            series = await self._maker.series(export.selection, clearance)
            found = {one.told.get("unit") for one in series}
            units["value"] = found.pop() if len(found) == 1 else None
        return [Shown(name=c.name, type=c.kind, unit=units[c.name]) for c in shape.columns]


def _part(row: RowMapping) -> Part:
    return Part(
        number=row["number"],
        kind=row["kind"],
        start=row["start"],
        end=row["end"],
        url=f"/v1/exports/{row['export_id']}/parts/{row['number']}",
        rows=row["rows"],
        bytes=row["bytes"],
        sha256=None if row["sha256"] is None else bytes(row["sha256"]).hex(),
        made_at=row["made_at"],
        revision=row["revision"],
    )


def _fingerprint(clearance: Clearance) -> str:
    """What is told to one clearance is never handed out to another."""
    sets = (clearance.subjects, clearance.fields, clearance.areas, clearance.metrics)
    told: list[Any] = [int(clearance.level), clearance.since, clearance.until]
    told += [None if one is None else sorted(one) for one in sets]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]
