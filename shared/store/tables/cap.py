"""Public warnings, which alerts writes."""

from sqlalchemy import Column, Index, Table, Text, Uuid

from shared.store.tables.columns import metadata, moment

cap_messages = Table(  # never changed once they are there: others have copies
    "cap_messages",
    metadata,
    Column("identifier", Text, primary_key=True),
    Column("incident_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),  # Alert | Update | Cancel
    Column("colour", Text, nullable=False),
    Column("headline", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("sender", Text, nullable=False),
    moment("sent_at"),
    moment("expires_at"),
    Column("document", Text, nullable=False),
    Index("cap_messages_by_incident", "incident_id", "sent_at"),
    Index("cap_messages_by_time", "sent_at"),
    schema="alerts",
)
