"""Restarts at any place of a stream full of late readings and repeats change nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.judging.judgement import Judgement
from services.alerts.judging.machine import Judge, Subject
from services.alerts.judging.transition import Key
from services.alerts.rules.rule import Rule, Title
from shared.contracts.reading import Reading

SECOND = 1_000_000
GAS = Rule(id="gas", title=Title(zh="气", en="gas"), metric="gas", above=20.0, deadband=5,
           grade=1, priority=1)  # fmt: skip
SLOW = GAS.model_copy(update={"id": "slow", "for_seconds": 3})
JUDGES = (Judge(GAS), Judge(SLOW))
METRICS = {"gas": "gas", "slow": "gas"}

Story = list[tuple[str, str, str, int, float, bool]]


def story(readings: list[tuple[str, int, float]], restarts: set[int]) -> Story:
    """What was raised and cleared; before each place in `restarts` the memory is lost, and what
    was not written with it."""
    written: dict[Key, Subject] = {}
    told: Story = []
    judgement, position, place = Judgement(METRICS, {}), 0, 0
    pending = set(restarts)
    while place < len(readings):
        if place in pending:
            pending.discard(place)
            judgement, place = Judgement(METRICS, written), position
        sensor, second, value = readings[place]
        reading = Reading(sensor, "gas", second * SECOND, value)
        judgement.hear(reading, JUDGES, second * SECOND)
        place += 1
        if judgement.urgent or place % 7 == 0:  # now and then, as the engine does
            changes = judgement.changes()
            told += [
                (t.kind, t.rule.id, t.subject, t.started_us, t.value, t.historical)
                for t in changes.transitions
            ]
            written |= changes.subjects
            judgement.written({})
            position = place
    return told


READINGS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.sampled_from([0.0, 18.0, 30.0])),
    max_size=80,
)


@settings(max_examples=200, deadline=None)
@given(READINGS, st.sets(st.integers(0, 80), max_size=6))
def test_a_restart_anywhere_tells_the_same_story(
    readings: list[tuple[str, int, float]], restarts: set[int]
) -> None:
    # What was never over a limit has no written memory: every series begins above it.
    start = [("a", -1, 30.0), ("b", -1, 30.0)]
    assert story(start + readings, restarts) == story(start + readings, set())


def test_a_repeat_after_a_restart_raises_nothing_again() -> None:
    stream = [("a", 0, 30.0), ("a", 1, 10.0), ("a", 0, 30.0), ("a", 1, 10.0), ("a", 2, 10.0)]
    assert story(stream, {2}) == story(stream, set())
    assert [line[0] for line in story(stream, {2})] == ["raised", "cleared"]


def test_a_late_reading_after_a_restart_clears_nothing() -> None:
    newer = [("a", second, 30.0) for second in range(1, 7)]
    stream = [("a", 0, 30.0), *newer, ("a", 5, 0.0), ("a", 7, 30.0)]
    assert story(stream, {7}) == story(stream, set())
    assert [line[0] for line in story(stream, {7})] == ["raised", "raised"]


def test_data_that_arrives_late_is_historical() -> None:
    judgement = Judgement(METRICS, {})
    judgement.hear(Reading("a", "gas", 0, 30.0), JUDGES, 3_600 * SECOND + 1)
    assert [transition.historical for transition in judgement.changes().transitions] == [True]


def test_a_rule_that_is_gone_disturbs_nobody() -> None:
    judged = Judgement(METRICS, {})
    judged.hear(Reading("a", "gas", 0, 30.0), JUDGES, 0)
    later = Judgement({"other": "gas"}, judged.changes().subjects)
    later.hear(Reading("a", "gas", SECOND, 0.0), (), 0)
    assert not later.urgent
