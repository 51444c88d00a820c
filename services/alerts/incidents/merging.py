"""Merging, splitting and linking incidents: what changes in a casebook, or why not. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.alerts.incidents.alert import Alert
from services.alerts.incidents.case import Case
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.lifecycle import UNFINISHED, Refusal, Step, Wanted, refused
from shared.contracts.incident import AlertState, Incident, IncidentState, Suppression

ANY = frozenset(IncidentState)
MERGE = Step(
    UNFINISHED, IncidentState.CLOSED, "incident.merged", needs_note=True, role="dispatcher"
)
SPLIT = Step(UNFINISHED, None, "incident.split", needs_note=True, role="dispatcher")
LINK = Step(ANY, None, "incident.linked")
UNLINK = Step(ANY, None, "incident.unlinked")

Decision = Callable[[Casebook, Case, Case, Wanted], Refusal | None]


class AsBefore:
    """`case.Quiet`: what is quiet stays so, what is shelved stays shelved."""

    def __init__(self, book: Callable[[], Casebook]) -> None:
        self._book = book

    def of(self, alert: Alert) -> Suppression | None:
        """As it is."""
        return alert.suppressed

    def shelved(self, incident: UUID) -> Suppression | None:
        """As it is."""
        case = self._book().cases.get(incident)
        known = case.incident.suppressed if case is not None else None
        return known if known is not None and known.by == "shelved" else None

    def hear(self, _: Alert) -> None:
        """Nothing begins to inhibit by changing its incident."""


@dataclass(frozen=True)
class Parts:
    """What leaves an incident. `reports`: how many; `left`: how many stay."""

    alerts: Collection[UUID]
    reports: int
    left: int
    title: str | None = None


def merge(book: Casebook, source: Case, target: Case, wanted: Wanted) -> Refusal | None:
    """Everything of `source` goes over to `target`, and `source` ends."""
    refusal = refused(source.incident, "merge", MERGE, wanted) or _no_home(source, target)
    if refusal is not None:
        return refusal
    was, home = source.incident, target.incident
    for alert in book.members(source.id):
        book.put(replace(alert, incident_id=target.id))
    for child in [one for one in book.cases.values() if one.incident.parent_id == source.id]:
        if child is not target:
            book.step(child, "incident.adopted", parent_id=target.id)
    changed: dict[str, Any] = {
        "grade": min(was.grade, home.grade),
        "priority": min(was.priority, home.priority),
        "links": tuple(one for one in home.links if one != source.id),
    }
    if home.kind == "report" or not book.members(target.id):
        changed["members"] = home.members + was.members
    book.step(target, "incident.absorbed", None, None, **changed)
    book.step(
        source,
        MERGE.event,
        state=IncidentState.CLOSED,
        alert_state=AlertState.CLEARED if was.kind == "alert" else AlertState.NONE,
        merged_into=target.id,
        alarms=(),
    )
    return None


def _no_home(source: Case, target: Case) -> Refusal | None:
    if target.id == source.id:
        return Refusal("unfit", "an incident cannot be merged into itself")
    if "flood" in (source.incident.kind, target.incident.kind):
        return Refusal("unfit", "a flood is one incident by itself: merge its parts")
    if target.incident.parent_id == source.id:
        return Refusal("unfit", f"{target.id} is a part of {source.id}: merge that into this one")
    if target.incident.state not in UNFINISHED:
        return Refusal(
            "illegal_transition", f"nothing can be merged into {target.id}: it is closed"
        )
    return None


def split(
    book: Casebook, source: Case, parts: Parts, wanted: Wanted, now: datetime
) -> Case | Refusal:
    """Some alerts and reports become an incident of their own."""
    refusal = refused(source.incident, "split", SPLIT, wanted) or _no_parts(book, source, parts)
    if refusal is not None:
        return refusal
    case = Case(_split_off(book, source.incident, parts, now), touched=True)
    book.cases[case.id] = case
    for alert in [one for one in book.members(source.id) if one.alert_id in parts.alerts]:
        book.put(replace(alert, incident_id=case.id))
    book.step(case, "incident.opened")
    changed: dict[str, Any] = {"links": (*source.incident.links, case.id)}
    staying = book.members(source.id)
    if not staying:
        changed |= _only_told(parts.left)
    elif source.incident.kind == "report":
        changed["members"] = len(staying) + parts.left
    book.step(source, SPLIT.event, None, None, **changed)
    return case


def _no_parts(book: Casebook, source: Case, parts: Parts) -> Refusal | None:
    members = {one.alert_id for one in book.members(source.id)}
    strangers = [one for one in parts.alerts if one not in members]
    if strangers:
        return Refusal("unfit", f"alert {strangers[0]} is not in this incident")
    if not parts.alerts and not parts.reports:
        return Refusal("unfit", "'split' needs alerts or reports that are to leave")
    if len(parts.alerts) == len(members) and not parts.left:
        return Refusal("unfit", "something must stay: close the incident instead")
    return None


def _split_off(book: Casebook, source: Incident, parts: Parts, now: datetime) -> Incident:
    own = {
        "id": uuid5(source.id, f"split|{source.version}"),
        "state": IncidentState.OPEN,
        "opened_at": now,
        "updated_at": now,
        "version": 0,
        "links": (source.id,),
        "parent_id": None,
        "overdue": False,
        "title": parts.title or source.title,
        "kind": "alert" if parts.alerts else "report",
    }
    changed = own if parts.alerts else own | _only_told(parts.reports)
    opened = book.timing.opened(source.model_copy(update=changed), None, ())
    return opened.model_copy(update={"department": source.department})


def _only_told(reports: int) -> dict[str, object]:
    """What an incident has that only people have told of."""
    return {
        "kind": "report", "members": reports, "alert_state": AlertState.NONE, "alarms": (),
        "subjects": (), "rule_id": None, "rule_version": None, "metric": None, "value": None,
        "threshold": None, "cause": None, "flapping": False, "suppressed": None,
    }  # fmt: skip


def link(book: Casebook, one: Case, other: Case, wanted: Wanted) -> Refusal | None:
    """Each names the other."""
    refusal = refused(one.incident, "link", LINK, wanted)
    if refusal is not None:
        return refusal
    if one.id == other.id:
        return Refusal("unfit", "an incident cannot be linked with itself")
    if other.id in one.incident.links and one.id in other.incident.links:
        return Refusal("unchanged", "the incidents are linked already")
    for here, there in ((one, other), (other, one)):
        links = tuple(dict.fromkeys((*here.incident.links, there.id)))
        book.step(here, LINK.event, None, None, links=links)
    return None


def unlink(book: Casebook, one: Case, other: Case, wanted: Wanted) -> Refusal | None:
    """Neither names the other."""
    refusal = refused(one.incident, "unlink", UNLINK, wanted)
    if refusal is not None:
        return refusal
    if other.id not in one.incident.links and one.id not in other.incident.links:
        return Refusal("unchanged", "the incidents are not linked")
    for here, there in ((one, other), (other, one)):
        links = tuple(known for known in here.incident.links if known != there.id)
        book.step(here, UNLINK.event, None, None, links=links)
    return None


RULES: dict[Decision, Step] = {merge: MERGE, link: LINK, unlink: UNLINK}
