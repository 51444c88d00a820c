"""The closed loop of an incident (闭环): which step leads where. Pure.

A step that a person would expect to include an earlier one includes it: dispatching an open
incident acknowledges it, starting work needs no separate dispatch, and an incident may be closed
from any state with a note that says why (a false alarm has nothing to handle).
"""

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


@dataclass(frozen=True)
class Step:
    """Where a command may start, where it leads, what it is called afterwards."""

    sources: frozenset[State]
    target: State
    event: str
    needs_note: bool = False


STEPS: dict[Command, Step] = {
    Command.ACKNOWLEDGE: Step(frozenset({State.OPEN}), State.ACKNOWLEDGED, "incident.acknowledged"),
    Command.DISPATCH: Step(
        frozenset({State.OPEN, State.ACKNOWLEDGED, State.DISPATCHED}),
        State.DISPATCHED,
        "incident.dispatched",
        needs_note=True,
    ),
    Command.START: Step(
        frozenset({State.ACKNOWLEDGED, State.DISPATCHED}), State.HANDLING, "incident.started"
    ),
    Command.RESOLVE: Step(
        frozenset({State.ACKNOWLEDGED, State.DISPATCHED, State.HANDLING}),
        State.RESOLVED,
        "incident.resolved",
    ),
    Command.CLOSE: Step(
        frozenset(State) - {State.CLOSED}, State.CLOSED, "incident.closed", needs_note=True
    ),
    Command.REOPEN: Step(
        frozenset({State.RESOLVED, State.CLOSED}), State.OPEN, "incident.reopened"
    ),
}


@dataclass(frozen=True)
class Refusal:
    """Why a command was not carried out. `code`: illegal_transition, stale, note_needed,
    department_needed."""

    code: str
    detail: str


def step(
    incident: Incident,
    command: Command,
    now: datetime,
    *,
    note: str = "",
    department: str | None = None,
    version: int | None = None,
) -> Incident | Refusal:
    """The incident after a command, or why not. `version`: what the person was looking at."""
    rule = STEPS[command]
    if version is not None and version != incident.version:
        return Refusal("stale", f"the incident has changed meanwhile: it is {incident.state} now")
    if incident.state not in rule.sources:
        detail = f"'{command}' is not possible: the incident is {incident.state}"
        return Refusal("illegal_transition", detail)
    if rule.needs_note and not note.strip():
        return Refusal("note_needed", f"'{command}' needs a note that says why")
    if command is Command.DISPATCH and not (department or "").strip():
        return Refusal("department_needed", "'dispatch' needs a department")
    changed: dict[str, object] = {"state": rule.target}
    if department is not None and department.strip():
        changed["department"] = department.strip()
    return stepped(incident, now, **changed)
