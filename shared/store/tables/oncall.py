"""Tables of on-call duty, which alerts writes."""

from sqlalchemy import Column, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.store.tables.columns import metadata, moment, now

oncall_entries = Table(  # people, rosters, chains and routes, as they are written
    "oncall_entries",
    metadata,
    Column("kind", Text, primary_key=True),  # person | roster | chain | route
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),  # routes: the one that is looked at first is least
    Column("document", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    now("changed_at"),
    schema="alerts",
)
roster_overrides = Table(
    "roster_overrides",
    metadata,
    Column("override_id", Uuid, primary_key=True),
    Column("roster_id", Text, nullable=False),
    Column("people", ARRAY(Text), nullable=False),
    moment("starts_at"),
    moment("ends_at"),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    moment("created_at"),
    moment("removed_at", nullable=True),
    Column("removed_by", Text),
    Index("roster_overrides_by_end", "ends_at"),
    schema="alerts",
)
