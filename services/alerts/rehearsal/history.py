"""The stored readings that a rule would have heard, sensor by sensor, in order of event time."""

import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import to_micros
from shared.contracts.reading import Reading
from shared.store.tables import areas, readings, sensors

ROWS_AT_ONCE = 5_000
_BAD = 2


async def watched(
    connection: AsyncConnection, metrics: Collection[str]
) -> list[tuple[str, frozenset[str]]]:
    """(sensor, every area it lies in) of the sensors that measure any of `metrics`.

    In an order that has nothing to do with places: whoever stops early has seen a fair sample.
    """
    query = (
        select(sensors.c.sensor_id, sensors.c.area_id, sensors.c.town_id, sensors.c.cell_id,
               areas.c.parent_id)
        .outerjoin(areas, areas.c.area_id == sensors.c.area_id)
        .where(sensors.c.metrics.overlap(sorted(metrics)))
    )  # fmt: skip
    rows = (await connection.execute(query)).all()
    found = [
        (row.sensor_id, frozenset(filter(None, (row.cell_id, row.town_id, row.area_id,
                                                row.parent_id))))
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda each: hashlib.md5(each[0].encode()).digest())


async def heard(
    connection: AsyncConnection,
    sensor_id: str,
    metrics: Collection[str],
    start: datetime,
    end: datetime,
) -> AsyncIterator[Sequence[Reading]]:
    """Readings of one sensor from `start` to `end`, oldest first, without the bad ones."""
    query = (
        select(readings.c.metric, readings.c.observed_at, readings.c.value, readings.c.quality)
        .where(
            readings.c.sensor_id == sensor_id,
            readings.c.metric.in_(sorted(metrics)),
            readings.c.observed_at >= start,
            readings.c.observed_at < end,
            readings.c.quality != _BAD,
        )
        .order_by(readings.c.observed_at)
    )
    streamed = await connection.stream(query, execution_options={"yield_per": ROWS_AT_ONCE})
    async for rows in streamed.partitions():
        yield [
            Reading(sensor_id, row[0], to_micros(row[1]), row[2], "suspect" if row[3] else "good")
            for row in rows
        ]


async def only_read(connection: AsyncConnection, seconds: float) -> None:
    """Nothing may be written, and no statement may take longer than this."""
    await connection.execute(text("SET TRANSACTION READ ONLY"))
    await connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1_000)}"))
