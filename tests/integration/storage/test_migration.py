"""A database of the first version, with data in it, comes to the newest schema whole."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from deploy.migrations.upgrade import upgrade
from services.ingest.storage.rollups.refresher import Refresher
from shared.store.engine import connect
from shared.store.rollups import WIDTHS, relation
from tests.conftest import drop_database, scratch_database
from tests.integration.storage import AT_ONCE

NOW = datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC)
# On TimescaleDB each chunk is searched by itself.
SERIES = """
EXPLAIN (FORMAT JSON) SELECT observed_at, value, quality FROM ingest.readings
WHERE sensor_id = 's1' AND metric = 'm' AND observed_at > %s
"""
FILL = """
INSERT INTO ingest.readings
SELECT 's' || n, 'm', at, n, 0 FROM generate_series(1, 3) AS n,
  generate_series(%s::timestamptz, %s, '10 minutes') AS at
"""


async def test_readings_of_the_first_version_are_kept_and_rolled_up(database_server: str) -> None:
    name, url = scratch_database(database_server)
    try:
        upgrade(url, "0001")
        with psycopg.connect(url) as connection:
            connection.execute(FILL, (NOW - timedelta(days=40), NOW - timedelta(hours=2)))
            before = connection.execute("SELECT count(*), sum(value) FROM ingest.readings")
            held = before.fetchone()
        upgrade(url)
        writer = await connect(url, autocommit=True)
        refresher = Refresher(url, lambda: NOW, AT_ONCE)
        while await refresher.step(writer):
            pass
        await writer.close()
        with psycopg.connect(url) as connection:
            after = connection.execute("SELECT count(*), sum(value) FROM ingest.readings")
            assert after.fetchone() == held
            assert _searched(connection) == {"Index Only Scan"}
            for width in WIDTHS[:-1]:
                query = f"SELECT sum(count), sum(mean * count) FROM {relation(width)}"
                assert connection.execute(query.encode()).fetchone() == held
    finally:
        drop_database(database_server, name)


def _searched(connection: "psycopg.Connection[tuple[Any, ...]]") -> set[str]:
    """How a series' values are found where nothing but an index may be used."""
    for other in ("enable_seqscan", "enable_bitmapscan"):
        connection.execute(f"SET LOCAL {other} = off".encode())
    row = connection.execute(SERIES, (NOW - timedelta(days=40),)).fetchone()
    assert row is not None
    scans = re.findall(r'"Node Type": "(\w*\s*\w* Scan)"', json.dumps(row[0]))
    return {scan for scan in scans if "Custom" not in scan}
