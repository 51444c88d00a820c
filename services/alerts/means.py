"""Means of several series in equal steps: from rollups, and from the readings where those are not
made yet. Only trustworthy readings count; where there is none there is no step."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import to_micros
from shared.store.rollups import ORIGIN, WIDTHS, floor_to, relation

Series = tuple[str, str]  # sensor id, metric
Means = list[tuple[int, float]]  # start of the step in epoch microseconds, mean

# OFFSET 0: an index scan for each series, whatever the planner guesses.
_MEANS = """
SELECT s.number, p.at, sum(p.mean * p.weight) / sum(p.weight) AS mean
FROM unnest(CAST(:sensor_ids AS text[]), CAST(:metrics AS text[])) WITH ORDINALITY
     AS s (sensor_id, metric, number)
CROSS JOIN LATERAL (
    (SELECT date_bin(:width, bucket, :origin) AS at, mean, count - bad AS weight
     FROM {relation} WHERE sensor_id = s.sensor_id AND metric = s.metric
       AND bucket >= :start AND bucket < :rolled AND bad < count
       AND mean BETWEEN -1e100 AND 1e100 OFFSET 0)
    UNION ALL
    (SELECT date_bin(:width, observed_at, :origin), value, 1
     FROM ingest.readings WHERE sensor_id = s.sensor_id AND metric = s.metric
       AND observed_at >= :rolled AND observed_at < :until AND quality < 2
       AND value BETWEEN -1e100 AND 1e100 OFFSET 0)
) AS p
GROUP BY s.number, p.at ORDER BY s.number, p.at
"""
_ROLLED_TO = text("SELECT rolled_to FROM ingest.rollup_state WHERE width_seconds = :width")


async def means(
    connection: AsyncConnection,
    series: Sequence[Series],
    start: datetime,
    until: datetime,
    width: int,
) -> list[Means]:
    """Of each series, oldest first. `width`: of a step, in seconds, a multiple of a rollup's."""
    rolled_up = max(one for one in WIDTHS if width % one == 0)
    # Read before the rollups: what is rolled up meanwhile is still taken from the readings.
    rolled_to = await connection.scalar(_ROLLED_TO, {"width": rolled_up})
    rolled = start if rolled_to is None else floor_to(min(max(rolled_to, start), until), rolled_up)
    values: dict[str, Any] = {
        "sensor_ids": [one[0] for one in series], "metrics": [one[1] for one in series],
        "width": timedelta(seconds=width), "origin": ORIGIN,
        "start": start, "rolled": max(rolled, start), "until": until,
    }  # fmt: skip
    rows = await connection.execute(text(_MEANS.format(relation=relation(rolled_up))), values)
    found: list[Means] = [[] for _ in series]
    for number, at, mean in rows:
        found[number - 1].append((to_micros(at), mean))
    return found
