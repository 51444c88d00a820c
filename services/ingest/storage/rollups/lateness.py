"""What a batch stores below the watermark: the stretches whose rollups must be made again.

The writer reads the watermark under a lock that it shares with other writers, and keeps it until
its rows are committed. The refresher takes that lock alone to move the watermark. So a row is
either committed before the refresher looks, or it leaves a mark: none is lost.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import psycopg

from services.ingest.storage.fold import FIRST_US
from shared.clock import from_micros, to_micros
from shared.contracts.reading import Reading
from shared.store.rollups import ORIGIN

Stretches = dict[tuple[str, str, int], tuple[int, int]]  # sensor, metric, day → first, last

_DAY_US = 86_400_000_000
_ORIGIN_US = to_micros(ORIGIN)
_WATERMARK = "SELECT closed_to FROM ingest.rollup_watermark FOR SHARE"
# Sorted, so that two writers lock in the same order. The update is for the lock: a mark that is
# being worked off at this moment is waited for, then made anew.
_MARK = """
INSERT INTO ingest.rollup_marks AS m (sensor_id, metric, day, first, last)
SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                     %s::timestamptz[])
  AS late (sensor_id, metric, day, first, last) ORDER BY 1, 2, 3
ON CONFLICT (sensor_id, metric, day) DO UPDATE
SET first = least(m.first, excluded.first), last = greatest(m.last, excluded.last),
    touched_at = now()
"""


async def watermark_us(connection: psycopg.AsyncConnection[Any]) -> int | None:
    """Microseconds below which the buckets are closed; locked until the transaction ends. None:
    nothing is rolled up yet."""
    row = await (await connection.execute(_WATERMARK)).fetchone()
    return None if row is None or row[0] is None else to_micros(row[0])


def late(readings: Iterable[Reading], closed_us: int | None) -> Stretches:
    """The stretches of the readings below the watermark; what no row can hold has none. Hot."""
    if closed_us is None:
        return {}
    spans: dict[tuple[str, str], list[int]] = {}
    below = [each for each in readings if FIRST_US <= each.observed_us < closed_us]
    for reading in below:
        at, series = reading.observed_us, (reading.sensor_id, reading.metric)
        span = spans.get(series)
        if span is None:
            spans[series] = [at, at]
        elif at < span[0]:
            span[0] = at
        elif at > span[1]:
            span[1] = at
    found: Stretches = {}
    scattered = {series for series, span in spans.items() if _day(span[0]) != _day(span[1])}
    for (sensor_id, metric), (first, last) in spans.items():
        if "\0" not in sensor_id + metric and (sensor_id, metric) not in scattered:
            found[sensor_id, metric, _day(first)] = (first, last)
    return found | _by_day(below, scattered)


def _by_day(readings: Iterable[Reading], series: set[tuple[str, str]]) -> Stretches:
    """Of series with readings of several days, each day by itself."""
    found: Stretches = {}
    if not series:
        return found
    for reading in readings:
        sensor_id, metric, at = reading.sensor_id, reading.metric, reading.observed_us
        if (sensor_id, metric) in series and "\0" not in sensor_id + metric:
            first, last = found.get((sensor_id, metric, _day(at)), (at, at))
            found[sensor_id, metric, _day(at)] = (min(first, at), max(last, at))
    return found


def _day(observed_us: int) -> int:
    return (observed_us - _ORIGIN_US) // _DAY_US


async def mark(connection: psycopg.AsyncConnection[Any], stretches: Stretches) -> None:
    """In the transaction of the rows."""
    if not stretches:
        return
    sensors, metrics, days = zip(*stretches, strict=True)
    firsts, lasts = zip(*stretches.values(), strict=True)
    values = (
        list(sensors),
        list(metrics),
        [day_start(day) for day in days],
        [from_micros(each) for each in firsts],
        [from_micros(each) for each in lasts],
    )
    await connection.execute(_MARK, values)


def day_start(day: int) -> datetime:
    """The start of a day that is counted from `ORIGIN`."""
    return ORIGIN + timedelta(days=day)
