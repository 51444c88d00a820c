"""An incident with what gathers in it, and what its members make of it. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.alerts.incidents.alert import Alert
from shared.contracts.incident import (
    ALARMS_AT_MOST,
    AlertState,
    Incident,
    IncidentState,
    Suppression,
    WarningColour,
)

_COLOURS: tuple[WarningColour, ...] = ("red", "orange", "yellow", "blue")


@dataclass(slots=True)
class Case:
    """`group_key`: what its alerts share; None for what people report and for floods. `first_at`,
    `first_alert`: its first raised alert, `last_at`: its last. `touched`: a person has acted.
    `replaced`: the incidents that have only just turned out to be this one."""

    incident: Incident
    group_key: str | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    first_alert: UUID | None = None
    touched: bool = False
    replaced: tuple[UUID, ...] = ()

    @property
    def id(self) -> UUID:
        """The incident's."""
        return self.incident.id

    @property
    def open(self) -> bool:
        """Whether alerts may still join it."""
        return self.incident.state is not IncidentState.CLOSED

    @property
    def active(self) -> bool:
        """Whether anything of it still holds."""
        return self.open and self.incident.alert_state is AlertState.ACTIVE


class Quiet(Protocol):
    """What keeps alerts and incidents from telling anybody, at one moment."""

    def of(self, alert: Alert) -> Suppression | None:
        """A silence, a maintenance window or an inhibition, if any."""
        ...

    def shelved(self, incident: UUID) -> Suppression | None:
        """The shelving of an incident, if any."""
        ...

    def hear(self, alert: Alert) -> None:
        """An alert has changed: it may inhibit others, or no longer."""
        ...


class Loud:
    """`Quiet` where nothing is silenced."""

    def of(self, _: Alert) -> Suppression | None:
        """Never."""
        return None

    def shelved(self, _: UUID) -> Suppression | None:
        """Never."""
        return None

    def hear(self, _: Alert) -> None:
        """It inhibits nothing."""


def settled(members: Collection[Alert], shelved: Suppression | None) -> dict[str, Any]:
    """The fields of an incident that follow from its alerts. The worst that stands decides, and
    when nothing stands any more the worst there was."""
    ordered = sorted(members, key=lambda alert: alert.order)
    standing = [alert for alert in ordered if alert.standing]
    deciding = standing or ordered
    worst = min(deciding, key=lambda alert: (alert.priority, alert.grade))
    latest = {alert.key: alert for alert in ordered}
    return {
        "alert_state": AlertState.ACTIVE if standing else AlertState.CLEARED,
        "grade": min(alert.grade for alert in deciding),
        "priority": worst.priority,
        "warning": _worst_colour(deciding),
        "area_id": _only(alert.area_id for alert in ordered),
        "subjects": tuple(dict.fromkeys(alert.subject for alert in ordered)),
        "metric": worst.metric,
        "value": worst.value,
        "threshold": worst.threshold,
        "cause": _only(alert.cause for alert in ordered),
        "observed_at": ordered[0].started_at,
        "members": len(latest),
        "alarms": tuple(
            dict.fromkeys(alarm for alert in standing if (alarm := alert.alarm) is not None)
        )[:ALARMS_AT_MOST],
        "flapping": any(alert.flapping for alert in standing),
        "suppressed": shelved or _suppressed(standing),
    }


def span(members: Collection[Alert]) -> dict[str, Any]:
    """The fields of a case that follow from its alerts."""
    first = min(members, key=lambda alert: alert.order)
    last = max(alert.raised_at for alert in members)
    return {"first_at": first.raised_at, "first_alert": first.alert_id, "last_at": last}


def _suppressed(standing: Collection[Alert]) -> Suppression | None:
    """Quiet as long as every alert that stands is."""
    found = [alert.suppressed for alert in standing if alert.suppressed is not None]
    if not found or len(found) < len(standing):
        return None
    timed = [one for one in found if one.until is not None]
    return min(timed, key=lambda one: str(one.until)) if timed else found[0]


def _worst_colour(alerts: Collection[Alert]) -> WarningColour | None:
    found = {alert.warning for alert in alerts}
    return next((colour for colour in _COLOURS if colour in found), None)


def _only(values: Iterable[str | None]) -> str | None:
    """The value that all share."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
