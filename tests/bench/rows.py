"""The readings that are sent, and the same rows put in by `\\copy`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg

from shared.clock import monotonic

METRIC = "traffic.speed"
BATCH = 500
LIMIT_IS = "text COPY (psql's \\copy) of the same rows into the same table in the same run"

Row = tuple[str, datetime, float]


@dataclass(frozen=True)
class Rows:
    """`count` readings of `sensors`, oldest first, a second apart per sensor."""

    sensors: Sequence[str]
    count: int
    start: datetime

    def __iter__(self) -> Iterator[Row]:
        """(sensor, time, value)."""
        for number in range(self.count):
            moment = self.start + timedelta(seconds=number // len(self.sensors))
            yield self.sensors[number % len(self.sensors)], moment, 40 + number % 200 / 10

    def bodies(self) -> list[bytes]:
        """JSON arrays of `BATCH` readings."""
        items = [
            {"sensor_id": s, "metric": METRIC, "observed_at": t.isoformat(), "value": v}
            for s, t, v in self
        ]
        return [json.dumps(items[at : at + BATCH]).encode() for at in range(0, len(items), BATCH)]


def make(count: int, sensors: int = 200) -> Rows:
    """Rows that end a little before now, so that no rule calls them historical or future."""
    names = [f"bench-{number:04}" for number in range(sensors)]
    now = datetime.now(UTC).replace(microsecond=0)
    return Rows(names, count, now - timedelta(seconds=count // sensors + 60))


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
    """Empty the table, put the rows in by text COPY; rows/s."""
    lines = "".join(f"{s}\t{METRIC}\t{t.isoformat()}\t{v}\t0\n" for s, t, v in rows).encode()
    empty(database_url)
    with psycopg.connect(database_url) as connection:
        started = monotonic()
        with connection.cursor().copy("COPY ingest.readings FROM STDIN") as sink:
            for at in range(0, len(lines), 65536):
                sink.write(lines[at : at + 65536])
        connection.commit()
        return rows.count / (monotonic() - started)


def empty(database_url: str) -> None:
    """Remove every reading."""
    execute(database_url, "TRUNCATE ingest.readings")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def stored(database_url: str) -> int:
    """Rows of the benchmark in the table."""
    query = "SELECT count(*) FROM ingest.readings WHERE sensor_id LIKE 'bench-%'"
    return int(execute(database_url, query)[0][0])


def execute(database_url: str, query: str) -> list[Any]:
    """Run one statement; its rows, if it has any."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []
