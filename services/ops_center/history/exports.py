"""Raw readings of many series, page by page.

Every page is a query of its own that goes on after the last row of the one before: while a slow
client takes its time, it holds neither a connection nor a snapshot of the database.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ops_center.history import scope, statements
from services.ops_center.history.question import ExportQuestion
from services.ops_center.history.table import QUALITIES, Column, Row

SENSORS = 200  # whose series are looked up at once
SERIES = 16  # of which the first rows are fetched at once
ROWS = 2_000  # of one series at once

COLUMNS = (
    Column("sensor_id", "text"),
    Column("metric", "text"),
    Column("observed_at", "instant"),
    Column("value", "number"),
    Column("unit", "text"),
    Column("quality", "text"),
    Column("lon", "number"),
    Column("lat", "number"),
)

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_READINGS = text(statements.READINGS)
_LEAST = timedelta(microseconds=1)


async def exported(
    connect: Connect, asked: ExportQuestion, sensor_ids: Sequence[str]
) -> AsyncGenerator[Sequence[Row], None]:
    """Pages of at most `SERIES` × `ROWS` rows, by sensor, metric and time."""
    for first in range(0, len(sensor_ids), SENSORS):
        async with connect() as connection:
            some = sensor_ids[first : first + SENSORS]
            series = await scope.series_of(connection, some, asked.selection)
        for at in range(0, len(series), SERIES):
            async for page in _batch(connect, asked, series[at : at + SERIES]):
                yield page


async def _batch(
    connect: Connect, asked: ExportQuestion, series: Sequence[Any]
) -> AsyncGenerator[Sequence[Row], None]:
    found = await _fetch(connect, series, asked.span.start - _LEAST, asked.span.end)
    page: list[Row] = []
    for number, rows in groupby(found, key=itemgetter(0)):
        one, taken = series[number - 1], list(rows)
        page += [_row(one, row) for row in taken]
        while len(taken) == ROWS:
            yield page
            taken = list(await _fetch(connect, [one], taken[-1][1], asked.span.end))
            page = [_row(one, row) for row in taken]
    yield page


async def _fetch(
    connect: Connect, series: Sequence[Any], after: datetime, end: datetime
) -> Sequence[Any]:
    values = {"sensor_ids": [s.sensor_id for s in series], "metrics": [s.metric for s in series]}
    async with connect() as connection:
        rows = await connection.execute(
            _READINGS, values | {"after": after, "end": end, "limit": ROWS}
        )
        return rows.all()


def _row(series: Any, row: Any) -> Row:
    names = (series.sensor_id, series.metric)
    place = (series.lon, series.lat)
    return (*names, row.observed_at, row.value, series.unit, QUALITIES[row.quality], *place)
