"""Answers the questions about the past from the database, read only."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.history import exports, moments, scope, statements
from services.ops_center.history.density import UNKNOWN, Density, density
from services.ops_center.history.lanes import LANES, Lanes
from services.ops_center.history.question import (
    AreasQuestion,
    ExportQuestion,
    MomentQuestion,
    Selection,
    SeriesQuestion,
)
from services.ops_center.history.sources import RAW, Segment, aligned, finest_kept, plan
from services.ops_center.history.span import Span, bucket_seconds
from services.ops_center.history.table import Column, Row, Table
from services.ops_center.view import rfc3339
from shared.errors import Overloaded

STATEMENT_SECONDS = 15
SILENT_AFTER = timedelta(hours=24)  # or three of the longest interval of all metrics
_EVER = datetime(1, 1, 2, tzinfo=UTC)
_LEAST = timedelta(microseconds=1)

_CANCELLED = "57014"
_LIMITS = text(
    "SELECT set_config('statement_timeout', :milliseconds, true), set_config('jit', 'off', true)"
)
_SOURCES = text(
    """
    SELECT width_seconds, rolled_to, false FROM ingest.rollup_state
    UNION ALL
    SELECT width_seconds, floor, true FROM ingest.retention_floors WHERE metric = :metric
    """
)


class Archive:
    """The stored readings. Every method raises `BadParameter` for names that there are not, and
    `Overloaded` when a statement takes longer than `STATEMENT_SECONDS`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lanes = Lanes()

    async def series(self, asked: SeriesQuestion) -> Table:
        """At most `points` items, in order of time: single readings if they are few enough."""
        async with self._reading() as connection:
            await scope.refuse_unknown(connection, _names(asked.metric, asked.sensor_id))
            await scope.refuse_outside(connection, asked.sensor_id, asked.within)
            unit = await scope.unit(connection, asked.metric)
            place = await scope.place(connection, asked.sensor_id)
            seconds, rows = await _series_rows(connection, asked)
        names = {"sensor_id": asked.sensor_id, "metric": asked.metric}
        return Table(
            names | {"unit": unit, "resolution_seconds": seconds},
            _series_columns(unit),
            _one_page(rows),
            constants=names,
            place=place,
        )

    async def areas(self, asked: AreasQuestion) -> Table:
        """At most `points` items per area, by area and time. A reading counts for the area in
        which its sensor is today."""
        async with self._reading() as connection:
            named = Selection(metrics=(asked.metric,), area_ids=asked.area_ids)
            await scope.refuse_unknown(connection, named)
            unit = await scope.unit(connection, asked.metric)
            members = await scope.members(connection, asked.metric, asked.level, asked.area_ids)
            known = await _known(connection, asked, members.sensor_ids)
        seconds, found = await self._area_rows(asked, members, known)
        meta: dict[str, Any] = {"metric": asked.metric, "unit": unit, "group_by": asked.level}
        meta |= {"resolution_seconds": seconds, "areas": [dict(area) for area in members.areas]}
        return Table(
            meta,
            _area_columns(unit),
            _one_page(found),
            constants={"metric": asked.metric},
            geographic=False,
        )

    async def moment(self, asked: MomentQuestion) -> Table:
        """The last reading of every selected series at or before `at`."""
        async with self._reading() as connection:
            await scope.refuse_unknown(connection, asked.selection)
            sensor_ids = await scope.sensors_of(connection, asked.selection)
            interval = await scope.longest_interval(connection)
        silent = max(SILENT_AFTER, timedelta(seconds=3 * interval))
        oldest = max(asked.at - silent, (asked.since or _EVER) - _LEAST)
        values = {"at": asked.at, "oldest": oldest, **scope.kinds(asked.selection)}
        return Table(
            {"at": rfc3339(asked.at), "silent_after_seconds": int(silent.total_seconds())},
            moments.COLUMNS,
            moments.moments(self._reading, self._lanes, sensor_ids, values),
        )

    async def export(self, asked: ExportQuestion) -> Table:
        """Every reading, by sensor, metric and time."""
        async with self._reading() as connection:
            await scope.refuse_unknown(connection, asked.selection)
            sensor_ids = await scope.sensors_of(connection, asked.selection)
        span = {"from": rfc3339(asked.span.start), "to": rfc3339(asked.span.end)}
        pages = exports.exported(self._reading, asked, sensor_ids)
        return Table(span | {"resolution_seconds": 0}, exports.COLUMNS, pages)

    async def _area_rows(
        self, asked: AreasQuestion, members: scope.Members, known: "_Known"
    ) -> tuple[int, list[Row]]:
        """(width of the buckets, rows)."""
        seconds, segments = _planned(asked, known)
        query = text(statements.area_buckets(segments))
        values = {"metric": asked.metric, **statements.times(segments, seconds)}

        async def some_areas(part: scope.Members) -> list[Row]:
            own = {"sensor_ids": part.sensor_ids, "areas": part.places}
            async with self._reading() as connection:
                rows = (await connection.execute(query, values | own)).all()
            return [_area_row(row, part) for row in rows]

        async with aclosing(self._lanes.in_order(some_areas, members.parts(LANES))) as parts:
            return seconds, [row async for rows in parts for row in rows]

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                await connection.execute(_LIMITS, {"milliseconds": str(STATEMENT_SECONDS * 1000)})
                yield connection
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _CANCELLED:
                raise Overloaded("this takes too long now: ask for less, or later") from error
            raise


async def _series_rows(
    connection: AsyncConnection, asked: SeriesQuestion
) -> tuple[int, Sequence[Row]]:
    """(width of the buckets, rows)."""
    names = {"sensor_id": asked.sensor_id, "metric": asked.metric}
    known = await _known(connection, asked, [asked.sensor_id])
    if known.kept == RAW and known.density.readings <= asked.points:
        values = names | {"start": asked.span.start, "end": asked.span.end}
        query = text(statements.RAW_READINGS)
        rows = await connection.execute(query, values | {"limit": asked.points + 1})
        readings = rows.all()
        if len(readings) <= asked.points:
            return RAW, readings
    seconds, segments = _planned(asked, known)
    query = text(statements.series_buckets(segments))
    rows = await connection.execute(query, names | statements.times(segments, seconds))
    return seconds, rows.all()


@dataclass(frozen=True, slots=True)
class _Known:
    """Of a metric in a span: `kept`, the finest source that has it; `rolled_to`, by width, up to
    where rollups are made."""

    kept: int
    rolled_to: Mapping[int, datetime]
    density: Density


async def _known(
    connection: AsyncConnection, asked: SeriesQuestion | AreasQuestion, sensor_ids: Sequence[str]
) -> _Known:
    # Read before the rollups: what is rolled up meanwhile is still taken from the raw rows.
    rows = (await connection.execute(_SOURCES, {"metric": asked.metric})).all()
    rolled_to = {width: moment for width, moment, floor in rows if not floor}
    floors = {width: moment for width, moment, floor in rows if floor}
    kept = finest_kept(floors, asked.span.start)
    if kept != RAW:
        return _Known(kept, rolled_to, UNKNOWN)
    found = await density(connection, asked.metric, sensor_ids, asked.span, rolled_to)
    return _Known(kept, rolled_to, found)


def _planned(asked: SeriesQuestion | AreasQuestion, known: _Known) -> tuple[int, Sequence[Segment]]:
    """(width of the buckets, their parts from the quickest sources that give the same answer as
    the raw rows)."""
    span = _widened(asked.span, known.kept, exact=asked.exact)
    seconds = bucket_seconds(span, asked.points, known.kept)
    return seconds, plan(span, seconds, known.rolled_to, known.density.per_second)


async def _one_page(rows: Sequence[Row]) -> AsyncGenerator[Sequence[Row], None]:
    yield rows


def _widened(span: Span, kept: int, *, exact: bool) -> Span:
    """Where raw rows are gone, a bucket that `from` cuts cannot be cut: it is taken whole, or
    (`exact`) left out."""
    return span if kept == RAW else Span(aligned(span.start, kept, up=exact), span.end)


def _names(metric: str, sensor_id: str) -> Selection:
    return Selection(sensor_ids=(sensor_id,), metrics=(metric,))


def _series_columns(unit: str) -> list[Column]:
    return [
        Column("at", "moment"),
        Column("mean", "number", unit),
        Column("min", "number", unit),
        Column("max", "number", unit),
        Column("count", "count"),
        Column("last", "number", unit),
        Column("bad", "count"),
    ]


def _area_columns(unit: str) -> list[Column]:
    return [
        Column("area_id", "text"),
        Column("at", "moment"),
        Column("mean", "number", unit),
        Column("min", "number", unit),
        Column("max", "number", unit),
        Column("max_sensor_id", "text"),
        Column("count", "count"),
        Column("bad", "count"),
        Column("sensors", "count"),
    ]


def _area_row(row: Row, members: scope.Members) -> Row:
    area = members.areas[row[0]]["area_id"]
    return (area, *row[1:5], members.sensor_ids[row[5] - 1], *row[6:])
