"""The whole city at a past moment, page by page."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ops_center.history import statements
from services.ops_center.history.lanes import Lanes
from services.ops_center.history.table import QUALITIES, Column, Row

PAGE_SENSORS = 300

COLUMNS = (
    Column("sensor_id", "text"),
    Column("metric", "text"),
    Column("value", "number"),
    Column("unit", "text"),
    Column("quality", "text"),
    Column("observed_at", "instant"),
    Column("age_seconds", "number"),
    Column("state", "text"),
    Column("area_id", "text"),
    Column("lon", "number"),
    Column("lat", "number"),
)

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_AT_A_MOMENT = text(statements.AT_A_MOMENT)


def moments(
    connect: Connect, lanes: Lanes, sensor_ids: Sequence[str], values: Mapping[str, Any]
) -> AsyncGenerator[Sequence[Row], None]:
    """Pages by sensor and metric. `values`: the statement's, but for the sensors."""
    at = values["at"]

    async def page(first: int) -> Sequence[Row]:
        some = {"sensor_ids": sensor_ids[first : first + PAGE_SENSORS]}
        async with connect() as connection:
            found = (await connection.execute(_AT_A_MOMENT, {**values, **some})).all()
        return [_row(row, at) for row in found]

    return lanes.in_order(page, range(0, len(sensor_ids), PAGE_SENSORS))


def _row(row: Sequence[Any], at: datetime) -> Row:
    """`state` as the live picture judges, but for the incidents of that time."""
    sensor_id, metric, value, unit, quality, observed_at, interval_seconds, *where = row
    if observed_at is None:
        return (sensor_id, metric, None, unit, None, None, None, "no_data", *where)
    age = (at - observed_at).total_seconds()
    named = QUALITIES[quality]
    state = "bad" if named == "bad" else "normal"
    if age >= 3 * interval_seconds:
        state = "stale"
    return (sensor_id, metric, value, unit, named, observed_at, age, state, *where)
