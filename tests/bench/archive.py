"""A database full of past readings: what `history` reads from and `cpu_growth` adds to.

The city's own first sensors with all their metrics, one reading a minute each, written minute by
minute as a city writes them (so that one series' readings lie far apart). Deterministic but for
`until`. Values follow the day within the metric's normal range; 1 in 512 readings is suspect, 1 in
1,024 bad.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from services.ingest.registry.seed import seed
from services.ingest.storage.rollups.statements import ADVANCE, roll
from shared.clock import monotonic, system_clock
from shared.settings import Settings
from shared.store.engine import libpq_url, make_engine
from shared.store.rollups import ORIGIN, WIDTHS, floor_to

MINUTE = timedelta(minutes=1)
WRITERS = 2  # connections that write at once
_SLICE = timedelta(minutes=30)  # per transaction
_DAY = timedelta(days=1)

_KEY = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'readings_pkey'"
_SERIES = """
CREATE UNLOGGED TABLE bench_series AS
SELECT row_number() OVER (ORDER BY sensor_id, metric) - 1 AS number, sensor_id, metric,
       coalesce(normal_low, minimum, 0) AS low,
       coalesce(normal_high, maximum, 100) - coalesce(normal_low, minimum, 0) AS width
FROM ingest.sensors CROSS JOIN unnest(metrics) AS metric JOIN ingest.metrics USING (metric)
"""
# `hash`: another number for each reading.
_INSERT = """
INSERT INTO ingest.readings (sensor_id, metric, observed_at, value, quality)
SELECT sensor_id, metric, at,
       low + width * (0.5 + 0.3 * sin(extract(epoch FROM at)::float8 / 13750.99 + number)
                      + (hash & 1023) / 8192.0),
       CASE WHEN hash >> 10 & 1023 = 0 THEN 2 WHEN hash >> 10 & 511 = 1 THEN 1 ELSE 0 END
FROM generate_series(%(start)s::timestamptz, %(end)s - interval '1 second', '1 minute') AS at,
     bench_series,
     LATERAL (SELECT hashint8(number * 10000019 + extract(epoch FROM at)::bigint / 60)) AS h (hash)
WHERE number < %(series)s
ORDER BY at
"""
_IN_ORDER = ("GROUP BY 1, 2, 3", "GROUP BY 1, 2, 3 ORDER BY 3")
_CLOSE = """
INSERT INTO ingest.rollup_watermark (the_one, closed_to) VALUES (true, %s)
ON CONFLICT (the_one) DO UPDATE SET closed_to = excluded.closed_to
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """`rows` readings of `series` series from `start` to `end` (exclusive), and what it took."""

    rows: int
    series: int
    start: datetime
    end: datetime
    write_seconds: float
    index_seconds: float
    rollup_seconds: float

    @property
    def seconds(self) -> float:
        """Altogether."""
        return self.write_seconds + self.index_seconds + self.rollup_seconds


def fill(database_url: str, rows: int, *, until: datetime | None = None) -> Filled:
    """Put `rows` readings, the newest a minute before `until` (default: this minute), into a
    migrated database that has none. Seeds the registry. Nobody else may write meanwhile: the key
    is dropped and made anew at the end."""
    url = libpq_url(database_url)
    end = (until or system_clock()).replace(second=0, microsecond=0)
    asyncio.run(_seed(database_url))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_series")
        connection.execute(_SERIES.encode())
        series = _one(connection, "SELECT count(*) FROM bench_series")
        minutes, rest = divmod(rows, series)
        start = end - minutes * MINUTE
        key = _one_text(connection, _KEY)
        begun = monotonic()
        connection.execute("ALTER TABLE ingest.readings DROP CONSTRAINT readings_pkey")
        _write(url, [(start - MINUTE, start, rest)] if rest else [])
        _write(url, [(at, min(at + _SLICE, end), series) for at in _steps(start, end)])
        written = monotonic()
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute(f"ALTER TABLE ingest.readings ADD {key}".encode())
        connection.execute("DROP TABLE bench_series")
        connection.execute("VACUUM (ANALYZE) ingest.readings")
        connection.execute("CHECKPOINT")
        first, indexed = start - MINUTE if rest else start, monotonic()
        _roll_up(url, first, end)
        connection.execute("VACUUM (ANALYZE) ingest.rollups_1m")
        connection.execute("CHECKPOINT")
        rolled = monotonic() - indexed
        return Filled(rows, series, first, end, written - begun, indexed - written, rolled)


async def _seed(database_url: str) -> None:
    engine = make_engine(database_url, 1)
    try:
        await seed(engine, Settings(database_url=database_url))
    finally:
        await engine.dispose()


def _steps(start: datetime, end: datetime) -> list[datetime]:
    return [start + n * _SLICE for n in range(-(-(end - start) // _SLICE))]


def _write(url: str, slices: Sequence[tuple[datetime, datetime, int]]) -> None:
    """Each slice (start, end, number of series) in a transaction; several at once."""

    def write(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for start, end, series in slices[number::WRITERS]:
                values = {"start": start, "end": end, "series": series}
                connection.execute(_INSERT.encode(), values)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


def _roll_up(url: str, start: datetime, end: datetime) -> None:
    """By the product's own statements, a day at a time, as if its refresher had kept up: that
    writes bucket after bucket, so that the series of a moment lie together."""
    first = floor_to(start, WIDTHS[-1])
    days = [first + n * _DAY for n in range(-(-(end - first) // _DAY))]

    def roll_days(number: int, width: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("SET work_mem = '256MB'")
            for day in days[number::WRITERS]:
                values: dict[str, object] = {"start": day}
                values |= {"end": min(day + _DAY, floor_to(end, width))}
                values |= {"width": timedelta(seconds=width), "origin": ORIGIN}
                statement = roll(width).replace(*_IN_ORDER)
                connection.execute(statement.encode(), values)

    with ThreadPoolExecutor(WRITERS) as pool:
        for width in WIDTHS:
            list(pool.map(roll_days, range(WRITERS), [width] * WRITERS))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_CLOSE, (end,))
        for width in WIDTHS:
            connection.execute(ADVANCE, (width, floor_to(end, width)))


def _one(connection: "psycopg.Connection[tuple[object, ...]]", query: str) -> int:
    return int(_one_text(connection, query))


def _one_text(connection: "psycopg.Connection[tuple[object, ...]]", query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
