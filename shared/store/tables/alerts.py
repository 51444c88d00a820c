"""Tables that alerts writes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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

TOP = text("parent_id IS NULL AND merged_into IS NULL")  # what stands in an operator's list

alert_progress = Table(
    "progress",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    schema="alerts",
)
snapshots = Table(  # an engine's state of a partition before the record at `next_offset`;
    "snapshots",  # partition -1: of all, before there were snapshots
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("incarnation", Text, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("form", SmallInteger, nullable=False),
    Column("kept", LargeBinary, nullable=False),
    now("written_at"),
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
    moment("opened_at"),
    moment("updated_at"),
    moment("observed_at"),
    moment("deadline_at", nullable=True),
    Column("department", Text),
    Column("historical", Boolean, nullable=False, server_default="false"),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False, server_default="alert"),  # alert | report | flood
    Column("parent_id", Uuid, ForeignKey("alerts.incidents.id")),
    Column("merged_into", Uuid, ForeignKey("alerts.incidents.id")),
    Column("links", ARRAY(Uuid), nullable=False, server_default="{}"),
    Column("cause", Text),
    Column("category", Text),
    Column("warning", Text),
    Column("members", Integer, nullable=False, server_default="1"),
    Column("alarms", JSONB, nullable=False, server_default="[]"),
    Column("suppressed", JSONB(none_as_null=True)),
    Column("flapping", Boolean, nullable=False, server_default="false"),
    Column("assigned_area", Text),
    moment("step_due_at", nullable=True),
    Column("overdue", Boolean, nullable=False, server_default="false"),
    Column("held", ARRAY(Text), nullable=False, server_default="{}"),
    # How alerts gather, not shown: event time of the first and the last raising.
    Column("group_key", Text),
    moment("first_at", nullable=True),
    moment("last_at", nullable=True),
    Column("first_alert", Uuid),  # it gives the incident its id
    Column("touched", Boolean, nullable=False, server_default="false"),  # by a person
    Index("incidents_by_state", "state", "priority", "opened_at"),
    Index("incidents_open_by_rule", "rule_id", postgresql_where=text("state <> 'closed'")),
    Index("incidents_by_opening", "opened_at", "id"),
    Index("incidents_open_by_group", "group_key", postgresql_where=text("state <> 'closed'")),
    Index("incidents_top", "opened_at", "id", postgresql_where=TOP),
    Index("incidents_by_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index("incidents_by_first", "first_at"),
    Index("incidents_by_update", "updated_at"),
    Index("incidents_by_rule", "rule_id", "opened_at"),
    Index("incidents_by_area", "area_id", "opened_at"),
    Index("incidents_by_due", "step_due_at", postgresql_where=text("NOT overdue")),
    schema="alerts",
)
timeline = Table(
    "timeline",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, ForeignKey("alerts.incidents.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    moment("at"),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("cause", JSONB(none_as_null=True)),  # the reading behind it: contracts.incident.Cause
    # What the step led to.
    Column("state", Text),
    moment("step_due_at", nullable=True),
    moment("deadline_at", nullable=True),
    moment("event_at"),  # when it happened; `at`: when it was recorded
    Column("after", JSONB, nullable=False),  # the incident, as screens see it
    UniqueConstraint("incident_id", "version"),
    Index("timeline_by_event", "event_at"),
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
    now("created_at"),
    Column("name", Text, nullable=False, server_default=""),
    Column("channel", Text, nullable=False, server_default="webhook"),
    Column("language", Text, nullable=False, server_default="zh"),
    Column("options", JSONB, nullable=False, server_default="{}"),
    Column("previous_secret", Text),  # still valid, until:
    moment("previous_until", nullable=True),
    moment("removed_at", nullable=True),  # kept for its ledger only
    moment("failing_since", nullable=True),
    Column("failures", Integer, nullable=False, server_default="0"),  # one after another
    Column("slow", Boolean, nullable=False, server_default="false"),  # the last time
    moment("not_before", nullable=True),  # nothing is sent earlier: pace, Retry-After, breaker
    Column("level", Text, nullable=False, server_default="internal"),  # what it is cleared for
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
    moment("due_at"),
    now("created_at"),
    Column("purpose", Text, nullable=False, server_default="integration"),
    Column("person", Text),
    Column("fallbacks", ARRAY(Uuid), nullable=False, server_default="{}"),
    Column("tries", Integer, nullable=False, server_default="0"),  # since it was queued last
    Index(
        "deliveries_queued",
        "endpoint_id",
        "created_at",
        "delivery_id",
        postgresql_where=text("state = 'queued'"),
    ),
    Index("deliveries_by_making", "created_at", "delivery_id"),
    Index("deliveries_by_incident", "incident_id", "endpoint_id"),
    Index(
        "deliveries_of_warnings",
        "endpoint_id",
        "created_at",
        postgresql_where=text("type LIKE 'warning.%'"),
    ),
    Index("deliveries_by_event", "event_id", postgresql_where=text("purpose = 'paging'")),
    Index(
        "deliveries_paging",
        "due_at",
        postgresql_where=text("state = 'queued' AND purpose = 'paging'"),
    ),
    schema="alerts",
)
