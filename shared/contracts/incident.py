"""An incident and its events: the value of a `city.incidents` record and a webhook's body."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

INCIDENT_NAMESPACE = UUID("6f1d2c0e-5d0c-5b7e-9a53-441200441200")


class IncidentState(StrEnum):
    """The closed loop, 闭环: 立案 → 签收 → 派遣 → 处置 → 反馈 → 核查结案."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    RESOLVED = "resolved"
    CLOSED = "closed"


class AlertState(StrEnum):
    """Whether the condition that opened the incident still holds (the second axis)."""

    ACTIVE = "active"
    CLEARED = "cleared"
    NONE = "none"  # a person's report: no rule behind it


class Incident(BaseModel):
    """What a person works on.

    `grade` 1–4 = 特别重大/重大/较大/一般; `priority` 1–4 = the operator's order.
    `subjects`: sensor ids. `observed_at`: event time of the reading that opened it.
    `value`, `metric`, `threshold`: what broke the rule, in the metric's unit.
    `historical`: opened by data older than an hour on arrival; nobody is paged for it.
    `version` rises by one with every step, so that a screen can drop what it has already seen.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    title: str
    state: IncidentState
    alert_state: AlertState = AlertState.NONE
    grade: int
    priority: int
    area_id: str | None
    subjects: tuple[str, ...]
    rule_id: str | None
    rule_version: int | None
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    opened_at: datetime
    updated_at: datetime
    observed_at: datetime
    deadline_at: datetime | None
    department: str | None = None
    historical: bool = False
    version: int = 1


class IncidentEvent(BaseModel):
    """One step of an incident. `type` is `incident.` + opened, cleared, refired, acknowledged,
    dispatched, started, resolved, closed, reopened. `data` is the incident after the step."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    type: str
    timestamp: datetime
    actor: str
    note: str = ""
    data: Incident


def incident_id(rule_id: str, subject: str, observed_at: datetime) -> UUID:
    """The same rule, subject and start give the same id, live or replayed."""
    return uuid5(INCIDENT_NAMESPACE, f"{rule_id}|{subject}|{observed_at.isoformat()}")


def webhook_body(event: IncidentEvent) -> dict[str, Any]:
    """The public body of a webhook: type, timestamp and the incident under `data`."""
    return {
        "type": event.type,
        "timestamp": event.timestamp.isoformat(),
        "data": event.data.model_dump(mode="json"),
    }
