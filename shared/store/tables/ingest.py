"""Tables that ingest writes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.store.tables.columns import metadata, moment, now

areas = Table(
    "areas",
    metadata,
    Column("area_id", Text, primary_key=True),  # "441200", "441202", or an H3 cell
    Column("parent_id", Text),
    Column("level", Text, nullable=False),  # city | district | town | cell
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("polygon", JSONB),  # GeoJSON geometry, WGS 84
    now("updated_at"),
    schema="ingest",
)
metrics = Table(
    "metrics",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("domain", Text, nullable=False),  # traffic | environment | utilities | platform
    Column("unit", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("minimum", Double),  # plausible range, inclusive; null: open
    Column("maximum", Double),
    Column("normal_low", Double),  # normal range, for tiles
    Column("normal_high", Double),
    Column("interval_seconds", Integer, nullable=False),  # expected; stale beyond 3 of them
    Column("max_age_seconds", Integer, nullable=False, server_default="604800"),
    Column("deadband", Double, nullable=False, server_default="0"),  # smaller changes are noise
    Column("origin", Text, nullable=False, server_default="catalogue"),  # catalogue | edited
    now("updated_at"),
    Column("foretold", Boolean, nullable=False, server_default="false"),  # GET /v1/forecast
    schema="ingest",
)
sensors = Table(
    "sensors",
    metadata,
    Column("sensor_id", Text, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("metrics", ARRAY(Text), nullable=False),
    Column("lon", Double),  # WGS 84; null: unplaced
    Column("lat", Double),
    Column("area_id", Text),  # district; null: unplaced
    Column("town_id", Text),  # town or street below it, where a city has imported them
    Column("cell_id", Text),  # H3 cell
    Column("retired", Boolean, nullable=False, server_default="false"),
    now("updated_at"),
    schema="ingest",
)
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),  # shown to people
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column(
        "scopes", ARRAY(Text), nullable=False
    ),  # post | register | backfill | correct | mend | report
    now("created_at"),
    moment("expires_at", nullable=True),
    Column("previous_sha256", LargeBinary, unique=True),  # the token before the last rotation
    moment("previous_until", nullable=True),
    Column("domains", ARRAY(Text), nullable=False, server_default="{}"),  # empty: all
    Column("areas", ARRAY(Text), nullable=False, server_default="{}"),
    Column("metrics", ARRAY(Text), nullable=False, server_default="{}"),
    Column("readings_per_second", Double),  # null: the default quota; 0: unlimited
    Column("readings_burst", BigInteger),
    Column("bytes_per_second", Double),
    Column("bytes_burst", BigInteger),
    Column("created_by", Text, nullable=False, server_default=""),
    moment("rotated_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    schema="ingest",
)
idempotency = Table(  # answers that are remembered for a day, where a key is sent
    "idempotency",
    metadata,
    Column("key_id", Text, primary_key=True),  # of the API key
    Column("key", Text, primary_key=True),  # as sent
    Column("fingerprint", LargeBinary, nullable=False),  # SHA-256 of the request
    Column("status", SmallInteger),  # null: under way
    Column("answer", LargeBinary),  # the body, deflated
    moment("taken_at"),
    Index("idempotency_by_age", "taken_at"),
    schema="ingest",
)
readings = Table(
    "readings",
    metadata,
    Column("sensor_id", Text),
    Column("metric", Text),
    Column("observed_at", DateTime(timezone=True)),
    Column("value", Double, nullable=False),
    Column("quality", SmallInteger, nullable=False, server_default="0"),  # 0 good 1 suspect 2 bad
    # A series' rows lie as far apart as they came: in its key they lie together.
    PrimaryKeyConstraint(
        "sensor_id", "metric", "observed_at", postgresql_include=["value", "quality"]
    ),
    Index(
        "readings_by_time",
        "observed_at",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
    ),
    schema="ingest",
)
progress = Table(  # what a service has taken from the log, written with its effects
    "progress",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    now("updated_at"),
    schema="ingest",
)
corrections = Table(  # every value that `replace` has superseded
    "corrections",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("sensor_id", Text, nullable=False),
    Column("metric", Text, nullable=False),
    moment("observed_at"),
    Column("old_value", Double, nullable=False),
    Column("new_value", Double, nullable=False),
    Column("source", Text, nullable=False),
    now("corrected_at"),
    schema="ingest",
)
