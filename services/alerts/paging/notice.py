"""That somebody is to be told of an incident, and whether it is still worth saying. Pure.

The order of reasons is Alertmanager's: settled, inhibited or silenced, muted, said already.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.alerts.incidents.grouping import ALONE
from services.alerts.oncall.route import Route
from shared.contracts.incident import AlertState, Incident, IncidentState

Reason = Literal["new", "escalated", "repeat", "changed", "resolved"]
State = Literal["waiting", "sent", "dropped", "superseded"]
NOBODY = "nobody"
BREATH = timedelta(minutes=2)  # between two pages of one person, but for priority 1
_TAKEN = {IncidentState.ACKNOWLEDGED, IncidentState.DISPATCHED, IncidentState.HANDLING}
_OVER = {IncidentState.RESOLVED, IncidentState.CLOSED}


@dataclass(frozen=True)
class Notice:
    """`recipient`: `person:…`, `endpoint:…`, or `nobody` (who should have been told, and could not
    be). `group`: what leaves in one message, no sooner than `interval` after
    the last; `urgent`: at once."""

    notice_id: UUID
    incident_id: UUID
    recipient: str
    route_id: str
    group: str
    reason: Reason
    urgent: bool
    created_at: datetime
    due_at: datetime
    interval: timedelta = timedelta(0)
    state: State = "waiting"
    why: str = ""

    def dropped(self, why: str) -> "Notice":
        """Not said, and why."""
        return replace(self, state="dropped", why=why)

    def sent(self) -> "Notice":
        """In a page."""
        return replace(self, state="sent", why="")

    def postponed(self, until: datetime, why: str) -> "Notice":
        """Said later, and why."""
        return replace(self, due_at=until, why=why)


@dataclass(frozen=True)
class Heard:
    """What a recipient was told lately. `incidents`: when last, of each; `page_at`: the last page
    that was not of priority 1."""

    incidents: Mapping[UUID, datetime]
    page_at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """What notices are judged by, as it is now. `unattended`: incidents whose acknowledgement has
    expired."""

    incidents: Mapping[UUID, Incident]
    unattended: Collection[UUID]
    routes: Mapping[str, Route]


@dataclass(frozen=True)
class Gathered:
    """What becomes of a recipient's due notices: said in one page, said later, or not at all."""

    said: tuple[Notice, ...]
    later: tuple[Notice, ...]
    never: tuple[Notice, ...]


def taken(incident: Incident) -> bool:
    """Somebody has acknowledged it and works on it."""
    return incident.state in _TAKEN


def over(incident: Incident) -> bool:
    """Nothing is left to do, or what it was about has passed."""
    return incident.state in _OVER or incident.alert_state == AlertState.CLEARED


def hidden(incident: Incident) -> str:
    """Why nobody is told of it; "" if people are."""
    if incident.historical:
        return "long past when it was heard of"
    if incident.suppressed is not None:
        return f"{incident.suppressed.by} {incident.suppressed.id}"
    if incident.merged_into is not None:
        return f"merged into {incident.merged_into}"
    if incident.parent_id is not None:
        return f"part of {incident.parent_id}"
    return ""


def gather(due: Sequence[Notice], standing: Standing, heard: Heard, now: datetime) -> Gathered:
    """Decide of all that is due for one recipient."""
    said: list[Notice] = []
    later: list[Notice] = []
    never: list[Notice] = []
    for notice in due:
        incident = standing.incidents[notice.incident_id]
        why = _reason_to_drop(notice, incident, standing, heard)
        route = standing.routes.get(notice.route_id)
        muted = route.muted_until(incident, now) if route is not None and not why else None
        if why:
            never.append(notice.dropped(why))
        elif muted is not None:
            later.append(notice.postponed(muted, f"muted by route {notice.route_id}"))
        else:
            said.append(notice)
    if heard.page_at is not None and now < heard.page_at + BREATH:
        free = heard.page_at + BREATH
        calm = [one for one in said if not one.urgent]
        later += [one.postponed(free, "a page left less than 2 minutes ago") for one in calm]
        said = [one for one in said if one.urgent]
    if any(one.urgent for one in said):  # what is urgent leaves alone; the others follow
        later += [one for one in said if not one.urgent]
        said = [one for one in said if one.urgent]
    return Gathered(tuple(said), tuple(later), tuple(never))


def _reason_to_drop(notice: Notice, incident: Incident, standing: Standing, heard: Heard) -> str:
    if notice.reason == "resolved":
        return "" if over(incident) else "it is not over any more"
    if over(incident):
        return "over before it was said"
    quiet = hidden(incident)
    if quiet:
        return quiet
    attended = taken(incident) and incident.id not in standing.unattended
    if attended and notice.reason != "changed":
        return "acknowledged"
    at = heard.incidents.get(incident.id)
    if at is not None and at >= notice.created_at and notice.reason != "changed":
        return "said already"
    return ""


def urgent(incident: Incident) -> bool:
    """Priority 1 waits for nobody."""
    return incident.priority == ALONE
