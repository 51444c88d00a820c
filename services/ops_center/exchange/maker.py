"""Makes parts: from the database into a file, whole, with its number of rows and its checksum."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.exchange import tables
from services.ops_center.exchange.columns import Series, Stretch, read, reading
from services.ops_center.exchange.ngsi_form import ngsi_form
from services.ops_center.exchange.repository import Export, Made
from services.ops_center.exchange.shape import COLUMNS, OF_ROWS, Shape, shape_of
from services.ops_center.exchange.slices import windows
from services.ops_center.exchange.spool import discard, sha256_of
from services.ops_center.history import scope
from services.ops_center.history.csv_form import csv_form
from services.ops_center.history.json_forms import ndjson_form
from services.ops_center.history.question import Selection
from services.ops_center.history.span import Span
from services.ops_center.history.table import Row, Table
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.disclosure.disclose import discloses_metric
from shared.store.engine import libpq_url

PAGE_ROWS = 4_096
_OF_SERIES = tuple(column.name for column in COLUMNS["readings"] if column.name not in OF_ROWS)
_METRIC = [column.name for column in COLUMNS["incidents"]].index("metric")


@dataclass(frozen=True, slots=True)
class Order:
    """One part: of which export, which span of it, for whom. `since`: only what was changed from
    then on (sensors, incidents)."""

    export: Export
    start: datetime | None
    end: datetime
    clearance: Clearance
    since: datetime | None = None


class Maker:
    """Reads only."""

    def __init__(self, engine: AsyncEngine, declaration: Declaration) -> None:
        self._engine = engine
        self._declaration = declaration
        self._url = libpq_url(engine.url.render_as_string(hide_password=False))

    async def series(self, selection: Selection, clearance: Clearance) -> list[Series]:
        """All that are selected and may be told of, by sensor and metric."""
        async with self._engine.connect() as connection:
            found = await scope.series_of(
                connection, await self._sensors(connection, selection, clearance), selection
            )
        shape = shape_of(self._declaration, "readings", clearance)
        of_series = [name for name in shape.plan.kept if name not in OF_ROWS]
        kept = [row for row in found if discloses_metric(self._declaration, row.metric, clearance)]
        columns = {name: [getattr(row, name) for row in kept] for name in _OF_SERIES}
        told = replace(shape.plan, kept=tuple(of_series)).batch(columns)
        return sorted(
            (
                Series(row.sensor_id, row.metric, {name: told[name][at] for name in of_series})
                for at, row in enumerate(kept)
            ),
            key=lambda one: (one.sensor_id, one.metric),
        )

    async def make(self, order: Order, draft: Path) -> Made:
        """Write the part. Raises `Unavailable`."""
        try:
            rows = await self._write(order, draft)
            return await asyncio.to_thread(_made, rows, draft)
        except BaseException:
            discard(draft)
            raise

    async def _write(self, order: Order, draft: Path) -> int:
        shape = shape_of(self._declaration, order.export.dataset, order.clearance)
        if order.export.dataset == "readings":
            series = await self.series(order.export.selection, order.clearance)
            start, end = order.clearance.confined(order.start, order.end)
            assert start is not None, "readings have a beginning"
            span = Span(start, max(start, end))
            if order.export.format == "parquet":
                return await asyncio.to_thread(self._parquet, draft, series, span, shape)
            pages = self._reading_pages(series, span, shape)
        else:
            pages = self._pages(order, shape)
        counted = _Counted(pages)
        table = Table({}, shape.columns, counted.pages(), geographic=False)
        with draft.open("wb") as sink:
            async for part in written(table, order.export):
                await asyncio.to_thread(sink.write, part)
        return counted.rows

    def _parquet(self, draft: Path, series: Sequence[Series], span: Span, shape: Shape) -> int:
        from services.ops_center.exchange.parquet_part import write

        with reading(self._url) as connection:
            return write(draft, _stretches(connection, series, span), shape)

    async def _reading_pages(
        self, series: Sequence[Series], span: Span, shape: Shape
    ) -> AsyncGenerator[Sequence[Row], None]:
        rows = self._rows(series, span, shape)
        try:
            while page := await asyncio.to_thread(next, rows, None):
                yield page
        finally:
            rows.close()

    def _rows(
        self, series: Sequence[Series], span: Span, shape: Shape
    ) -> Generator[list[Row], None, None]:
        from services.ops_center.exchange.parquet_part import groups, table_of

        with reading(self._url) as connection:
            for group in groups(_stretches(connection, series, span), PAGE_ROWS):
                yield list(zip(*table_of(group, shape).to_pydict().values(), strict=True))

    async def _pages(self, order: Order, shape: Shape) -> AsyncGenerator[Sequence[Row], None]:
        selection, clearance = order.export.selection, order.clearance
        async with self._engine.connect() as connection:
            if order.export.dataset == "sensors":
                ids = await self._sensors(connection, selection, clearance)
                found = tables.sensors(self._engine, ids, order.since)
            else:
                areas = await _areas(connection, selection, clearance)
                start, end = order.clearance.confined(order.start, order.end)
                found = tables.incidents(self._engine, start, end, order.since, areas)
        async for rows in found:
            yield shape.rows([row for row in rows if self._told(order, row)])

    def _told(self, order: Order, row: Row) -> bool:
        """An incident of a metric that must not be told is not told of."""
        if order.export.dataset == "sensors":
            return True
        metric = row[_METRIC]
        return metric is None or discloses_metric(self._declaration, metric, order.clearance)

    async def _sensors(
        self, connection: AsyncConnection, selection: Selection, clearance: Clearance
    ) -> list[str]:
        own = replace(selection, within=tuple(sorted(clearance.areas)))
        return await scope.sensors_of(connection, own)


def _stretches(
    connection: "psycopg.Connection[Any]", series: Sequence[Series], span: Span
) -> Iterator[Stretch]:
    for window in windows(span):
        yield from read(connection, series, window)


def _made(rows: int, draft: Path) -> Made:
    return Made(rows, draft.stat().st_size, sha256_of(draft))


class _Counted:
    """Pages that count their rows as they pass."""

    def __init__(self, pages: AsyncIterator[Sequence[Row]]) -> None:
        self._pages = pages
        self.rows = 0

    async def pages(self) -> AsyncGenerator[Sequence[Row], None]:
        async for page in self._pages:
            self.rows += len(page)
            yield page


async def _areas(
    connection: AsyncConnection, selection: Selection, clearance: Clearance
) -> set[str] | None:
    lists = [ids for ids in (selection.area_ids, tuple(clearance.areas)) if ids]
    found = [await scope.within(connection, ids) for ids in lists]
    return set.intersection(*found) if found else None


def written(table: Table, export: Export) -> AsyncGenerator[bytes, None]:
    """A part's bytes in its format, as its pages come."""
    match export.format:
        case "csv":
            return csv_form(table)
        case "ndjson":
            return ndjson_form(table)
        case "ngsi-ld":
            return ngsi_form(table, export.dataset)
        case _:
            from services.ops_center.history.parquet_form import parquet_form

            return parquet_form(table)
