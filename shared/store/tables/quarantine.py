"""What ingest has set aside, and the mappings of its other doors."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.tables.columns import metadata, now

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("index", Integer, nullable=False),  # of the item in its request
    Column("incarnation", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("item", JSONB, nullable=False),  # as it came
    now("quarantined_at"),
    Column("format", Text, nullable=False, server_default="reading"),  # in which it came
    Column("reading", JSONB(none_as_null=True)),  # what its door made of it; null: `item` is one
    Column("mended", JSONB(none_as_null=True)),
    Column("state", Text, nullable=False, server_default="waiting"),  # replayed | discarded
    Column("version", Integer, nullable=False, server_default="0"),  # one more with every change
    Column("receipt", Text),  # of the replay
    Column("announced", Boolean, nullable=False, server_default="false"),
    UniqueConstraint("incarnation", "topic", "partition", "offset", "index"),
    Index("quarantine_by_source", "source", "state", "id"),
    Index("quarantine_by_time", "quarantined_at"),
    Index("quarantine_unannounced", "id", postgresql_where=text("NOT announced")),
    schema="ingest",
)
quarantine_changes = Table(  # who mended, replayed or discarded what
    "quarantine_changes",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column(
        "quarantine_id",
        BigInteger,
        ForeignKey("ingest.quarantine.id", ondelete="CASCADE"),
        nullable=False,
    ),
    now("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),  # mended | replayed | refused | discarded | restored
    Column("detail", Text, nullable=False, server_default=""),
    Column("item", JSONB(none_as_null=True)),  # as mended
    Index("quarantine_changes_by_item", "quarantine_id"),
    schema="ingest",
)
quarantine_dropped = Table(  # how many the bound has cost
    "quarantine_dropped",
    metadata,
    Column("source", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("dropped", BigInteger, nullable=False),
    now("last_at"),
    schema="ingest",
)
door_mappings = Table(
    "door_mappings",
    metadata,
    Column("door", Text, primary_key=True),  # ngsi | sensorthings | mqtt
    Column("mapping", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    now("changed_at"),
    schema="ingest",
)
