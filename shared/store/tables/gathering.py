"""Tables of alerts: what gathers into incidents, and what keeps them quiet."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.tables.columns import metadata, moment, now

alerts = Table(  # one rule's alert for one subject, from one start on
    "alerts",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, ForeignKey("alerts.incidents.id"), nullable=False, index=True),
    Column("rule_id", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("metric", Text),
    Column("area_id", Text),
    Column("cause", Text),
    Column("state", Text, nullable=False),  # active | no_data | cleared
    moment("started_at"),
    moment("raised_at"),  # event time at which it was raised, after the on-delay
    moment("observed_at"),  # event time of its newest change
    moment("cleared_at", nullable=True),
    Column("grade", SmallInteger, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("warning", Text),
    Column("value", Double, nullable=False),
    Column("peak", Double, nullable=False),  # the worst value so far
    Column("threshold", Double, nullable=False),
    Column("historical", Boolean, nullable=False, server_default="false"),
    Column("flapping", Boolean, nullable=False, server_default="false"),
    Column("suppressed", JSONB(none_as_null=True)),  # contracts.incident.Suppression
    now("recorded_at"),
    Index("alerts_of_subject", "subject", "rule_id", "started_at"),
    Index("alerts_standing", "rule_id", "subject", postgresql_where=text("state <> 'cleared'")),
    Index("alerts_by_raising", "raised_at", "alert_id"),
    schema="alerts",
)
silences = Table(  # and maintenance windows, subjects out of service, shelvings; kept
    "silences",
    metadata,
    Column("silence_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),  # silence | maintenance | out_of_service | shelving
    Column("matchers", JSONB, nullable=False, server_default="{}"),
    Column("incident_id", Uuid, ForeignKey("alerts.incidents.id")),  # of a shelving
    moment("starts_at"),
    moment("ends_at"),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    now("created_at"),
    moment("ended_at", nullable=True),  # ended early
    Column("ended_by", Text),
    Index("silences_by_end", "ends_at", "silence_id"),
    schema="alerts",
)
dependencies = Table(  # what fails upstream makes fail downstream; sensor ids or globs
    "dependencies",
    metadata,
    Column("upstream", Text, primary_key=True),
    Column("downstream", Text, primary_key=True),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_by", Text, nullable=False),
    now("created_at"),
    schema="alerts",
)
