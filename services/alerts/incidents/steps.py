"""The steps that rules take with an incident, before anything is written. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.alerts.judging.transition import Place, Transition
from services.alerts.rules.rule import Rule
from shared.clock import from_micros
from shared.contracts.incident import (
    AlertState,
    Cause,
    Incident,
    IncidentEvent,
    IncidentState,
)

ENGINE = "rules"  # the actor of what rules do


def opened(incident: UUID, transition: Transition, place: Place, now: datetime) -> Incident:
    """The incident that a raised rule opens. `incident`: its id."""
    rule = transition.rule
    deadline = rule.deadline_seconds
    return Incident(
        id=incident,
        state=IncidentState.OPEN,
        alert_state=AlertState.ACTIVE,
        grade=transition.grade,
        priority=transition.priority,
        area_id=place.area_id,
        subjects=(transition.subject,),
        metric=rule.metric,
        value=transition.value,
        threshold=transition.threshold,
        opened_at=now,
        updated_at=now,
        observed_at=from_micros(transition.started_us),
        deadline_at=None if deadline is None else now + timedelta(seconds=deadline),
        department=rule.department,
        historical=transition.historical,
        cause=rule.cause,
        warning=rule.warning,
        **named(transition, place),
    )


def named(transition: Transition, place: Place) -> dict[str, Any]:
    """What an incident has from its first alert."""
    rule = transition.rule
    return {
        "title": _title(rule, place),
        "rule_id": rule.id,
        "rule_version": rule.version,
        "category": rule.category,
    }


def event(
    incident: Incident,
    kind: str,
    actor: str = ENGINE,
    note: str = "",
    cause: Cause | None = None,
) -> IncidentEvent:
    """The event of the step that led to `incident`; its id is the same whenever it is made."""
    return IncidentEvent(
        id=event_id(incident.id, incident.version),
        type=kind,
        timestamp=incident.updated_at,
        actor=actor,
        note=note,
        data=incident,
        cause=cause,
    )


def event_id(incident: UUID, version: int) -> UUID:
    """One id per step."""
    return uuid5(incident, str(version))


def happened(steps: Sequence[IncidentEvent]) -> list[datetime]:
    """When each step happened in event time: its cause's; what rules do because of another step
    happens with that one; what people do, when they do it. `steps`: of one transaction, in order.
    """
    moments: list[datetime] = []
    last: datetime | None = None
    for step in steps:
        if step.cause is not None:
            last = step.cause.observed_at
        by_rules = step.actor == ENGINE and last is not None
        moments.append(last if by_rules and last else step.timestamp)
    return moments


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
