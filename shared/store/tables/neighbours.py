"""Neighbouring cities, which alerts writes."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.store.tables.columns import metadata, moment, now

neighbours = Table(
    "neighbours",
    metadata,
    Column("adcode", Integer, primary_key=True, autoincrement=False),
    Column("endpoint_id", Uuid, ForeignKey("alerts.endpoints.endpoint_id"), nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("interest", JSONB),  # which of our warnings it is sent; NULL: none
    Column("silent_after_minutes", Integer),  # NULL: it need not be heard of
    moment("heard_at", nullable=True),  # its last message with a good signature
    moment("beat_at", nullable=True),  # our last sign of life to it
    now("created_at"),
    moment("removed_at", nullable=True),
    schema="alerts",
)
neighbour_warnings = Table(  # never changed once they are there; which of them hold is a question
    "neighbour_warnings",
    metadata,
    Column("adcode", Integer, ForeignKey("alerts.neighbours.adcode"), primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("identifier", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # Alert | Update | Cancel
    Column("exercise", Boolean, nullable=False),
    moment("sent_at"),
    moment("since"),
    moment("expires_at"),
    Column("severity", Text, nullable=False),  # Extreme | Severe | Moderate | Minor | Unknown
    Column("category", Text, nullable=False),
    Column("wording", JSONB, nullable=False),  # {zh, en}: {event, headline, area, description}
    Column("outline", JSONB),  # outer rings of [longitude, latitude], WGS 84
    Column("replaces", ARRAY(Text), nullable=False),  # "sender,identifier" of earlier messages
    Column("document", Text, nullable=False),
    moment("received_at"),
    Index("neighbour_warnings_by_expiry", "expires_at"),
    schema="alerts",
)
