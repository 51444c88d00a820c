"""The steps that rules take with an incident, before anything is written. Pure."""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.alerts.judging.transition import Place, Transition
from services.alerts.rules.rule import Rule
from shared.clock import from_micros
from shared.contracts.incident import (
    Alarm,
    AlertState,
    Incident,
    IncidentEvent,
    IncidentState,
    incident_id,
)

ENGINE = "rules"  # the actor of what rules do


def opened(transition: Transition, place: Place, now: datetime) -> Incident:
    """The incident that a raised rule opens."""
    rule = transition.rule
    observed_at = from_micros(transition.started_us)
    deadline = rule.deadline_seconds
    return Incident(
        id=incident_id(rule.id, place.sensor_id, observed_at),
        title=_title(rule, place),
        state=IncidentState.OPEN,
        alert_state=AlertState.ACTIVE,
        grade=transition.grade,
        priority=transition.priority,
        area_id=place.area_id,
        subjects=(place.sensor_id,),
        rule_id=rule.id,
        rule_version=rule.version,
        metric=rule.metric,
        value=transition.value,
        threshold=transition.threshold,
        opened_at=now,
        updated_at=now,
        observed_at=observed_at,
        deadline_at=None if deadline is None else now + timedelta(seconds=deadline),
        department=rule.department,
        historical=transition.historical,
        alarms=(Alarm(transition.subject, rule.metric, transition.priority),),
    )


def refired(incident: Incident, transition: Transition, now: datetime) -> Incident:
    """The incident that is still worked on when its rule is raised again."""
    alarm = Alarm(transition.subject, transition.rule.metric, transition.priority)
    active = AlertState.ACTIVE
    return stepped(incident, now, alert_state=active, value=transition.value, alarms=(alarm,))


def cleared(incident: Incident, now: datetime) -> Incident:
    """The incident after its condition has gone: people still close it."""
    return stepped(incident, now, alert_state=AlertState.CLEARED, alarms=())


def event(incident: Incident, kind: str, actor: str = ENGINE, note: str = "") -> IncidentEvent:
    """The event of the step that led to `incident`; its id is the same whenever it is made."""
    return IncidentEvent(
        id=event_id(incident.id, incident.version),
        type=kind,
        timestamp=incident.updated_at,
        actor=actor,
        note=note,
        data=incident,
    )


def event_id(incident: UUID, version: int) -> UUID:
    """One id per step."""
    return uuid5(incident, str(version))


def stepped(incident: Incident, now: datetime, **changed: object) -> Incident:
    """The incident one version later. Its own time never runs backwards, whatever clocks do:
    deliveries are ordered by it."""
    moment = max(now, incident.updated_at)
    return incident.model_copy(
        update={"updated_at": moment, "version": incident.version + 1} | changed
    )


def _title(rule: Rule, place: Place) -> str:
    """The cause first: it must survive where a list cuts the line."""
    name = place.name or place.sensor_id
    if place.area_name and not name.startswith(place.area_name):
        name = f"{place.area_name} {name}"
    return f"{rule.title.zh} · {name}"
