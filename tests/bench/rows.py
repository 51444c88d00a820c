"""The readings that are sent, and the same rows put in by `\\copy`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from shared.clock import monotonic, system_clock

METRIC = "traffic.speed"
BATCH = 500
SENSORS = 200
LIMIT_IS = (
    "text COPY (what psql's \\copy sends; psycopg, one connection, one transaction) of the same"
    " rows into the same table, emptied before, in the same run"
)

_LAST = """
SELECT count(*) FROM ingest.readings
WHERE sensor_id = ANY (%s) AND metric = %s AND observed_at = %s
"""
_HYPERTABLE = """
SELECT count(*) FROM pg_extension e JOIN pg_trigger t ON t.tgname = 'ts_insert_blocker'
WHERE e.extname = 'timescaledb' AND t.tgrelid = 'ingest.readings'::regclass
"""
_ALL = "SELECT count(*) FROM ingest.readings WHERE sensor_id = ANY (%s)"

Row = tuple[str, datetime, float]


@dataclass(frozen=True)
class Rows:
    """`count` readings of `sensors` (a divisor's worth), oldest first, `step` apart each."""

    sensors: Sequence[str]
    count: int
    start: datetime
    step: timedelta = timedelta(seconds=1)

    def __iter__(self) -> Iterator[Row]:
        """(sensor, time, value)."""
        for number in range(self.count):
            moment = self.start + number // len(self.sensors) * self.step
            yield self.sensors[number % len(self.sensors)], moment, 40 + number % 200 / 10

    @property
    def last(self) -> datetime:
        """The time of every sensor's last reading."""
        return self.start + (self.count // len(self.sensors) - 1) * self.step

    def bodies(self, batch: int = BATCH) -> list[bytes]:
        """JSON arrays of `batch` readings."""
        items = [
            {"sensor_id": s, "metric": METRIC, "observed_at": t.isoformat(), "value": v}
            for s, t, v in self
        ]
        return [json.dumps(items[at : at + batch]).encode() for at in range(0, len(items), batch)]

    def text(self) -> bytes:
        """COPY's text form."""
        return "".join(f"{s}\t{METRIC}\t{t.isoformat()}\t{v}\t0\n" for s, t, v in self).encode()


def names(count: int = SENSORS) -> list[str]:
    """Sensors of this run alone: a broker that is shared may still hold another run's."""
    run = uuid4().hex[:6]
    return [f"bench-{run}-{number:04}" for number in range(count)]


def rounds(count: int, number: int, sensors_of_each: int = SENSORS) -> list[Rows]:
    """One set of `count` rows per round, each later than the one before: rules and screens pass
    over a repeat, and would make the later rounds cheaper. All are recent: none is historical."""
    sensors, span = names(sensors_of_each), timedelta(seconds=count // sensors_of_each)
    first = now().replace(microsecond=0) - timedelta(seconds=60) - number * span
    return [Rows(sensors, count, first + at * span) for at in range(number)]


def register(url: str, key: str, sensors: Sequence[str]) -> None:
    """Make the sensors known, placed in the city."""
    body = [
        {"sensor_id": name, "metrics": [METRIC], "location": {"lon": 112.47, "lat": 23.06}}
        for name in sensors
    ]
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/v1/sensors", json=body, headers=headers, timeout=30)
    assert answer.is_success, answer.text


def copy(database_url: str, rows: Rows) -> float:
    """Put the rows in by text COPY; rows/s."""
    lines = rows.text()
    with psycopg.connect(database_url) as connection:
        started = monotonic()
        with connection.cursor().copy("COPY ingest.readings FROM STDIN") as sink:
            for at in range(0, len(lines), 65536):
                sink.write(lines[at : at + 65536])
        connection.commit()
        elapsed = monotonic() - started
    assert stored(database_url, rows.sensors) == rows.count
    return rows.count / elapsed


def empty(database_url: str) -> None:
    """Remove every reading; what was written before is not flushed in the next round's time."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("TRUNCATE ingest.readings")
        connection.execute("CHECKPOINT")


def stored(database_url: str, sensors: Sequence[str]) -> int:
    """How many rows of these sensors the table has."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        return _number(connection, _ALL, (list(sensors),))


def kind(database_url: str) -> str:
    """What the table is, and on which server."""
    with psycopg.connect(database_url) as connection:
        version = connection.info.parameter_status("server_version")
        hypertable = _number(connection, _HYPERTABLE, ())
    table = "TimescaleDB hypertable" if hypertable else "plain table"
    return f"{table} with its primary key, PostgreSQL {version}"


class Watch:
    """Sees when all rows are stored without taking the database's time: it looks up the last
    reading of every sensor by its key, and counts all only when those are there."""

    def __init__(self, connection: "psycopg.Connection[Any]", rows: Rows) -> None:
        self._connection = connection
        self._rows = rows
        self._sensors = list(rows.sensors)

    def complete(self) -> bool:
        """True once every row is stored."""
        values = (self._sensors, METRIC, self._rows.last)
        if _number(self._connection, _LAST, values) < len(self._sensors):
            return False
        return _number(self._connection, _ALL, (self._sensors,)) >= self._rows.count


def now() -> datetime:
    """For readings that are made as they are sent."""
    return system_clock()


def _number(connection: "psycopg.Connection[Any]", query: str, values: tuple[Any, ...]) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])
