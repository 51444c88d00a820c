"""The closed loop: every state × command, and what each command needs."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.alerts.incidents.lifecycle import STEPS, Command, Refusal, step
from shared.contracts.incident import Incident, IncidentState

NOW = datetime(2026, 5, 1, tzinfo=UTC)
S = IncidentState
ALLOWED = {
    Command.ACKNOWLEDGE: {S.OPEN},
    Command.DISPATCH: {S.OPEN, S.ACKNOWLEDGED, S.DISPATCHED},
    Command.START: {S.ACKNOWLEDGED, S.DISPATCHED},
    Command.RESOLVE: {S.ACKNOWLEDGED, S.DISPATCHED, S.HANDLING},
    Command.CLOSE: {S.OPEN, S.ACKNOWLEDGED, S.DISPATCHED, S.HANDLING, S.RESOLVED},
    Command.REOPEN: {S.RESOLVED, S.CLOSED},
}


def incident(state: IncidentState) -> Incident:
    return Incident(
        id=uuid4(), title="t", state=state, grade=1, priority=1, area_id=None, subjects=("s",),
        rule_id="r", rule_version=1, opened_at=NOW, updated_at=NOW, observed_at=NOW,
        deadline_at=None, version=4,
    )  # fmt: skip


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("state", IncidentState)
def test_every_state_and_command(state: IncidentState, command: Command) -> None:
    outcome = step(incident(state), command, NOW, note="because", department="交警支队")
    if state in ALLOWED[command]:
        assert isinstance(outcome, Incident)
        assert (outcome.state, outcome.version) == (STEPS[command].target, 5)
    else:
        assert isinstance(outcome, Refusal)
        assert outcome.code == "illegal_transition"


@pytest.mark.parametrize("command", [Command.CLOSE, Command.DISPATCH])
def test_some_commands_need_a_reason(command: Command) -> None:
    outcome = step(incident(S.OPEN), command, NOW, note="  ", department="x")
    assert isinstance(outcome, Refusal)
    assert outcome.code == "note_needed"


def test_dispatch_needs_a_department() -> None:
    outcome = step(incident(S.OPEN), Command.DISPATCH, NOW, note="go")
    assert isinstance(outcome, Refusal)
    assert outcome.code == "department_needed"


def test_who_looked_at_an_older_version_is_told() -> None:
    outcome = step(incident(S.OPEN), Command.ACKNOWLEDGE, NOW, version=3)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "stale"
