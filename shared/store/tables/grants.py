"""Data lent to others, which ingest writes."""

from sqlalchemy import Boolean, Column, Double, Index, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.store.tables.columns import metadata, moment

grants = Table(  # a request, what was decided, and how it ended; rows are kept
    "grants",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # key | person
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),  # readings.value, …
    Column("areas", ARRAY(Text), nullable=False, server_default="{}"),  # empty: all
    Column("metrics", ARRAY(Text), nullable=False, server_default="{}"),
    moment("since", nullable=True),  # of what was observed
    moment("until", nullable=True),
    Column("rows_per_second", Double, nullable=False, server_default="0"),  # 0: unlimited
    moment("ends_at"),
    Column("requested_by", Text, nullable=False),
    moment("requested_at"),
    Column("approved", Boolean),
    Column("decided_by", Text),
    moment("decided_at", nullable=True),
    Column("reason", Text),
    Column("revoked_by", Text),
    moment("revoked_at", nullable=True),
    Column("revoked_because", Text),
    Column("key_id", Text, unique=True),  # of its newest key
    Index("grants_by_request", "requested_at", "grant_id"),
    Index("grants_by_person", "requested_by"),
    schema="ingest",
)
