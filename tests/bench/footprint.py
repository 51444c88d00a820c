"""`footprint`: bytes on disk of one stored reading, indexes included, before any compression.

Value: size of the table of readings (all chunks, indexes) ÷ readings. Denominator (`limit_is`):
the same readings as text COPY writes them. The server: the named one, else the embedded one.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from deploy.migrations.upgrade import upgrade
from shared.store import embedded
from tests.bench import report, rows
from tests.conftest import drop_database, scratch_database

_PLAIN = "SELECT pg_total_relation_size('ingest.readings')"
_HYPER = "SELECT hypertable_size('ingest.readings')"


def run(quick: bool) -> str:
    """One filling of one table."""
    machine = report.machine()
    with _database() as url:
        [data] = rows.rounds(200_000 if quick else 2_000_000, 1)
        rows.copy(url, data)
        with psycopg.connect(url) as connection:
            hyper = connection.execute(
                "SELECT to_regproc('hypertable_size') IS NOT NULL"
            ).fetchone()
            query = _HYPER if hyper and hyper[0] else _PLAIN
            size = connection.execute(query).fetchone()
        assert size is not None
        table = rows.kind(url)
    each, text = int(size[0]) / data.count, len(data.text()) / data.count
    return report.line(
        "footprint", "bytes per reading", [each], [text],
        limit_is="the same as text COPY", table=table, readings=data.count, **machine,
    )  # fmt: skip


@contextmanager
def _database() -> Iterator[str]:
    """A scratch one with the newest schema."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        named = os.environ.get("YIWANG_TEST_DATABASE_URL")
        server = None if named else embedded.start(Path(folder))
        name, url = scratch_database(named or (server.url if server else ""))
        try:
            upgrade(url)
            yield url
        finally:
            drop_database(named or (server.url if server else ""), name)
            if server is not None:
                embedded.stop(server)
