"""One rule's state for one subject, on event time. Pure."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from services.alerts.rules.rule import Rule

HISTORICAL_US = 3_600 * 1_000_000  # older than this on arrival: recorded, but nobody is paged


class Phase(StrEnum):
    """Where a subject stands. One that has always been normal has no state at all."""

    NORMAL = "normal"  # again: what it has seen must not be judged a second time
    PENDING = "pending"
    ACTIVE = "active"


class Subject(msgspec.Struct, frozen=True):
    """State of a subject that is, or has been, other than normal. Times: epoch microseconds of
    event time.

    `since_us`: the first reading over the limit (0 when normal); `last_us`: the newest one judged;
    `incident`: id of the incident it belongs to, once active.
    """

    phase: Phase
    since_us: int
    last_us: int
    incident: str = ""


class Outcome(StrEnum):
    """What a reading did to a subject."""

    NOTHING = "nothing"
    STARTED = "started"  # pending
    CANCELLED = "cancelled"  # back to normal before the on-delay was over
    RAISED = "raised"
    CLEARED = "cleared"


class Judge:
    """A rule, compiled. `raises`: whether a value is over its limit."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.raises, self._clears = compile_predicates(rule)
        self._delay_us = rule.for_seconds * 1_000_000

    def judge(
        self, subject: Subject | None, observed_us: int, value: float
    ) -> tuple[Subject | None, Outcome]:
        """The subject after a reading, and what happened. None has always been normal.

        A reading not newer than the newest one judged changes nothing.
        """
        if subject is None:
            return self._start(observed_us) if self.raises(value) else (None, Outcome.NOTHING)
        if observed_us <= subject.last_us:
            return subject, Outcome.NOTHING
        match subject.phase:
            case Phase.ACTIVE if self._clears(value):
                return Subject(Phase.NORMAL, 0, observed_us), Outcome.CLEARED
            case Phase.PENDING if not self.raises(value):
                return Subject(Phase.NORMAL, 0, observed_us), Outcome.CANCELLED
            case Phase.PENDING if observed_us - subject.since_us >= self._delay_us:
                return Subject(Phase.ACTIVE, subject.since_us, observed_us), Outcome.RAISED
            case Phase.NORMAL if self.raises(value):
                return self._start(observed_us)
        return seen(subject, observed_us), Outcome.NOTHING

    def _start(self, observed_us: int) -> tuple[Subject, Outcome]:
        if self._delay_us == 0:
            return Subject(Phase.ACTIVE, observed_us, observed_us), Outcome.RAISED
        return Subject(Phase.PENDING, observed_us, observed_us), Outcome.STARTED


def is_historical(observed_us: int, accepted_us: int) -> bool:
    """True for data that was older than an hour when it arrived."""
    return accepted_us - observed_us > HISTORICAL_US


def seen(subject: Subject, observed_us: int) -> Subject:
    """The subject after a reading that changed nothing else."""
    return Subject(subject.phase, subject.since_us, observed_us, subject.incident)


def belonging(subject: Subject, incident: str) -> Subject:
    """The subject as part of an incident."""
    return Subject(subject.phase, subject.since_us, subject.last_us, incident)


Predicate = Callable[[float], bool]


def compile_predicates(rule: Rule) -> tuple[Predicate, Predicate]:
    """(raises, clears) as closures over plain floats."""
    limit = rule.threshold
    if rule.upwards:
        back = limit - rule.deadband
        return (lambda value: value > limit), (lambda value: value <= back)
    back = limit + rule.deadband
    return (lambda value: value < limit), (lambda value: value >= back)
