"""Tables of alerts: who has to do what until when, and what people report."""

from sqlalchemy import Boolean, Column, Date, Double, ForeignKey, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from shared.store.tables.columns import metadata, moment, now

departments = Table(
    "departments",
    metadata,
    Column("name", Text, primary_key=True),  # in Chinese: how incidents call it
    Column("name_en", Text, nullable=False),
    Column("categories", ARRAY(Text), nullable=False, server_default="{}"),
    Column("areas", ARRAY(Text), nullable=False, server_default="{}"),  # empty: the whole city
    Column("parent", Text),
    Column("changed_by", Text, nullable=False),
    now("changed_at"),
    schema="alerts",
)
calendar = Table(  # days of which an operator knows better
    "calendar",
    metadata,
    Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("changed_by", Text, nullable=False),
    now("changed_at"),
    schema="alerts",
)
reports = Table(
    "reports",
    metadata,
    Column("report_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, ForeignKey("alerts.incidents.id"), nullable=False, index=True),
    Column("category", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("lon", Double),  # WGS 84
    Column("lat", Double),
    Column("area_id", Text),
    Column("photos", ARRAY(Text), nullable=False, server_default="{}"),  # addresses, never fetched
    Column("reporter", Text, nullable=False),  # hotline | patrol | citizen
    Column("phone", Text),  # a person's: shown by itself only, and erased on demand
    Column("reference", Text),  # the sender's own number
    moment("occurred_at"),
    moment("received_at"),
    Column("received_by", Text, nullable=False),
    Index("reports_by_category", "category", "occurred_at"),
    schema="alerts",
)
