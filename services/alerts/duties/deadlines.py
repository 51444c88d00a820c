"""How long each step of an incident may take, by grade; when it is due. Pure.

Grades I–III count by the clock: an emergency does not wait for Monday. Grade IV counts in working
hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from services.alerts.duties.calendar import Calendar
from shared.contracts.incident import Incident, IncidentState

MILDEST = 4


class DutyStep(StrEnum):
    """What somebody has to do next, each with a deadline of its own."""

    ACKNOWLEDGE = "acknowledge"
    DISPATCH = "dispatch"
    HANDLE = "handle"
    VERIFY = "verify"


STEP_OF: Mapping[IncidentState, DutyStep | None] = {
    IncidentState.OPEN: DutyStep.ACKNOWLEDGE,
    IncidentState.ACKNOWLEDGED: DutyStep.DISPATCH,
    IncidentState.DISPATCHED: DutyStep.HANDLE,
    IncidentState.HANDLING: DutyStep.HANDLE,
    IncidentState.RESOLVED: DutyStep.VERIFY,
    IncidentState.CLOSED: None,
}


@dataclass(frozen=True)
class Terms:
    """How long each step and the whole case (until resolved) may take, of one grade."""

    counted: Literal["clock", "working"]
    steps: Mapping[DutyStep, timedelta]
    case: timedelta


@dataclass(frozen=True)
class Due:
    """When the current step and the whole case are due."""

    step_due_at: datetime | None
    deadline_at: datetime | None


@dataclass(frozen=True)
class Deadlines:
    """The terms of every grade, over a calendar."""

    terms: Mapping[int, Terms]
    calendar: Calendar

    def step_due(self, state: IncidentState, grade: int, since: datetime) -> datetime | None:
        """When the step of `state` that began at `since` is due; None: nothing is left to do."""
        step = STEP_OF[state]
        terms = self.terms[grade]
        return None if step is None else self._after(terms, since, terms.steps[step])

    def case_due(self, grade: int, since: datetime) -> datetime:
        """When a case that was opened at `since` is due."""
        return self._after(self.terms[grade], since, self.terms[grade].case)

    def opened(self, grade: int, own_seconds: int | None, opened_at: datetime) -> Due:
        """Of an incident that opens. `own_seconds`: the rule's own deadline, by the clock."""
        case = self.case_due(grade, opened_at)
        if own_seconds is not None:
            case = opened_at + timedelta(seconds=own_seconds)
        return Due(self.step_due(IncidentState.OPEN, grade, opened_at), case)

    def moved(self, before: Incident, after: Incident) -> Incident:
        """`after` a step, with what is due now.

        A new step has its own deadline and is not overdue. A new grade counts for the current step
        from the moment it is given; it never lengthens a deadline that a rule has set. A reopened
        case begins anew.
        """
        at = after.updated_at
        changed: dict[str, object] = {}
        reopened = after.state is IncidentState.OPEN and before.state is not IncidentState.OPEN
        regraded = after.grade != before.grade
        if _begins_step(before, after) or (regraded and not before.overdue):
            changed["step_due_at"] = self.step_due(after.state, after.grade, at)
        if _begins_step(before, after):
            changed["overdue"] = False
        if reopened:
            changed["deadline_at"] = self.case_due(after.grade, at)
        elif regraded:
            changed["deadline_at"] = self._regraded(before, after.grade)
        return after.model_copy(update=changed) if changed else after

    def _regraded(self, before: Incident, grade: int) -> datetime:
        due = self.case_due(grade, before.opened_at)
        usual = self.case_due(before.grade, before.opened_at)
        if before.deadline_at is None or before.deadline_at == usual:
            return due
        return min(before.deadline_at, due)

    def _after(self, terms: Terms, since: datetime, duration: timedelta) -> datetime:
        if terms.counted == "working":
            return self.calendar.after(since, duration)
        return since + duration


def _begins_step(before: Incident, after: Incident) -> bool:
    """Another step than before, or another department that has to take it."""
    if STEP_OF[before.state] is not STEP_OF[after.state]:
        return True
    return after.state is IncidentState.DISPATCHED and before.department != after.department
