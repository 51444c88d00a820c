"""One rule's state for one subject, on event time. Pure."""

from enum import StrEnum

import msgspec

from services.alerts.rule import Rule, compile_predicates

HISTORICAL_US = 3_600 * 1_000_000  # older than this on arrival: recorded, but nobody is paged


class Phase(StrEnum):
    """Where a subject stands. A normal one has no state at all."""

    PENDING = "pending"
    ACTIVE = "active"


class Subject(msgspec.Struct, frozen=True):
    """State of a subject that is not normal. Times: epoch microseconds of event time.

    `since_us`: the first reading over the limit; `last_us`: the newest one judged;
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
    """A rule, compiled."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._raises, self._clears = compile_predicates(rule)
        self._delay_us = rule.for_seconds * 1_000_000

    def judge(
        self, subject: Subject | None, observed_us: int, value: float
    ) -> tuple[Subject | None, Outcome]:
        """The subject after a reading, and what happened. None is normal.

        A reading not newer than the newest one judged changes nothing.
        """
        if subject is None:
            return self._from_normal(observed_us, value)
        if observed_us <= subject.last_us:
            return subject, Outcome.NOTHING
        if subject.phase is Phase.ACTIVE:
            if self._clears(value):
                return None, Outcome.CLEARED
            return _seen(subject, observed_us), Outcome.NOTHING
        if not self._raises(value):
            return None, Outcome.CANCELLED
        if observed_us - subject.since_us >= self._delay_us:
            return Subject(Phase.ACTIVE, subject.since_us, observed_us), Outcome.RAISED
        return _seen(subject, observed_us), Outcome.NOTHING

    def _from_normal(self, observed_us: int, value: float) -> tuple[Subject | None, Outcome]:
        if not self._raises(value):
            return None, Outcome.NOTHING
        if self._delay_us == 0:
            return Subject(Phase.ACTIVE, observed_us, observed_us), Outcome.RAISED
        return Subject(Phase.PENDING, observed_us, observed_us), Outcome.STARTED


def is_historical(observed_us: int, accepted_us: int) -> bool:
    """True for data that was older than an hour when it arrived."""
    return accepted_us - observed_us > HISTORICAL_US


def _seen(subject: Subject, observed_us: int) -> Subject:
    return Subject(subject.phase, subject.since_us, observed_us, subject.incident)
