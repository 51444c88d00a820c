"""Tables that ops_center writes."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from shared.store.tables.columns import metadata, moment, now

accounts = Table(
    "accounts",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),  # viewer | operator | dispatcher | admin
    now("created_at"),
    schema="ops",
)
sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("username", Text, ForeignKey("ops.accounts.username"), nullable=False),
    now("created_at"),
    moment("expires_at"),
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
