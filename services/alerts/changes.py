"""What a batch of readings changes, before anything is written. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from services.alerts.machine import Subject
from services.alerts.rule import Rule
from shared.clock import from_micros
from shared.contracts.incident import (
    AlertState,
    Incident,
    IncidentEvent,
    IncidentState,
    incident_id,
)

ENGINE = "rules"  # the actor of what rules do


@dataclass(frozen=True, slots=True)
class Place:
    """What an incident says of a sensor."""

    sensor_id: str
    name: str
    area_id: str | None
    area_name: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule was raised or cleared for a subject."""

    kind: Literal["raised", "cleared"]
    rule: Rule
    place: Place
    subject: Subject
    value: float
    historical: bool


@dataclass
class Changes:
    """Everything one transaction writes. `next_offsets`: partition → next offset to read."""

    transitions: list[Transition] = field(default_factory=list)
    subjects: dict[tuple[str, str], Subject | None] = field(default_factory=dict)
    next_offsets: dict[int, int] = field(default_factory=dict)

    @property
    def urgent(self) -> bool:
        """True when waiting would delay an alert or lose a state."""
        return bool(self.transitions or self.subjects)


def opened(transition: Transition, now: datetime) -> Incident:
    """The incident that a raised rule opens."""
    rule, place = transition.rule, transition.place
    observed_at = from_micros(transition.subject.since_us)
    deadline = rule.deadline_seconds
    return Incident(
        id=incident_id(rule.id, place.sensor_id, observed_at),
        title=_title(rule, place),
        state=IncidentState.OPEN,
        alert_state=AlertState.ACTIVE,
        grade=rule.grade,
        priority=rule.priority,
        area_id=place.area_id,
        subjects=(place.sensor_id,),
        rule_id=rule.id,
        rule_version=rule.version,
        metric=rule.metric,
        value=transition.value,
        threshold=rule.threshold,
        opened_at=now,
        updated_at=now,
        observed_at=observed_at,
        deadline_at=None if deadline is None else now + timedelta(seconds=deadline),
        department=rule.department,
        historical=transition.historical,
    )


def refired(incident: Incident, transition: Transition, now: datetime) -> Incident:
    """The incident that is still worked on when its rule is raised again."""
    return _step(incident, now, alert_state=AlertState.ACTIVE, value=transition.value)


def cleared(incident: Incident, now: datetime) -> Incident:
    """The incident after its condition has gone: people still close it."""
    return _step(incident, now, alert_state=AlertState.CLEARED)


def event(
    incident: Incident, kind: str, now: datetime, actor: str = ENGINE, note: str = ""
) -> IncidentEvent:
    """The event of the step that led to `incident`; its id is the same whenever it is made."""
    return IncidentEvent(
        id=event_id(incident.id, incident.version),
        type=kind,
        timestamp=now,
        actor=actor,
        note=note,
        data=incident,
    )


def event_id(incident: UUID, version: int) -> UUID:
    """One id per step."""
    return uuid5(incident, str(version))


def _step(incident: Incident, now: datetime, **changed: object) -> Incident:
    update = {"updated_at": now, "version": incident.version + 1} | changed
    return incident.model_copy(update=update)


def _title(rule: Rule, place: Place) -> str:
    """The cause first: it must survive where a list cuts the line."""
    name = place.name or place.sensor_id
    if place.area_name and not name.startswith(place.area_name):
        name = f"{place.area_name} {name}"
    return f"{rule.title.zh} · {name}"
