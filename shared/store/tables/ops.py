"""Tables that ops_center writes."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

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
screen_tokens = Table(
    "screen_tokens",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    now("created_at"),
    schema="ops",
)
