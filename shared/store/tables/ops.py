"""Tables that ops_center writes."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.store.tables.columns import metadata, moment, now

NEW_ID = "gen_random_uuid()"

accounts = Table(
    "accounts",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text),  # held in every area and domain; NULL: none is
    now("created_at"),
    Column("grants", JSONB, nullable=False, server_default="[]"),  # roles held in some only
    Column("display_name", Text, nullable=False, server_default=""),
    Column("must_change", Boolean, nullable=False, server_default="false"),
    moment("password_until", nullable=True),  # of a one-time password
    moment("disabled_at", nullable=True),
    Column("oidc_subject", Text, unique=True),  # issuer and subject; NULL: logs in here
    Column("department", Text),  # that he works for, as incidents call it
    schema="ops",
)
sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("username", Text, ForeignKey("ops.accounts.username"), nullable=False),
    now("created_at"),
    moment("expires_at"),
    Column("session_id", Uuid, nullable=False, unique=True, server_default=text(NEW_ID)),
    Column("address", Text, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    Column("via", Text, nullable=False, server_default="password"),  # password | oidc
    Index("sessions_by_username", "username"),
    schema="ops",
)
views = Table(
    "views",
    metadata,
    Column("view_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # wall | playlist
    Column("area_id", Text),  # with `domains` what its screens may see
    Column("domains", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("look", JSONB, nullable=False),  # everything that confines nobody
    Column("created_by", Text, nullable=False),
    now("created_at"),
    now("updated_at"),
    UniqueConstraint("name"),
    schema="ops",
)
playlists = Table(
    "playlists",
    metadata,
    Column("view_id", Text, ForeignKey("ops.views.view_id", ondelete="CASCADE"), primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    Column("shown_id", Text, ForeignKey("ops.views.view_id"), nullable=False, index=True),
    Column("seconds", Integer, nullable=False),
    schema="ops",
)
screen_tokens = Table(
    "screen_tokens",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    now("created_at"),
    Column("screen_id", Text, nullable=False, server_default=text("gen_random_uuid()::text")),
    Column("view_id", Text, ForeignKey("ops.views.view_id")),  # null: the whole city
    Column("prefix", Text, nullable=False, server_default=""),
    Column("created_by", Text, nullable=False, server_default=""),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    UniqueConstraint("screen_id"),
    schema="ops",
)
vital_signs = Table(  # how each area's domain was, every five minutes
    "vital_signs",
    metadata,
    Column("area_id", Text, primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),  # a full five minutes
    Column("score", Double),  # 0–100; null: too little was heard
    Column("heard", Double, nullable=False),  # share of the weight that was heard of
    Column("counted", Integer, nullable=False),  # sensors that had ever spoken; of these …
    Column("alarm", Integer, nullable=False),
    Column("outside", Integer, nullable=False),
    Column("silent", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("never", Integer, nullable=False),  # … and beside them
    Column("figures", JSONB, nullable=False),  # by metric
    Index("vital_signs_by_time", "at"),
    schema="ops",
)
free_flow = Table(  # the speed at which traffic flows freely past each sensor
    "free_flow",
    metadata,
    Column("sensor_id", Text, primary_key=True),
    Column("kmh", Double, nullable=False),
    Column("hours", Integer, nullable=False),  # of which it is learned
    moment("learned_at"),
    schema="ops",
)
