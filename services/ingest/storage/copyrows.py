"""Rows of `ingest.readings` in PostgreSQL's binary COPY format. Pure, and hot."""

import struct
from collections.abc import Iterable

from services.ingest.storage.fold import Arrival, Key, Value

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
PREFIXES = 65_536

_pack_tail = struct.Struct(">iqidih").pack
_prefixes: dict[tuple[str, str], bytes] = {}


def encode_rows(rows: Iterable[tuple[Key, Value]]) -> bytes:
    """(key, value) pairs → one COPY stream: sensor_id, metric, observed_at, value, quality."""
    parts = [HEADER]
    known = _prefixes.get
    for (sensor_id, metric, observed_us), (value, quality) in rows:
        prefix = known((sensor_id, metric)) or _prefix(sensor_id, metric)
        parts.append(prefix + _pack_tail(8, observed_us - EPOCH_US, 8, value, 2, quality))
    parts.append(TRAILER)
    return b"".join(parts)


def rows_of(arrivals: Iterable[Arrival]) -> list[tuple[Key, Value]]:
    """What is stored of arrivals. Sorting them costs more than the index gains by it."""
    return [(arrival.key, arrival.value) for arrival in arrivals]


def _prefix(sensor_id: str, metric: str) -> bytes:
    sensor, code = sensor_id.encode(), metric.encode()
    prefix = struct.pack(f">hi{len(sensor)}si{len(code)}s", 5, len(sensor), sensor, len(code), code)
    if len(_prefixes) >= PREFIXES:
        _prefixes.clear()
    _prefixes[(sensor_id, metric)] = prefix
    return prefix
