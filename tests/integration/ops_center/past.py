"""Past readings, their rollups made plainly, and the same answers computed in Python."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.history.sources import aligned
from services.ops_center.history.span import Span
from services.ops_center.history.table import Table
from shared.store.rollups import ORIGIN, WIDTHS, relation
from shared.store.tables import readings

Reading = dict[str, Any]  # a row of ingest.readings

_ROLL = """
INSERT INTO {relation} (sensor_id, metric, bucket, count, good, bad, min, max, mean, last, last_at)
SELECT sensor_id, metric, date_bin(:width, observed_at, :origin) AS start, count(*),
       count(*) FILTER (WHERE quality = 0), count(*) FILTER (WHERE quality = 2),
       coalesce(min(value) FILTER (WHERE quality < 2), min(value)),
       coalesce(max(value) FILTER (WHERE quality < 2), max(value)),
       coalesce(avg(value) FILTER (WHERE quality < 2), avg(value)),
       (array_agg(value ORDER BY quality = 2, observed_at DESC))[1],
       (array_agg(observed_at ORDER BY quality = 2, observed_at DESC))[1]
FROM ingest.readings WHERE observed_at < :rolled_to GROUP BY sensor_id, metric, start
"""
_STATE = "INSERT INTO ingest.rollup_state (width_seconds, rolled_to) VALUES (:seconds, :rolled_to)"


def some_readings(random: Random, sensors: Sequence[str], metric: str, span: Span) -> list[Reading]:
    """With bursts, gaps of hours, bad ones alone and among others."""
    found: dict[tuple[str, datetime], Reading] = {}
    length = int((span.end - span.start).total_seconds())
    for sensor in sensors:
        for _ in range(random.randrange(1, 8)):
            at = span.start + timedelta(seconds=random.randrange(length))
            badness = random.choice((0.0, 0.2, 1.0))
            for _ in range(random.randrange(60)):
                at += timedelta(seconds=random.choice((0.25, 5, 60, 700)))
                quality = 2 if random.random() < badness else random.choice((0, 1))
                value = random.choice((random.uniform(-9, 9), 5.0, 1000.0))
                found[sensor, at] = {
                    "sensor_id": sensor, "metric": metric, "observed_at": at,
                    "value": value, "quality": quality,
                }  # fmt: skip
    return list(found.values())


async def store(engine: AsyncEngine, rows: Sequence[Reading]) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(readings), rows)


async def roll_up(engine: AsyncEngine, rolled_to: dict[int, datetime]) -> None:
    """Make the rollups anew. `rolled_to`: by width."""
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM ingest.rollup_state"))
        for width in WIDTHS:
            await connection.execute(text(f"DELETE FROM {relation(width)}"))
        for width, until in rolled_to.items():
            values = {"width": timedelta(seconds=width), "origin": ORIGIN, "rolled_to": until}
            await connection.execute(text(_ROLL.format(relation=relation(width))), values)
            state = {"seconds": width, "rolled_to": until}
            await connection.execute(text(_STATE), state)


async def items(table: Table) -> list[dict[str, Any]]:
    """The rows by the columns' names."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) async for page in table.pages for row in page]


def within(rows: Iterable[Reading], span: Span) -> list[Reading]:
    found = [row for row in rows if span.start <= row["observed_at"] < span.end]
    return sorted(found, key=lambda row: row["observed_at"])


def summary(rows: Sequence[Reading]) -> dict[str, Any]:
    """What a bucket of these readings shows."""
    trusted = [row for row in rows if row["quality"] < 2] or rows
    values = [row["value"] for row in trusted]
    return {
        "mean": math.fsum(values) / len(values),
        "min": min(values),
        "max": max(values),
        "count": len(rows),
        "bad": sum(row["quality"] == 2 for row in rows),
    }


def buckets(rows: Sequence[Reading], width: int) -> dict[datetime, list[Reading]]:
    found: dict[datetime, list[Reading]] = defaultdict(list)
    for row in rows:
        found[aligned(row["observed_at"], width)].append(row)
    return dict(sorted(found.items()))


def last(rows: Sequence[Reading]) -> float:
    trusted = [row for row in rows if row["quality"] < 2] or rows
    value: float = max(trusted, key=lambda row: row["observed_at"])["value"]
    return value
