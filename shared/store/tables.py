"""Every table, in the schema of the one service that writes it. Others only read.

`ingest` is written by ingest, `alerts` by alerts, `ops` by ops_center, `eventlog` by the embedded
event log. Migrations (`deploy/migrations`) make them; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _moment(name: str, *, nullable: bool = False) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _now(name: str) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


# --- ingest -----------------------------------------------------------------------------------
areas = Table(
    "areas",
    metadata,
    Column("area_id", Text, primary_key=True),  # "441200", "441202", or an H3 cell
    Column("parent_id", Text),
    Column("level", Text, nullable=False),  # city | district | cell
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("polygon", JSONB),  # GeoJSON geometry, WGS 84
    schema="ingest",
)
metrics = Table(
    "metrics",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("domain", Text, nullable=False),  # traffic | environment | utilities
    Column("unit", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("minimum", Double),  # plausible range, inclusive; null: open
    Column("maximum", Double),
    Column("normal_low", Double),  # normal range, for tiles
    Column("normal_high", Double),
    Column("interval_seconds", Integer, nullable=False),  # expected; stale beyond 3 of them
    Column("max_age_seconds", Integer, nullable=False, server_default="604800"),
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
    Column("cell_id", Text),  # H3 cell below it
    Column("retired", Boolean, nullable=False, server_default="false"),
    _now("updated_at"),
    schema="ingest",
)
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),  # shown to people
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),  # post | register | backfill | correct
    _now("created_at"),
    _moment("expires_at", nullable=True),
    schema="ingest",
)
readings = Table(
    "readings",
    metadata,
    Column("sensor_id", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("observed_at", DateTime(timezone=True), primary_key=True),
    Column("value", Double, nullable=False),
    Column("quality", SmallInteger, nullable=False, server_default="0"),  # 0 good 1 suspect 2 bad
    schema="ingest",
)
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
    _now("quarantined_at"),
    UniqueConstraint("incarnation", "topic", "partition", "offset", "index"),
    schema="ingest",
)
progress = Table(  # what a service has taken from the log, written with its effects
    "progress",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    _now("updated_at"),
    schema="ingest",
)
corrections = Table(  # every value that `replace` has superseded
    "corrections",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("sensor_id", Text, nullable=False),
    Column("metric", Text, nullable=False),
    _moment("observed_at"),
    Column("old_value", Double, nullable=False),
    Column("new_value", Double, nullable=False),
    Column("source", Text, nullable=False),
    _now("corrected_at"),
    schema="ingest",
)

# --- alerts -----------------------------------------------------------------------------------
alert_progress = Table(
    "progress",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    schema="alerts",
)
subjects = Table(  # one rule's state for one subject, kept while it is not normal
    "subjects",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("state", JSONB, nullable=False),
    schema="alerts",
)
incidents = Table(
    "incidents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("alert_state", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("area_id", Text),
    Column("subjects", ARRAY(Text), nullable=False),
    Column("rule_id", Text),
    Column("rule_version", Integer),
    Column("metric", Text),
    Column("value", Double),
    Column("threshold", Double),
    _moment("opened_at"),
    _moment("updated_at"),
    _moment("observed_at"),
    _moment("deadline_at", nullable=True),
    Column("department", Text),
    Column("historical", Boolean, nullable=False, server_default="false"),
    Column("version", Integer, nullable=False),
    Index("incidents_by_state", "state", "priority", "opened_at"),
    schema="alerts",
)
timeline = Table(
    "timeline",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, ForeignKey("alerts.incidents.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    _moment("at"),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    UniqueConstraint("incident_id", "version"),
    schema="alerts",
)
outbox = Table(  # events on their way to `city.incidents`; a row is deleted once it is there
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("incident_id", Uuid, nullable=False),
    Column("event", JSONB, nullable=False),
    schema="alerts",
)
endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint_id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),
    Column("secret", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default="true"),
    _now("created_at"),
    schema="alerts",
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),  # = webhook-id, stable over retries
    Column("endpoint_id", Uuid, ForeignKey("alerts.endpoints.endpoint_id"), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("incident_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),  # queued | delivered | superseded | dead
    Column("attempts", JSONB, nullable=False, server_default="[]"),
    _moment("due_at"),
    _now("created_at"),
    Index("deliveries_due", "state", "due_at"),
    schema="alerts",
)

# --- ops_center -------------------------------------------------------------------------------
accounts = Table(
    "accounts",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),  # viewer | operator | dispatcher | admin
    _now("created_at"),
    schema="ops",
)
sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("username", Text, ForeignKey("ops.accounts.username"), nullable=False),
    _now("created_at"),
    _moment("expires_at"),
    schema="ops",
)
screen_tokens = Table(
    "screen_tokens",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    _now("created_at"),
    schema="ops",
)

# --- the embedded event log --------------------------------------------------------------------
log_partitions = Table(
    "partitions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("first_offset", BigInteger, nullable=False, server_default="0"),
    Column("next_offset", BigInteger, nullable=False, server_default="0"),
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
