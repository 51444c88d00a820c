"""The SQL of the archive. Pure.

A *part* is a rollup's bucket, or a reading as if it were one: `count` readings, `bad` of them with
quality `bad`; mean, min, max and last are those of the trustworthy ones, as long as there are any.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.ops_center.history.sources import RAW, Segment
from shared.store.rollups import (
    MERGED_LAST,
    MERGED_MAX,
    MERGED_MEAN,
    MERGED_MIN,
    ORIGIN,
    relation,
)

_RAW_PART = """
SELECT date_bin(:width, observed_at, :origin) AS at, 1 AS count, (quality = 2)::int AS bad,
       value AS mean, value AS min, value AS max, value AS last, observed_at AS last_at
FROM ingest.readings
WHERE sensor_id = {sensor} AND metric = :metric
  AND observed_at >= :start_{n} AND observed_at < :end_{n}
"""
_ROLLED_PART = """
SELECT date_bin(:width, bucket, :origin) AS at, count, bad, mean, min, max, last, last_at
FROM {relation}
WHERE sensor_id = {sensor} AND metric = :metric AND bucket >= :start_{n} AND bucket < :end_{n}
"""
_MERGED = f"""
{MERGED_MEAN} AS mean, {MERGED_MIN} AS min, {MERGED_MAX} AS max,
sum(count)::bigint AS count, sum(bad)::bigint AS bad
"""
# Of several sensors with the greatest value the last one.
_HIGHEST = "coalesce(max(ARRAY[max, number]) FILTER (WHERE bad < count), max(ARRAY[max, number]))"

RAW_READINGS = """
SELECT observed_at, value, value, value, 1, value, (quality = 2)::int FROM ingest.readings
WHERE sensor_id = :sensor_id AND metric = :metric
  AND observed_at >= :start AND observed_at < :end
ORDER BY observed_at LIMIT :limit
"""
# One index probe per series, on every edition; a hypertable's chunks are taken newest first.
AT_A_MOMENT = """
SELECT s.sensor_id, m.metric, r.value, m.unit, r.quality, r.observed_at, m.interval_seconds,
       s.area_id, s.lon, s.lat
FROM ingest.sensors AS s
CROSS JOIN LATERAL (SELECT DISTINCT unnest(s.metrics) AS metric) AS u
JOIN ingest.metrics AS m ON m.metric = u.metric
LEFT JOIN LATERAL (
    SELECT value, quality, observed_at FROM ingest.readings
    WHERE sensor_id = s.sensor_id AND metric = m.metric
      AND observed_at <= :at AND observed_at > :oldest
    ORDER BY observed_at DESC LIMIT 1
) AS r ON true
WHERE s.sensor_id = ANY (:sensor_ids) AND (NOT s.retired OR r.value IS NOT NULL)
  AND (CAST(:metrics AS text[]) IS NULL OR m.metric = ANY (:metrics))
  AND (CAST(:domains AS text[]) IS NULL OR m.domain = ANY (:domains))
ORDER BY s.sensor_id, m.metric
"""
# The first rows of several series, each series' in order of time.
READINGS = """
SELECT s.number, r.observed_at, r.value, r.quality
FROM unnest(CAST(:sensor_ids AS text[]), CAST(:metrics AS text[])) WITH ORDINALITY
     AS s (sensor_id, metric, number)
CROSS JOIN LATERAL (
    SELECT observed_at, value, quality FROM ingest.readings
    WHERE sensor_id = s.sensor_id AND metric = s.metric
      AND observed_at > :after AND observed_at < :end
    ORDER BY observed_at LIMIT :limit
) AS r
ORDER BY s.number, r.observed_at
"""


def series_buckets(segments: Sequence[Segment]) -> str:
    """at, mean, min, max, count, last, bad of one series."""
    return (
        f"SELECT at, s.mean, s.min, s.max, s.count, s.last, s.bad FROM ("
        f"SELECT at, {MERGED_LAST} AS last, {_MERGED} FROM ({_parts(segments, ':sensor_id')}) AS p"
        f" GROUP BY at) AS s ORDER BY at"
    )


def area_buckets(segments: Sequence[Segment]) -> str:
    """area (position), at, mean, min, max, position of the sensor with the max (from 1), count,
    bad, number of sensors."""
    return f"""
WITH members AS (
    SELECT * FROM unnest(CAST(:sensor_ids AS text[]), CAST(:areas AS int[])) WITH ORDINALITY
        AS m (sensor_id, area, number)
), sensors AS (
    SELECT area, number, s.*
    FROM members CROSS JOIN LATERAL (
        SELECT at, {_MERGED} FROM ({_parts(segments, "members.sensor_id")}) AS p GROUP BY at
    ) AS s
)
SELECT area, at, s.mean, s.min, s.max, s.highest[2]::int, s.count, s.bad, s.sensors
FROM (SELECT area, at, {_MERGED}, {_HIGHEST} AS highest, count(*) AS sensors
      FROM sensors GROUP BY area, at) AS s ORDER BY area, at
"""


def times(segments: Sequence[Segment], width_seconds: int) -> dict[str, Any]:
    """The values of the statements' parameters that come from the segments."""
    values: dict[str, Any] = {"width": timedelta(seconds=width_seconds), "origin": ORIGIN}
    for number, segment in enumerate(segments):
        values |= {f"start_{number}": segment.start, f"end_{number}": segment.end}
    return values


def _parts(segments: Sequence[Segment], sensor: str) -> str:
    # OFFSET 0: each is an index scan of its own for one sensor, whatever the planner guesses.
    return " UNION ALL ".join(
        f"(SELECT * FROM ({_part(segment, number, sensor)}) AS p{number} OFFSET 0)"
        for number, segment in enumerate(segments)
    )


def _part(segment: Segment, number: int, sensor: str) -> str:
    template = _RAW_PART if segment.source == RAW else _ROLLED_PART
    return template.format(n=number, sensor=sensor, relation=_relation(segment.source))


def _relation(source: int) -> str:
    return "ingest.readings" if source == RAW else relation(source)
