"""Tables of the embedded event log."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.tables.columns import metadata

log_partitions = Table(
    "partitions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("first_offset", BigInteger, nullable=False, server_default="0"),
    Column("next_offset", BigInteger, nullable=False, server_default="0"),
    Column("kept_bytes", BigInteger, nullable=False, server_default="0"),
    schema="eventlog",
)
log_records = Table(
    "records",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("key", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("headers", JSONB),
    Column("logged_us", BigInteger, nullable=False),
    schema="eventlog",
)
log_groups = Table(
    "groups",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("group", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    schema="eventlog",
)
log_life = Table(
    "life",
    metadata,
    Column("incarnation", Text, primary_key=True),
    schema="eventlog",
)
