"""The closed loop of an incident (闭环): which step leads where. Pure.

A step that a person would expect to include an earlier one includes it: dispatching an open
incident acknowledges it, starting work needs no separate dispatch, and an incident may be closed
from any state with a note that says why (a false alarm has nothing to handle).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.alerts.incidents.steps import stepped
from shared.contracts.incident import Incident, IncidentState

State = IncidentState


class Command(StrEnum):
    """What a person can do with an incident."""

    ACKNOWLEDGE = "acknowledge"
    DISPATCH = "dispatch"
    START = "start"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    ASSIGN = "assign"
    TRANSFER = "transfer"
    REGRADE = "regrade"
    COMMENT = "comment"


@dataclass(frozen=True)
class Step:
    """Where a command may start, where it leads (None: it stays), what it is called afterwards, and
    the role that it needs where the incident is. `handling`: the people of the department that has
    the case in hand may give it too."""

    sources: frozenset[State]
    target: State | None
    event: str
    needs_note: bool = False
    role: str = "operator"
    handling: bool = False


IN_HAND = frozenset({State.DISPATCHED, State.HANDLING, State.RESOLVED})  # of its department
UNFINISHED = frozenset(State) - {State.CLOSED}
SCALES = ("grade", "priority", "warning")

STEPS: dict[Command, Step] = {
    Command.ACKNOWLEDGE: Step(frozenset({State.OPEN}), State.ACKNOWLEDGED, "incident.acknowledged"),
    Command.DISPATCH: Step(
        frozenset({State.OPEN, State.ACKNOWLEDGED, State.DISPATCHED}),
        State.DISPATCHED,
        "incident.dispatched",
        needs_note=True,
        role="dispatcher",
    ),
    Command.START: Step(
        frozenset({State.ACKNOWLEDGED, State.DISPATCHED}),
        State.HANDLING,
        "incident.started",
        handling=True,
    ),
    Command.RESOLVE: Step(
        frozenset({State.ACKNOWLEDGED, State.DISPATCHED, State.HANDLING}),
        State.RESOLVED,
        "incident.resolved",
        handling=True,
    ),
    Command.CLOSE: Step(
        UNFINISHED, State.CLOSED, "incident.closed", needs_note=True, role="dispatcher"
    ),
    Command.REOPEN: Step(
        frozenset({State.RESOLVED, State.CLOSED}),
        State.OPEN,
        "incident.reopened",
        role="dispatcher",
    ),
    Command.ASSIGN: Step(UNFINISHED, None, "incident.assigned", role="dispatcher"),
    Command.TRANSFER: Step(
        frozenset({State.DISPATCHED, State.HANDLING}),
        State.DISPATCHED,
        "incident.transferred",
        needs_note=True,
        role="dispatcher",
    ),
    Command.REGRADE: Step(
        UNFINISHED, None, "incident.regraded", needs_note=True, role="dispatcher"
    ),
    Command.COMMENT: Step(
        frozenset(State), None, "incident.commented", needs_note=True, handling=True
    ),
}


@dataclass(frozen=True)
class Refusal:
    """Why a command was not carried out. `code`: what is the matter with the incident
    (illegal_transition, stale, merged, unchanged) or what the command lacks (…_needed)."""

    code: str
    detail: str


@dataclass(frozen=True)
class Wanted:
    """What a command comes with. `version`: what the person was looking at. `scales`: those of
    `SCALES` that are to change, and to what."""

    note: str = ""
    department: str | None = None
    area: str | None = None
    version: int | None = None
    scales: Mapping[str, int | str | None] | None = None


NOTHING = Wanted()


def step(
    incident: Incident, command: Command, now: datetime, wanted: Wanted = NOTHING
) -> Incident | Refusal:
    """The incident after a command, or why not."""
    refusal = refused(incident, command, STEPS[command], wanted)
    if refusal is not None:
        return refusal
    if wanted.scales and command is not Command.REGRADE:
        return Refusal(
            "unfit", f"'{command}' changes no grade, priority or warning: 'regrade' does"
        )
    if wanted.area is not None and command is not Command.ASSIGN:
        return Refusal("unfit", f"'{command}' changes no area: 'assign' does")
    changed = _changes(command, wanted)
    refusal = _lacking(incident, command, changed)
    if refusal is not None:
        return refusal
    if command is Command.REGRADE:
        changed["held"] = tuple(sorted({*incident.held, *changed}))
    if STEPS[command].target is not None:
        changed["state"] = STEPS[command].target
    return stepped(incident, now, **changed)


def refused(incident: Incident, command: str, rule: Step, wanted: Wanted) -> Refusal | None:
    """Why a command cannot be given to the incident as it is, if so."""
    if wanted.version is not None and wanted.version != incident.version:
        return Refusal("stale", f"the incident has changed meanwhile: it is {incident.state} now")
    if incident.merged_into is not None and command != Command.COMMENT:
        detail = f"'{command}' is not possible: it was merged into {incident.merged_into}"
        return Refusal("merged", detail)
    if incident.state not in rule.sources:
        detail = f"'{command}' is not possible: the incident is {incident.state}"
        return Refusal("illegal_transition", detail)
    if rule.needs_note and not wanted.note.strip():
        return Refusal("note_needed", f"'{command}' needs a note that says why")
    return None


def _changes(command: Command, wanted: Wanted) -> dict[str, object]:
    """What the command changes beside the state."""
    changed: dict[str, object] = {}
    if command is Command.REGRADE:
        return dict(wanted.scales or {})
    if command is Command.COMMENT:
        return changed
    if wanted.department is not None and wanted.department.strip():
        changed["department"] = wanted.department.strip()
    if wanted.area is not None:
        changed["assigned_area"] = wanted.area
    return changed


def _lacking(incident: Incident, command: Command, changed: dict[str, object]) -> Refusal | None:
    """Why a command that changes nothing, or not enough, makes no sense, if so."""
    department = changed.get("department")
    if command in (Command.DISPATCH, Command.TRANSFER) and department is None:
        return Refusal("department_needed", f"'{command}' needs a department")
    if command is Command.TRANSFER and department == incident.department:
        return Refusal("unchanged", f"the incident is with {department} already")
    if command is Command.ASSIGN and not changed:
        return Refusal("department_needed", "'assign' needs a department or an area")
    if command is Command.REGRADE and not changed:
        return Refusal("grade_needed", "'regrade' needs a grade, a priority or a warning")
    if command is Command.REGRADE and all(
        getattr(incident, scale) == value for scale, value in changed.items()
    ):
        return Refusal("unchanged", "the incident has these grades already")
    return None
