"""The tables whose old chunks ingest drops become its own: a hypertable's owner alone may do so.

Community TimescaleDB keeps compressed rows in a table beside each, in a schema of its own. Only a
superuser can make that over; somebody else makes the table anew, which works while it is empty.
"""

from pathlib import Path

import psycopg
from psycopg import sql

from shared.errors import Misconfigured
from shared.store.tables import readings
from shared.store.tables.storage import rollups_1d, rollups_1h, rollups_1m, rollups_15m

_OWNED = (readings, rollups_1m, rollups_15m, rollups_1h, rollups_1d)
_COMPRESSION = Path(__file__).parent / "sql" / "community.sql"
_PLAIN = "SELECT to_regclass('timescaledb_information.hypertables') IS NULL"
_COMPRESSED = """
SELECT format('%%I.%%I', hypertable_schema, hypertable_name), EXISTS (
  SELECT FROM timescaledb_information.chunks AS c WHERE c.is_compressed
    AND (c.hypertable_schema, c.hypertable_name) = (h.hypertable_schema, h.hypertable_name))
FROM timescaledb_information.hypertables AS h
WHERE compression_enabled AND hypertable_schema = 'ingest' AND owner <> %(role)s
  AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
  AND NOT has_schema_privilege(%(role)s, '_timescaledb_internal', 'CREATE')
"""
_OPEN = """
SELECT remove_compression_policy('{table}', if_exists => true);
ALTER TABLE {table} SET (timescaledb.compress = false);
"""


def hand_over(connection: psycopg.Connection, role: str) -> None:
    """In the caller's transaction. Raises `Misconfigured` when a superuser must help."""
    opened = _open(connection, role)
    for table in _OWNED:
        named = sql.Identifier(str(table.schema), table.name)
        connection.execute(
            sql.SQL("ALTER TABLE {} OWNER TO {}").format(named, sql.Identifier(role))
        )
    if opened:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        connection.execute(_COMPRESSION.read_bytes())
        connection.execute("RESET ROLE")


def _open(connection: psycopg.Connection, role: str) -> bool:
    """Switch compression off where it stands in the way; whether it did."""
    row = connection.execute(_PLAIN).fetchone()
    if row is None or row[0]:
        return False
    found = connection.execute(_COMPRESSED, {"role": role}).fetchall()
    if any(used for _, used in found):
        raise Misconfigured(
            "chunks are compressed already: a superuser must first run"
            f' GRANT CREATE ON SCHEMA _timescaledb_internal TO "{role}"'
        )
    for table, _ in found:
        connection.execute(_OPEN.format(table=table).encode())
    return bool(found)
