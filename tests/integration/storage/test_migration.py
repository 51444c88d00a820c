"""A database of the first version, with data in it, comes to the newest schema whole."""

from datetime import UTC, datetime, timedelta

import psycopg

from deploy.migrations.upgrade import upgrade
from services.ingest.storage.rollups.refresher import Refresher
from shared.store.engine import connect
from shared.store.rollups import WIDTHS, relation
from tests.conftest import drop_database, scratch_database
from tests.integration.storage import AT_ONCE, settle

NOW = datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC)
KEY = "PRIMARY KEY (sensor_id, metric, observed_at) INCLUDE (value, quality)"
# Of the table and of each chunk.
KEYS = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE '%readings_pkey'"
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
        await settle(Refresher(url, lambda: NOW, AT_ONCE), writer)
        await writer.close()
        with psycopg.connect(url) as connection:
            after = connection.execute("SELECT count(*), sum(value) FROM ingest.readings")
            assert after.fetchone() == held
            assert set(connection.execute(KEYS).fetchall()) == {(KEY,)}
            for width in WIDTHS[:-1]:
                query = f"SELECT sum(count), sum(mean * count) FROM {relation(width)}"
                assert connection.execute(query.encode()).fetchone() == held
    finally:
        drop_database(database_server, name)
