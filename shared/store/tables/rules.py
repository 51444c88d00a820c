"""Tables of alerts: the rules."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.tables.columns import metadata, now

rules = Table(  # every version of every rule; rows are only ever added
    "rules",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("change", BigInteger, nullable=False, unique=True),  # order of all changes
    Column("document", JSONB, nullable=False),  # without id, version and `enabled`
    Column("enabled", Boolean, nullable=False, server_default="true"),
    Column("retired", Boolean, nullable=False, server_default="false"),
    Column("source", Text, nullable=False),  # file | api
    Column("file", Text, nullable=False, server_default=""),  # name, where `source` is file
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    now("created_at"),
    schema="alerts",
)
