"""Tables of ops_center about the data that others may have: exports, and the catalogue."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.tables.columns import metadata, moment, now

exports = Table(
    "exports",
    metadata,
    Column("export_id", Uuid, primary_key=True),
    Column("owner", Text, nullable=False),  # key or person, as quotas know them
    Column("made_by", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("selection", JSONB, nullable=False),
    moment("start", nullable=True),
    moment("end"),  # exclusive; up to here nothing is missing
    Column("since", Text),  # the cursor that it goes on from
    now("created_at"),
    moment("expires_at"),
    Index("exports_by_owner", "owner", "created_at"),
    Index("exports_by_expiry", "expires_at"),
    schema="ops",
)
export_parts = Table(
    "export_parts",
    metadata,
    Column(
        "export_id", Uuid, ForeignKey("ops.exports.export_id", ondelete="CASCADE"), primary_key=True
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # new | changed
    moment("start", nullable=True),
    moment("end"),
    # Of the last time that it was made; null: never yet.
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
    Column("sha256", LargeBinary),
    moment("made_at", nullable=True),
    Column("revision", Integer, nullable=False, server_default="0"),  # how often it came out new
    schema="ops",
)
dataset_entries = Table(  # what is said of a dataset, instead of what is said by default
    "dataset_entries",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("owner_zh", Text, nullable=False),
    Column("owner_en", Text, nullable=False),
    Column("description_zh", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("licence", Text, nullable=False),
    schema="ops",
)
dataset_quality = Table(  # how good a dataset was in the hour from `at` on: shares in 0–1
    "dataset_quality",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("series", Integer, nullable=False),
    Column("readings", BigInteger, nullable=False),
    Column("completeness", Double),
    Column("timeliness", Double),
    Column("validity", Double),
    moment("newest_at", nullable=True),
    Index("dataset_quality_by_time", "at"),
    schema="ops",
)
