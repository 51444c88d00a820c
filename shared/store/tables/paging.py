"""Tables of escalation and paging, which alerts writes."""

from sqlalchemy import (
    Boolean,
    Column,
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

escalations = Table(  # one per incident of which people are told
    "escalations",
    metadata,
    Column("incident_id", Uuid, ForeignKey("alerts.incidents.id"), primary_key=True),
    Column("stage", Text, nullable=False, server_default="new"),
    Column("priority", SmallInteger),  # of the incident, when its routes were found
    Column("expired_version", Integer),  # the incident's, whose acknowledgement has expired
    Column("tracks", JSONB, nullable=False, server_default="[]"),  # routes and chains as they were
    moment("next_at", nullable=True),  # when it is looked at again; none: when something happens
    Index("escalations_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    schema="alerts",
)
notices = Table(  # somebody is to be told of an incident, and what was decided of it
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("incident_id", Uuid, nullable=False),  # no foreign key: it would wait for commands
    Column("recipient", Text, nullable=False),  # person:… | endpoint:… | nobody
    Column("route_id", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("reason", Text, nullable=False),  # new | escalated | repeat | changed | resolved
    Column("urgent", Boolean, nullable=False),
    Column("state", Text, nullable=False),  # waiting | sent | dropped | superseded
    Column("why", Text, nullable=False, server_default=""),
    Column("page_id", Uuid),
    moment("created_at"),
    moment("due_at"),
    moment("decided_at", nullable=True),
    Index("notices_waiting", "recipient", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("notices_sent", "recipient", "decided_at", postgresql_where=text("state = 'sent'")),
    Index("notices_by_incident", "incident_id", "created_at"),
    Index("notices_by_making", "created_at", "notice_id"),
    schema="alerts",
)
link_keys = Table(  # what links in messages are signed with
    "link_keys",
    metadata,
    Column("key_id", Integer, primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),
    now("created_at"),
    schema="alerts",
)
