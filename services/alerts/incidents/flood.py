"""Alarm floods by ISA-18.2: more than an operator can take in become one incident. Pure.

More than 10 new incidents in 10 minutes per operator on duty start one, fewer than 5 end it. What
is of priority 1 always stands alone; what is historical, silenced or explained by its upstream
reaches nobody and does not count. Times are event time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.alerts.incidents.case import Case
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.grouping import ALONE
from shared.contracts.incident import INCIDENT_NAMESPACE, AlertState, Incident, IncidentState

WINDOW = timedelta(minutes=10)
STARTS_ABOVE = 10  # new incidents per operator within WINDOW
ENDS_BELOW = 5
TITLE = "告警洪峰"


_NEVER = datetime.min.replace(tzinfo=UTC)


class Floodgate:
    """Watches how fast incidents open. `starts`: incident → event time of its first alert, of those
    that reached somebody lately; `flood`: the one that goes on, if any."""

    def __init__(self, starts: Mapping[UUID, datetime], flood: Case | None, operators: int) -> None:
        self._starts = dict(starts)
        self._flood = flood
        self._operators = operators
        self._now = max(self._starts.values(), default=_NEVER)

    def reach(self, now: datetime) -> None:
        """Event time has come to `now`."""
        self._now = max(self._now, now)

    def heard(self, book: Casebook, case: Case) -> None:
        """An incident has taken a step. If it has only just opened, it may start the flood, or go
        down in it."""
        if case.first_at is None or case.id in self._starts or not _reaches(case):
            return
        if not case.active or self._now - case.first_at >= WINDOW:
            return  # it opened long ago, and only goes on
        self.reach(case.first_at)
        for other in case.replaced:
            self._starts.pop(other, None)
        self._starts[case.id] = case.first_at
        if self._flood is None and self._count(case.first_at) > STARTS_ABOVE * self._operators:
            self._begin(book, case, case.first_at)
        elif self._flood is not None:
            self._add(book, case)

    def passed(self, book: Casebook) -> None:
        """By now the flood may be over."""
        flood = self._flood
        if flood is None or self._count(self._now) >= ENDS_BELOW * self._operators:
            return
        book.step(flood, "incident.cleared", alert_state=AlertState.CLEARED)
        self._flood = None

    def _count(self, now: datetime) -> int:
        return sum(now - WINDOW < start <= now for start in self._starts.values())

    def _begin(self, book: Casebook, newest: Case, now: datetime) -> None:
        lately = [
            case for number, start in self._starts.items()
            if now - WINDOW < start <= now and (case := book.cases.get(number)) and _sinks(case)
        ]  # fmt: skip
        if not lately:
            return
        lately.sort(key=lambda case: (str(case.first_at), case.id))
        case = Case(book.timing.opened(_flood_of(lately, book.now), None, ()))
        book.cases[case.id] = self._flood = case
        for child in sorted(lately, key=lambda one: one is not newest):
            book.adopt(child, case.id)
        book.step(case, "incident.opened", members=len(lately))

    def _add(self, book: Casebook, case: Case) -> None:
        flood = self._flood
        if flood is None or not _sinks(case):
            return
        book.adopt(case, flood.id)
        worst: dict[str, Any] = {
            "grade": min(flood.incident.grade, case.incident.grade),
            "priority": min(flood.incident.priority, case.incident.priority),
        }
        book.step(flood, "incident.joined", members=flood.incident.members + 1, **worst)


def _reaches(case: Case) -> bool:
    incident = case.incident
    quiet = incident.suppressed is not None or incident.parent_id is not None
    return not (incident.historical or quiet)


def _sinks(case: Case) -> bool:
    """Whether it may go down in a flood."""
    loud = case.incident.priority == ALONE or case.incident.kind != "alert"
    return case.open and not loud and _reaches(case)


def _flood_of(children: list[Case], now: datetime) -> Incident:
    first = children[0].incident
    start = children[0].first_at
    assert start is not None
    return Incident(
        id=uuid5(INCIDENT_NAMESPACE, f"flood|{start.isoformat()}|{first.id}"),
        title=TITLE,
        kind="flood",
        state=IncidentState.OPEN,
        alert_state=AlertState.ACTIVE,
        grade=min(child.incident.grade for child in children),
        priority=min(child.incident.priority for child in children),
        area_id=None,
        subjects=(),
        rule_id=None,
        rule_version=None,
        opened_at=now,
        updated_at=now,
        observed_at=start,
        deadline_at=None,
        version=0,
    )
