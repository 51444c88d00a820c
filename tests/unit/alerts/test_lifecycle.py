"""The closed loop: every state × command, and what each command needs."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.incidents.lifecycle import STEPS, Command, Refusal, Wanted, step
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
    Command.ASSIGN: set(S) - {S.CLOSED},
    Command.TRANSFER: {S.DISPATCHED, S.HANDLING},
    Command.REGRADE: set(S) - {S.CLOSED},
    Command.COMMENT: set(S),
}


def incident(state: IncidentState) -> Incident:
    return Incident(
        id=uuid4(), title="t", state=state, grade=1, priority=1, area_id=None, subjects=("s",),
        rule_id="r", rule_version=1, opened_at=NOW, updated_at=NOW, observed_at=NOW,
        deadline_at=None, version=4,
    )  # fmt: skip


def fitting(command: Command) -> Wanted:
    scales = {"grade": 3} if command is Command.REGRADE else None
    return Wanted("because", "交警支队", scales=scales)


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("state", IncidentState)
def test_every_state_and_command(state: IncidentState, command: Command) -> None:
    outcome = step(incident(state), command, NOW, fitting(command))
    if state in ALLOWED[command]:
        assert isinstance(outcome, Incident)
        assert (outcome.state, outcome.version) == (STEPS[command].target or state, 5)
    else:
        assert isinstance(outcome, Refusal)
        assert outcome.code == "illegal_transition"


@pytest.mark.parametrize("command", [name for name in Command if STEPS[name].needs_note])
def test_some_commands_need_a_reason(command: Command) -> None:
    outcome = step(incident(S.DISPATCHED), command, NOW, Wanted("  ", "x"))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "note_needed"


def test_dispatch_needs_a_department() -> None:
    outcome = step(incident(S.OPEN), Command.DISPATCH, NOW, Wanted("go"))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "department_needed"


def test_what_changes_nothing_is_refused() -> None:
    for command, wanted, code in [
        (Command.REGRADE, Wanted("why"), "grade_needed"),
        (Command.REGRADE, Wanted("why", scales={"grade": 1, "warning": None}), "unchanged"),
        (Command.ASSIGN, Wanted("why"), "department_needed"),
        (Command.TRANSFER, Wanted("why", "城管局"), "unchanged"),
        (Command.TRANSFER, Wanted("why"), "department_needed"),
        (Command.START, Wanted(scales={"grade": 3}), "unfit"),
        (Command.START, Wanted(area="441202"), "unfit"),
    ]:
        before = incident(S.DISPATCHED).model_copy(update={"department": "城管局"})
        outcome = step(before, command, NOW, wanted)
        assert isinstance(outcome, Refusal)
        assert outcome.code == code


def test_the_three_scales_are_apart_and_held() -> None:
    first = step(incident(S.OPEN), Command.REGRADE, NOW, Wanted("why", scales={"grade": 3}))
    assert isinstance(first, Incident)
    assert (first.grade, first.priority, first.warning, first.held) == (3, 1, None, ("grade",))
    second = step(first, Command.REGRADE, NOW, Wanted("why", scales={"warning": "red"}))
    assert isinstance(second, Incident)
    assert (second.grade, second.warning, second.held) == (3, "red", ("grade", "warning"))


def test_what_was_merged_stays_where_it_went() -> None:
    gone = incident(S.CLOSED).model_copy(update={"merged_into": uuid4()})
    outcome = step(gone, Command.REOPEN, NOW, Wanted("why"))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "merged"
    assert isinstance(step(gone, Command.COMMENT, NOW, Wanted("why")), Incident)


COMMANDS = st.sampled_from(list(Command))


@given(st.lists(st.tuples(COMMANDS, st.booleans(), st.sampled_from([None, "a", "b"])), max_size=30))
def test_any_commands_in_any_order_keep_the_loop(
    given_to: list[tuple[Command, bool, str | None]],
) -> None:
    now = incident(S.OPEN)
    for number, (command, told, department) in enumerate(given_to):
        scales = {"grade": number % 4 + 1} if command is Command.REGRADE else None
        wanted = Wanted("why" if told else "", department, version=now.version, scales=scales)
        after = step(now, command, NOW, wanted)
        if isinstance(after, Refusal):
            assert after.detail
            continue
        rule = STEPS[command]
        assert now.state in rule.sources
        assert after.version == now.version + 1
        assert after.state == (rule.target or now.state)
        assert told or not rule.needs_note
        assert after.updated_at >= now.updated_at
        now = after


def test_who_looked_at_an_older_version_is_told() -> None:
    outcome = step(incident(S.OPEN), Command.ACKNOWLEDGE, NOW, Wanted(version=3))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "stale"
