"""Readings as columns: PostgreSQL's binary COPY of arrays, taken apart without a loop over rows.

The database gathers each series' readings of a window into arrays, so that a message of the
protocol holds a series, not a row: what is done per row is done by numpy.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy
import psycopg
from numpy.typing import NDArray

from services.ops_center.history.span import Span
from shared.errors import Unavailable

SERIES = 2_000  # per statement
_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
_SIGNATURE = 19  # bytes before the first row
_COPY = """
COPY (
    SELECT s.number::int, r.at, r.value, r.quality
    FROM unnest(%(sensors)s::text[], %(metrics)s::text[]) WITH ORDINALITY
         AS s (sensor_id, metric, number)
    CROSS JOIN LATERAL (
        SELECT array_agg(observed_at) AS at, array_agg(value) AS value,
               array_agg(quality) AS quality
        FROM (
            SELECT observed_at, value, quality FROM ingest.readings
            WHERE sensor_id = s.sensor_id AND metric = s.metric
              AND observed_at >= %(start)s AND observed_at < %(end)s
            ORDER BY observed_at
        ) AS o
    ) AS r WHERE r.at IS NOT NULL
) TO STDOUT (FORMAT binary)
"""
_SETTINGS = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = '300s';
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL enable_memoize = off;
SET LOCAL jit = off
"""
_TIMES = numpy.dtype([("size", ">i4"), ("value", ">i8")])
_VALUES = numpy.dtype([("size", ">i4"), ("value", ">f8")])
_QUALITIES = numpy.dtype([("size", ">i4"), ("value", ">i2")])
_ARRAY = struct.Struct(">iiiiii")  # bytes, dimensions, nulls, type, length, first index


@dataclass(frozen=True, slots=True)
class Series:
    """One sensor's one metric. `told`: what every row of it says of both, by column."""

    sensor_id: str
    metric: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One series' readings of a window, in order of time. `at`: microseconds since 1970."""

    series: Series
    at: "NDArray[numpy.int64]"
    value: "NDArray[numpy.float64]"
    quality: "NDArray[numpy.int16]"


@contextmanager
def reading(url: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection that sees one moment of the database. Raises `Unavailable`."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute(_SETTINGS)
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"database: {error}") from error


def read(
    connection: "psycopg.Connection[Any]", series: Sequence[Series], window: Span
) -> Iterator[Stretch]:
    """Of every series that was read in the window, in the order of `series`. Blocks."""
    for first in range(0, len(series), SERIES):
        yield from _read(connection, series[first : first + SERIES], window)


def _read(
    connection: "psycopg.Connection[Any]", series: Sequence[Series], window: Span
) -> Iterator[Stretch]:
    values = {
        "sensors": [one.sensor_id for one in series],
        "metrics": [one.metric for one in series],
        "start": window.start,
        "end": window.end,
    }
    last, skip = 0, _SIGNATURE
    with connection.cursor().copy(_COPY, values) as copy:
        for message in copy:
            row = bytes(message)[skip:]
            skip = 0
            if len(row) <= 2:  # the trailer
                continue
            number, *arrays = decode(row)
            if number <= last:  # what the plan gives by itself, but SQL does not promise
                raise Unavailable("the database gives series out of their order")
            last = number
            yield Stretch(series[number - 1], *arrays)


def decode(row: bytes) -> tuple[int, Any, Any, Any]:
    """(number, times, values, qualities) of one row of the statement."""
    (number,) = struct.unpack_from(">i", row, 6)
    times, at = _array(row, 10, _TIMES)
    values, at = _array(row, at, _VALUES)
    qualities, _ = _array(row, at, _QUALITIES)
    return number, times.astype(numpy.int64) + _EPOCH_US, values.astype(float), qualities


def _array(row: bytes, at: int, dtype: Any) -> tuple[Any, int]:
    """Its elements (none is null), and where what follows it begins."""
    size, _, _, _, length, _ = _ARRAY.unpack_from(row, at)
    return numpy.frombuffer(row, dtype, length, at + _ARRAY.size)["value"], at + 4 + size
