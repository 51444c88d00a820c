"""The state machine: strict limits, on-delay on event time, deadband, late data, replay."""

import random

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.judging.machine import Judge, Outcome, Phase, Subject, is_historical
from services.alerts.rules.rule import Rule, Title

SECOND = 1_000_000


def judge(**fields: object) -> Judge:
    base = {"id": "r", "title": Title(zh="高", en="high"), "metric": "m", "grade": 1, "priority": 1}
    return Judge(Rule.model_validate(base | fields))


def play(machine: Judge, values: list[tuple[int, float]]) -> list[Outcome]:
    subject: Subject | None = None
    outcomes = []
    for second, value in values:
        subject, outcome = machine.judge(subject, second * SECOND, value)
        outcomes.append(outcome)
    return outcomes


def test_the_limit_itself_is_not_over_the_limit() -> None:
    assert play(judge(above=8), [(0, 8.0), (1, 8.01)]) == [Outcome.NOTHING, Outcome.RAISED]
    assert play(judge(below=8), [(0, 8.0), (1, 7.99)]) == [Outcome.NOTHING, Outcome.RAISED]


def test_the_delay_is_inclusive_and_counts_event_time() -> None:
    machine = judge(above=8, **{"for": "60s"})
    assert play(machine, [(0, 9), (59, 9), (60, 9)])[1:] == [Outcome.NOTHING, Outcome.RAISED]


def test_a_short_excursion_is_cancelled() -> None:
    machine = judge(above=8, **{"for": "60s"})
    outcomes = play(machine, [(0, 9), (30, 7), (60, 9), (119, 9), (120, 9)])
    assert outcomes == [
        Outcome.STARTED, Outcome.CANCELLED, Outcome.STARTED, Outcome.NOTHING, Outcome.RAISED,
    ]  # fmt: skip


def test_the_deadband_applies_to_clearing_only() -> None:
    machine = judge(above=8, deadband=0.5)
    assert play(machine, [(0, 8.1), (1, 7.6), (2, 7.5)]) == [
        Outcome.RAISED, Outcome.NOTHING, Outcome.CLEARED,
    ]  # fmt: skip


def test_late_and_repeated_readings_change_nothing() -> None:
    machine = judge(above=8)
    subject, _ = machine.judge(None, 10 * SECOND, 9)
    for second in (10, 9, 0):
        assert machine.judge(subject, second * SECOND, 1) == (subject, Outcome.NOTHING)


def test_the_start_of_an_alert_is_the_first_reading_over_the_limit() -> None:
    machine = judge(above=8, **{"for": "10s"})
    subject, _ = machine.judge(None, 5 * SECOND, 9)
    subject, _ = machine.judge(subject, 15 * SECOND, 9)
    assert subject == Subject(Phase.ACTIVE, 5 * SECOND, 15 * SECOND)


def test_what_was_seen_is_remembered_after_clearing() -> None:
    machine = judge(above=8)
    subject, _ = machine.judge(None, 1 * SECOND, 9)
    subject, outcome = machine.judge(subject, 3 * SECOND, 1)
    assert outcome is Outcome.CLEARED
    for second in (3, 2, 1, 0):
        assert machine.judge(subject, second * SECOND, 9) == (subject, Outcome.NOTHING)
    again, outcome = machine.judge(subject, 4 * SECOND, 9)
    assert (again, outcome) == (Subject(Phase.ACTIVE, 4 * SECOND, 4 * SECOND), Outcome.RAISED)


def test_data_older_than_an_hour_on_arrival_is_historical() -> None:
    assert not is_historical(0, 3_600 * SECOND)
    assert is_historical(0, 3_600 * SECOND + 1)


@given(st.lists(st.floats(0, 16), max_size=60), st.integers(0, 2**32))
def test_repeats_and_late_readings_give_the_same_alerts(values: list[float], seed: int) -> None:
    machine = judge(above=8, deadband=1, **{"for": "3s"})
    clean = list(enumerate(values))
    chance = random.Random(seed)
    disturbed = []
    for place, reading in enumerate(clean):
        disturbed.append(reading)
        if chance.random() < 0.4:
            disturbed.append(clean[chance.randint(0, place)])
    quiet = [outcome for outcome in play(machine, clean) if outcome is not Outcome.NOTHING]
    loud = [
        outcome for outcome in play_newest(machine, disturbed) if outcome is not Outcome.NOTHING
    ]
    assert loud == quiet


def play_newest(machine: Judge, values: list[tuple[int, float]]) -> list[Outcome]:
    """As the engine does: what is not newer than the newest one is not judged."""
    newest = -1
    subject: Subject | None = None
    outcomes = []
    for second, value in values:
        if second <= newest:
            continue
        newest = second
        subject, outcome = machine.judge(subject, second * SECOND, value)
        outcomes.append(outcome)
    return outcomes
