"""The SQL of the rollups. Pure.

A bucket is judged by its readings that are not bad; only one that has none shows its bad ones.
"""

from shared.store.rollups import (
    MERGED_LAST,
    MERGED_LAST_AT,
    MERGED_MAX,
    MERGED_MEAN,
    MERGED_MIN,
    WIDTHS,
    relation,
)

_COLUMNS = "sensor_id, metric, bucket, count, good, bad, min, max, mean, last, last_at"
_UPSERT = "ON CONFLICT (sensor_id, metric, bucket) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[3:]
)
_OF_READINGS = """
SELECT r.sensor_id, r.metric, date_bin('1 minute', r.observed_at, %(origin)s) AS bucket, count(*),
       count(*) FILTER (WHERE quality = 0), count(*) FILTER (WHERE quality = 2),
       coalesce(min(value) FILTER (WHERE quality < 2), min(value)),
       coalesce(max(value) FILTER (WHERE quality < 2), max(value)),
       coalesce(avg(value) FILTER (WHERE quality < 2), avg(value)),
       (array_agg(value ORDER BY quality = 2, observed_at DESC))[1],
       (array_agg(observed_at ORDER BY quality = 2, observed_at DESC))[1]
"""
_OF_BUCKETS = f"""
SELECT r.sensor_id, r.metric, date_bin(%(width)s, r.bucket, %(origin)s) AS at, sum(count),
       sum(good), sum(bad), {MERGED_MIN}, {MERGED_MAX}, {MERGED_MEAN}, {MERGED_LAST},
       {MERGED_LAST_AT}
"""
# The stretches that are made again, each as wide as the buckets it touches.
_MARKED = """
FROM unnest(%(sensors)s::text[], %(metrics)s::text[], %(firsts)s::timestamptz[],
            %(lasts)s::timestamptz[]) AS m (sensor_id, metric, since, till)
CROSS JOIN LATERAL (
  SELECT * FROM {source} AS s
  WHERE s.sensor_id = m.sensor_id AND s.metric = m.metric
    AND s.{time} >= date_bin(%(width)s, m.since, %(origin)s)
    AND s.{time} < date_bin(%(width)s, m.till, %(origin)s) + %(width)s::interval
    AND s.{time} < %(rolled_to)s
  OFFSET 0
) AS r
"""

# Rows' locks are not queued: writers that share one would pass a refresher that waits for it.
ALONE = "LOCK TABLE ingest.rollup_watermark IN EXCLUSIVE MODE"
CLOSE = "UPDATE ingest.rollup_watermark SET closed_to = %s"
WATERMARK = "SELECT closed_to FROM ingest.rollup_watermark FOR UPDATE"
FIRST = "SELECT min(observed_at) FROM ingest.readings"
ROLLED_TO = "SELECT width_seconds, rolled_to FROM ingest.rollup_state"
ADVANCE = """
INSERT INTO ingest.rollup_state (width_seconds, rolled_to) VALUES (%s, %s)
ON CONFLICT (width_seconds) DO UPDATE SET rolled_to = excluded.rolled_to
"""
# Marks below a floor are taken too, but nothing is made of them: their readings are dropped, and
# what was made of them before stays.
# A floor that is being set is waited for, and waits for this.
HOLD_FLOORS = "LOCK TABLE ingest.retention_floors IN ROW SHARE MODE"
# The lot is chosen once: a subquery might be run again for every mark, on what is left of them.
TAKE_MARKS = """
WITH t AS MATERIALIZED (
  SELECT sensor_id, metric, day FROM ingest.rollup_marks
  WHERE touched_at <= now() - %(quiet)s OR marked_at <= now() - 30 * %(quiet)s
  ORDER BY day, sensor_id, metric LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM ingest.rollup_marks AS m USING t
WHERE (m.sensor_id, m.metric, m.day) = (t.sensor_id, t.metric, t.day)
RETURNING m.sensor_id, m.metric, m.first, m.last, coalesce(m.day < (
  SELECT floor FROM ingest.retention_floors AS f WHERE f.metric = m.metric AND width_seconds = 0
), false)
"""
# By the clock, not by when the transaction began: a mark may have been waited for.
CHANGED = """
INSERT INTO ingest.changed_days (day, changed_at)
SELECT day, clock_timestamp() FROM unnest(%s::timestamptz[]) AS day ORDER BY day
ON CONFLICT (day) DO UPDATE SET changed_at = excluded.changed_at
"""


def roll(width: int) -> str:
    """Makes the buckets of `width` from %(start)s to %(end)s."""
    source, time, select = _source(width)
    return (
        f"INSERT INTO {relation(width)} ({_COLUMNS}) {select} FROM {source} AS r"
        f" WHERE r.{time} >= %(start)s AND r.{time} < %(end)s GROUP BY 1, 2, 3 {_UPSERT}"
    )


def roll_again(width: int) -> str:
    """Makes the buckets of `width` below %(rolled_to)s that touch the marked stretches."""
    source, time, select = _source(width)
    marked = _MARKED.format(source=source, time=time)
    return (
        f"INSERT INTO {relation(width)} ({_COLUMNS}) {select} {marked} GROUP BY 1, 2, 3 {_UPSERT}"
    )


def _source(width: int) -> tuple[str, str, str]:
    """What buckets of `width` are made of: relation, its column of time, the columns."""
    place = WIDTHS.index(width)
    if place == 0:
        return "ingest.readings", "observed_at", _OF_READINGS
    return relation(WIDTHS[place - 1]), "bucket", _OF_BUCKETS
