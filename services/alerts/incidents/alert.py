"""An alert: one rule's state for one subject, from one start on. Pure."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.alerts.detect.score import Finding
from services.alerts.incidents.foreseeing import foreseen
from services.alerts.judging.transition import Key, Place, Transition
from shared.clock import from_micros
from shared.contracts.incident import (
    Alarm,
    Cause,
    Suppression,
    Unusual,
    WarningColour,
    incident_id,
)

State = Literal["active", "no_data", "cleared"]


@dataclass(frozen=True, slots=True)
class Alert:
    """A row of `alerts.alerts`. Times are event time: `started_at`, since when the condition held;
    `raised_at`, after its on-delay; `observed_at`, its newest change. `peak`: the worst value."""

    alert_id: UUID
    incident_id: UUID
    rule_id: str
    rule_version: int
    subject: str
    metric: str | None
    area_id: str | None
    cause: str | None
    state: State
    started_at: datetime
    raised_at: datetime
    observed_at: datetime
    cleared_at: datetime | None
    grade: int
    priority: int
    warning: WarningColour | None
    value: float
    peak: float
    threshold: float
    historical: bool
    flapping: bool = False
    suppressed: Suppression | None = None

    @property
    def key(self) -> Key:
        """Rule and subject."""
        return self.rule_id, self.subject

    @property
    def standing(self) -> bool:
        """Whether its condition may still hold: missing data does not end it."""
        return self.state != "cleared"

    @property
    def alarm(self) -> Alarm | None:
        """The series it colours."""
        return None if self.metric is None else Alarm(self.subject, self.metric, self.priority)

    @property
    def order(self) -> tuple[datetime, UUID]:
        """By raising: the same, whatever the order of arrival."""
        return self.raised_at, self.alert_id


def alert_id(transition: Transition) -> UUID:
    """Rule, subject and start: the same, live or replayed."""
    started_at = from_micros(transition.started_us)
    return incident_id(transition.rule.id, transition.subject, started_at)


def raised(transition: Transition, place: Place, incident: UUID) -> Alert:
    """The alert that a transition raises, in an incident."""
    rule = transition.rule
    return Alert(
        alert_id=alert_id(transition),
        incident_id=incident,
        rule_id=rule.id,
        rule_version=rule.version,
        subject=transition.subject,
        metric=rule.metric,
        area_id=place.area_id,
        cause=rule.cause,
        state="active",
        started_at=from_micros(transition.started_us),
        raised_at=raised_at(transition),
        observed_at=from_micros(transition.observed_us),
        cleared_at=None,
        grade=transition.grade,
        priority=transition.priority,
        warning=transition.warning,
        value=transition.value,
        peak=transition.value,
        threshold=transition.threshold,
        historical=transition.historical,
        flapping=transition.flapping,
    )


def raised_at(transition: Transition) -> datetime:
    """Event time of the raising. Without an on-delay that is the start, however late it was found
    out: absence shows at a tick, or at the next reading."""
    if transition.rule.for_seconds == 0:
        return from_micros(transition.started_us)
    return from_micros(transition.observed_us)


def moved(alert: Alert, transition: Transition) -> Alert:
    """The alert after a later transition of it."""
    cleared_at = from_micros(transition.observed_us)
    observed_at = max(alert.observed_at, cleared_at)
    match transition.kind:
        case "cleared":
            return replace(
                alert,
                state="cleared",
                observed_at=observed_at,
                cleared_at=cleared_at,
                value=transition.value,
                flapping=False,
            )
        case "no_data":
            return replace(alert, state="no_data", observed_at=observed_at)
        case "resumed":
            return replace(alert, state="active", observed_at=observed_at, value=transition.value)
    return replace(
        alert,
        observed_at=observed_at,
        rule_version=transition.rule.version,
        grade=transition.grade,
        priority=transition.priority,
        warning=transition.warning,
        value=transition.value,
        peak=_worse(alert, transition.value),
        threshold=transition.threshold,
        flapping=transition.flapping,
    )


def is_news(alert: Alert, transition: Transition) -> bool:
    """False for what the alert has been through already: an engine may say a thing twice."""
    observed_at = from_micros(transition.observed_us)
    match transition.kind:
        case "no_data":
            return alert.state == "active" and observed_at > alert.observed_at
        case "resumed":
            return alert.state == "no_data"
        case "changed":
            now = (transition.grade, transition.priority, transition.warning, transition.flapping)
            known = (alert.grade, alert.priority, alert.warning, alert.flapping)
            return alert.standing and observed_at >= alert.observed_at and now != known
    return transition.kind == "cleared" and alert.standing


def cause_of(alert: Alert, transition: Transition) -> Cause:
    """What a step acted upon."""
    return Cause(
        alert_id=alert.alert_id,
        rule_id=alert.rule_id,
        rule_version=transition.rule.version,
        subject=alert.subject,
        metric=alert.metric,
        observed_at=from_micros(transition.observed_us),
        value=transition.value,
        unusual=None if transition.finding is None else _unusual(transition.finding),
        foreseen=None if transition.crossing is None else foreseen(transition.crossing),
    )


def _unusual(finding: Finding) -> Unusual:
    def known(number: float) -> float | None:
        return number if math.isfinite(number) else None

    return Unusual(
        sign=finding.sign,
        expected=known(finding.expected),
        observed=known(finding.observed),
        odds=finding.odds,
        since=None if finding.since_us is None else from_micros(finding.since_us),
    )


def _worse(alert: Alert, value: float) -> float:
    """Away from the threshold, on the side on which it was raised."""
    return max(alert.peak, value) if alert.peak >= alert.threshold else min(alert.peak, value)
