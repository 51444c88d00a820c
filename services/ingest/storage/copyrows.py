"""Rows of `ingest.readings` in PostgreSQL's binary COPY format. Pure, and hot."""

import struct
from collections.abc import Iterable

from services.ingest.storage.fold import Arrival, Key, Value

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01

# What follows a row's prefix: (8, observed_us - EPOCH_US, 8, value, 2, quality).
pack_tail = struct.Struct(">iqidih").pack


def encode_rows(rows: Iterable[tuple[Key, Value]]) -> bytes:
    """(key, value) pairs → one COPY stream: sensor_id, metric, observed_at, value, quality."""
    return stream(
        prefix_of(sensor_id, metric) + pack_tail(8, observed_us - EPOCH_US, 8, value, 2, quality)
        for (sensor_id, metric, observed_us), (value, quality) in rows
    )


def stream(rows: Iterable[bytes]) -> bytes:
    """Encoded rows → one COPY stream."""
    return b"".join((HEADER, *rows, TRAILER))


def rows_of(arrivals: Iterable[Arrival]) -> list[tuple[Key, Value]]:
    """What is stored of arrivals. Sorting them costs more than the index gains by it."""
    return [(arrival.key, arrival.value) for arrival in arrivals]


def prefix_of(sensor_id: str, metric: str) -> bytes:
    """How every row of the series begins."""
    sensor, code = sensor_id.encode(), metric.encode()
    return struct.pack(f">hi{len(sensor)}si{len(code)}s", 5, len(sensor), sensor, len(code), code)
