"""The incidents that transitions concern, and what becomes of them, before it is written. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.alerts.incidents import alert as alerts_of
from services.alerts.incidents import steps as made
from services.alerts.incidents.alert import Alert
from services.alerts.incidents.case import Case, Loud, Quiet, settled, span
from services.alerts.incidents.grouping import (
    ALONE,
    alone,
    belongs,
    group_key,
    identity,
)
from services.alerts.incidents.timing import Timing, Untimed
from services.alerts.judging.transition import Place, Transition
from shared.clock import from_micros
from shared.contracts.incident import AlertState, Cause, IncidentEvent, IncidentState


class Casebook:
    """What was loaded, changed in memory. Afterwards `steps`, `changed_cases` and `changed_alerts`
    are to be written in one transaction."""

    def __init__(
        self,
        now: datetime,
        quiet: Quiet | None = None,
        timing: Timing | None = None,
        actor: str = made.ENGINE,
        note: str = "",
    ) -> None:
        self.now = now
        self._said = (actor, note)
        self.quiet: Quiet = quiet or Loud()
        self.timing: Timing = timing or Untimed()
        self.cases: dict[UUID, Case] = {}
        self.steps: list[IncidentEvent] = []
        self.changed_cases: dict[UUID, Case] = {}
        self.changed_alerts: dict[UUID, Alert] = {}
        self._alerts: dict[UUID, Alert] = {}
        self._of_key: dict[str | None, set[UUID]] = {}
        self._members: dict[UUID, dict[UUID, Alert]] = {}

    def load(self, cases: Iterable[Case], alerts: Iterable[Alert]) -> None:
        """What the database holds. An incident that is given must come with all its alerts."""
        for case in cases:
            self._enter(self.cases.setdefault(case.id, case))
        for alert in alerts:
            if alert.alert_id not in self._alerts:
                self._place(alert)

    def find(self, alert_id: UUID) -> Alert | None:
        """An alert by its id."""
        return self._alerts.get(alert_id)

    def alerts(self) -> Iterable[Alert]:
        """Every alert that is known."""
        return self._alerts.values()

    def standing(self, rule_id: str, subject: str) -> Alert | None:
        """The newest alert of a rule and subject that is not cleared."""
        found = [one for one in self._alerts.values() if one.key == (rule_id, subject)]
        return max((one for one in found if one.standing), key=lambda one: one.order, default=None)

    def members(self, incident: UUID) -> list[Alert]:
        """The alerts gathered in an incident."""
        return list(self._members.get(incident, {}).values())

    def take(self, transition: Transition, place: Place) -> Alert | None:
        """The alert as the transition leaves it; None if it brings nothing new."""
        if transition.kind == "raised":
            return self._raise(transition, place)
        known = self.find(alerts_of.alert_id(transition)) or self.standing(*transition.key)
        if known is None or not alerts_of.is_news(known, transition):
            return None
        moved = alerts_of.moved(known, transition)
        if moved.standing:
            moved = replace(moved, suppressed=self.quiet.of(moved))
        if transition.kind == "changed" and moved.priority == ALONE:
            moved = self._set_apart(moved, transition, place)
        kind = self._kind(moved, transition)
        self.put(moved)
        self.step(self.cases[moved.incident_id], kind, moved, transition)
        return moved

    def put(self, alert: Alert) -> None:
        """An alert that is new or has changed."""
        known = self._alerts.get(alert.alert_id)
        if known is not None:
            self._members[known.incident_id].pop(alert.alert_id, None)
        self._place(alert)
        self.changed_alerts[alert.alert_id] = alert
        self.quiet.hear(alert)

    def step(
        self,
        case: Case,
        kind: str,
        alert: Alert | None = None,
        transition: Transition | None = None,
        /,
        note: str = "",
        **changed: Any,
    ) -> None:
        """Take a step with an incident, whose alerts decide what they decide."""
        caused = None
        if alert is not None and transition is not None:
            caused = alerts_of.cause_of(alert, transition)
        before, members = case.incident, self.members(case.id)
        if members:
            follows = settled(members, self.quiet.shelved(case.id))
            changed = {k: v for k, v in follows.items() if k not in before.held} | changed
            for name, value in span(members).items():
                setattr(case, name, value)
            if changed["alert_state"] is AlertState.CLEARED:
                changed["suppressed"] = before.suppressed  # who never heard of it need not now
        if changed.get("priority") == ALONE:
            changed["parent_id"] = None
        if transition is not None:
            note = note or transition.reason
        self._record(case, kind, caused, changed, note)
        after = case.incident
        heard = before.suppressed is not None and after.suppressed is None and case.active
        if heard and kind != "incident.unsuppressed":
            self._record(case, "incident.unsuppressed", caused, {})
        rises = before.parent_id is not None and after.parent_id is None
        if rises and kind not in ("incident.released", "incident.surfaced"):
            self._record(case, "incident.released", caused, {})

    def _kind(self, alert: Alert, transition: Transition) -> str:
        """What a step after a raising is called."""
        others = [one for one in self.members(alert.incident_id) if one.alert_id != alert.alert_id]
        if not others and alert.incident_id != self._alerts[alert.alert_id].incident_id:
            return "incident.opened"
        if alert.standing:
            return f"incident.{transition.kind}"
        standing = any(one.standing for one in others)
        return "incident.member_cleared" if standing else "incident.cleared"

    def adopt(self, case: Case, parent: UUID) -> None:
        """Give an incident a parent; one that has only just opened opens with it."""
        last = self.steps[-1] if self.steps else None
        if last is None or last.data.id != case.id or last.type != "incident.opened":
            self.step(case, "incident.adopted", parent_id=parent)
            return
        case.incident = case.incident.model_copy(update={"parent_id": parent})
        self.steps[-1] = last.model_copy(update={"data": case.incident})

    def _record(
        self, case: Case, kind: str, cause: Cause | None, changed: dict[str, Any], note: str = ""
    ) -> None:
        stepped = made.stepped(case.incident, self.now, **changed)
        case.incident = self.timing.moved(case.incident, stepped)
        self.changed_cases[case.id] = case
        actor, said = self._said
        self.steps.append(made.event(case.incident, kind, actor, note or said, cause))

    def _raise(self, transition: Transition, place: Place) -> Alert | None:
        if self.find(alerts_of.alert_id(transition)) is not None:
            return None  # the same start was judged before, from another copy of the log
        key = group_key(transition.rule, transition.subject, place, transition.priority)
        alert = alerts_of.raised(transition, place, identity(key, _started(transition)))
        alert = replace(alert, suppressed=self.quiet.of(alert))
        home, others = self._choose(key, alert)
        named: dict[str, Any] = {}
        if home is None:
            home = self._opened(key, alert, transition, place)
            _inherit(home, others)
            kind = "incident.opened"
        else:
            again = any(one.key == alert.key for one in self.members(home.id))
            kind = "incident.refired" if again else "incident.joined"
            if not home.touched and alert.order < _order(home):
                named = made.named(transition, place)
        home.replaced = tuple(other.id for other in others)
        for moving in [one for other in others for one in self.members(other.id)]:
            self.put(replace(moving, incident_id=home.id))
        alert = replace(alert, incident_id=home.id)
        self.put(alert)
        self.step(home, kind, alert, transition, **named)
        for other in others:
            self._merge(other, home)
        return alert

    def _choose(self, key: str, alert: Alert) -> tuple[Case | None, list[Case]]:
        """The incident that an alert joins (None: a new one), and those that it shows to be the
        same: they are merged, unless people work on them already."""
        found = [
            case for case in map(self.cases.__getitem__, self._of_key.get(key, ()))
            if case.open and case.incident.historical == alert.historical
            and belongs(alert, self.members(case.id))
        ]  # fmt: skip
        found.sort(key=_order)
        if not found:
            return None, []
        home: Case | None = next((case for case in found if case.touched), found[0])
        others = [case for case in found if case is not home and not case.touched]
        if home is not None and not home.touched and alert.order < _order(home):
            fits = identity(key, alert.started_at)
            home = next((case for case in found if case.id == fits), None)
            others = [case for case in found if case is not home and not case.touched]
        return home, others

    def _opened(self, key: str, alert: Alert, transition: Transition, place: Place) -> Case:
        incident = identity(key, alert.started_at)
        known = self.cases.get(incident)
        if known is not None and known.incident.merged_into is None:
            # People have closed it, and now there is another alert of the same start.
            incident = uuid5(incident, str(alert.alert_id))
            known = self.cases.get(incident)
        opened = made.opened(incident, transition, place, self.now)
        deadline = transition.rule.deadline_seconds
        opened = self.timing.opened(opened, deadline, _nearest_first(place))
        version = 0 if known is None else known.incident.version  # merged too early: it is back
        case = Case(opened.model_copy(update={"version": version}), key)
        self.cases[incident] = case
        self._enter(case)
        return case

    def _merge(self, other: Case, home: Case) -> None:
        """Close an incident whose members have gone over to another, which is the same."""
        for child in [one for one in self.cases.values() if one.incident.parent_id == other.id]:
            self.step(child, "incident.adopted", parent_id=home.id)
        self.step(other, "incident.merged", **_gone(home))

    def _set_apart(self, alert: Alert, transition: Transition, place: Place) -> Alert:
        """An alert that has become of priority 1 leaves the others: it stands alone."""
        key = alone(alert.rule_id, alert.subject)
        left = self.cases[alert.incident_id]
        if left.group_key == key:
            return alert
        own = self._opened(key, alert, transition, place)
        alert = replace(alert, incident_id=own.id)
        self._members[left.id].pop(alert.alert_id)
        if self.members(left.id):
            self.step(left, "incident.changed", alert, transition)
        else:
            _inherit(own, [left])
            self.step(left, "incident.merged", alert, transition, **_gone(own))
        return alert

    def _enter(self, case: Case) -> None:
        self._of_key.setdefault(case.group_key, set()).add(case.id)

    def _place(self, alert: Alert) -> None:
        self._alerts[alert.alert_id] = alert
        self._members.setdefault(alert.incident_id, {})[alert.alert_id] = alert


def _order(case: Case) -> tuple[datetime, UUID]:
    assert case.first_at is not None and case.first_alert is not None
    return case.first_at, case.first_alert


def _inherit(home: Case, others: Iterable[Case]) -> None:
    """What a new incident keeps of those that it replaces."""
    for other in others:
        opened_at = min(home.incident.opened_at, other.incident.opened_at)
        kept = {"opened_at": opened_at, "parent_id": other.incident.parent_id}
        home.incident = home.incident.model_copy(update=kept)


def _gone(home: Case) -> dict[str, Any]:
    return {
        "state": IncidentState.CLOSED,
        "alert_state": AlertState.CLEARED,
        "merged_into": home.id,
        "alarms": (),
    }


def _nearest_first(place: Place) -> list[str]:
    """The areas around a place: the ids of cells are longer than towns', towns' than districts'."""
    return sorted(place.area_ids, key=lambda area: (-len(area), area != place.area_id, area))


def _started(transition: Transition) -> datetime:
    return from_micros(transition.started_us)
