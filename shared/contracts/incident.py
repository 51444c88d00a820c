"""An incident and its events: the value of a `city.incidents` record and a webhook's body."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

ALARMS_AT_MOST = 500  # of one incident on the wire; the alerts themselves are all kept
SUBJECTS_IN_WEBHOOK = 100
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


IncidentKind = Literal["alert", "report", "flood"]
WarningColour = Literal["red", "orange", "yellow", "blue"]


class Alarm(NamedTuple):
    """A series that is in alarm now."""

    subject: str
    metric: str
    priority: int


class Suppression(BaseModel):
    """Why an incident is recorded but tells nobody. `id`: of the silence, window, shelving, or of
    the inhibition; `until`: when it ends by itself; None: with what inhibits."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    by: Literal["silence", "inhibition", "maintenance", "shelved"]
    id: str
    until: datetime | None = None


class Unusual(BaseModel):
    """Why a reading is unusual for its series. `sign`: spike, season, shift, slow_shift, drift,
    restless or stuck; `expected`, `observed`: in the metric's unit (of stuck: readings without a
    change), null where not known; `odds`: one in so many readings is like this."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sign: str
    expected: float | None = None
    observed: float | None = None
    odds: float
    since: datetime | None = None


class Foreseen(BaseModel):
    """An early warning. `expected`: the value furthest `side` of `limit` within the hours ahead,
    in the metric's unit; `at`: when the limit is passed, most probably; `earliest`, `latest`: the
    band that holds four of five; `latest` null: it may stay on this side. `made_at`: up to when
    readings were known. `zh`, `en`: the same in words, times in China Standard Time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    limit: float
    side: Literal["above", "below"]
    expected: float
    at: datetime
    earliest: datetime
    latest: datetime | None = None
    made_at: datetime
    zh: str
    en: str


class Cause(BaseModel):
    """The reading (or tick) behind a step. `observed_at`: event time; `value`: in the metric's
    unit. `alert_id`: the alert that it raised, changed or cleared. `unusual`: of rules that ask
    for what is; `foreseen`: of those that ask for the next hours."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    alert_id: UUID
    rule_id: str
    rule_version: int
    subject: str
    metric: str | None = None
    observed_at: datetime
    value: float | None = None
    unusual: Unusual | None = None
    foreseen: Foreseen | None = None


class Incident(BaseModel):
    """What a person works on.

    `grade` 1–4 = 特别重大/重大/较大/一般; `priority` 1–4 = the operator's order; `warning`: the
    colour of a public warning. Three scales, none derived from another.
    `subjects`: sensor ids. `observed_at`: event time of the reading that opened it.
    `value`, `metric`, `threshold`: what broke the rule, in the metric's unit.
    `historical`: opened by data older than an hour on arrival; nobody is paged for it.
    `version` rises by one with every step, so that a screen can drop what it has already seen.
    `members`: alerts gathered in it (of a flood: incidents), a flapping one counted once;
    `alarms`: the series in alarm now, at most `ALARMS_AT_MOST`. `parent_id`: the incident that it
    is a consequence or a part of; `merged_into`: where its members went (it is closed then).
    `assigned_area`: the area whose people work on it. `step_due_at`: deadline of the current step,
    `deadline_at`: of the whole case. `overdue`: the current step was not taken in time, and that
    has been told. `held`: of grade, priority and warning, those that people have set: rules change
    them no more.
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
    kind: IncidentKind = "alert"
    parent_id: UUID | None = None
    merged_into: UUID | None = None
    links: tuple[UUID, ...] = ()
    cause: str | None = None
    category: str | None = None
    warning: WarningColour | None = None
    members: int = 1
    alarms: tuple[Alarm, ...] = ()
    suppressed: Suppression | None = None
    flapping: bool = False
    assigned_area: str | None = None
    step_due_at: datetime | None = None
    overdue: bool = False
    held: tuple[str, ...] = ()


class IncidentEvent(BaseModel):
    """One step of an incident. `type` is `incident.` + opened, joined (by another alert), refired,
    changed (another severity), no_data, resumed, member_cleared, cleared, merged, adopted (it has a
    parent now), released (from it), surfaced (its parent was closed), suppressed, unsuppressed; by
    time overdue; by people acknowledged, dispatched, started, resolved, closed, reopened, assigned,
    transferred, regraded, commented, reported (again), absorbed (another), split, linked, unlinked.
    `data` is the incident after the step; `cause`: what rules acted upon."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    type: str
    timestamp: datetime
    actor: str
    note: str = ""
    data: Incident
    cause: Cause | None = None


def incident_id(rule_id: str, subject: str, observed_at: datetime) -> UUID:
    """The same rule, subject and start give the same id, live or replayed."""
    return uuid5(INCIDENT_NAMESPACE, f"{rule_id}|{subject}|{observed_at.isoformat()}")


def public_data(incident: Incident, subjects: int) -> dict[str, Any]:
    """An incident as receivers outside see it: its first `subjects` only, and no single alarms."""
    data = incident.model_dump(mode="json", exclude={"alarms"})
    return data | {"subjects": data["subjects"][:subjects]}


def webhook_body(event: IncidentEvent) -> dict[str, Any]:
    """The public body of a webhook: type, timestamp and the incident under `data`, of a size that
    every receiver takes: the first subjects only, and no single alarms."""
    data = public_data(event.data, SUBJECTS_IN_WEBHOOK)
    cause = event.cause.model_dump(mode="json") if event.cause is not None else None
    return {
        "type": event.type,
        "timestamp": event.timestamp.isoformat(),
        "data": data | {"caused_by": cause},
    }
