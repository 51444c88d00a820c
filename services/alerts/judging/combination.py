"""The second stage: changes of conditions of several sensors → transitions. Pure.

Changes of different sensors come in any order: each waits until time has gone on by `LATENESS_US`
since it was accepted, and all that wait are judged in the order of event time.
"""

from collections.abc import Sequence
from itertools import chain

import msgspec

from services.alerts.judging.alarm import Alarm, Timing, new_alarm
from services.alerts.judging.alert import Alert
from services.alerts.judging.change import ConditionChange
from services.alerts.judging.logic import Truth
from services.alerts.judging.members import Members, size_of, whole_of
from services.alerts.judging.outlets import told
from services.alerts.judging.plan import Plan
from services.alerts.judging.rulebook import Book
from services.alerts.judging.transition import Transition
from services.alerts.rules.rule import matches

LATENESS_US = 10 * 1_000_000
MOST_WAITING = 100_000  # beyond it the oldest are judged at once
ONE_LEVEL = Timing()
Origin = tuple[str, int, str]  # rule, part, sensor


class Subject(msgspec.Struct, array_like=True):
    """A rule's area, group or compared sensor. `truths`: of each part, at every sensor."""

    rule_id: str
    subject: str
    alarm: Alarm
    alert: Alert
    truths: list[dict[str, bool | None]]
    last_us: int = 0


class CombinationStates(msgspec.Struct):
    """Everything that must be known to go on. `heard`: the last change by rule, part and sensor;
    `rules`: how each rule was asked."""

    subjects: list[Subject] = []
    heard: list[ConditionChange] = []
    waiting: list[ConditionChange] = []
    rules: dict[str, str] = {}


class Combination:
    """Rules over several sensors. The same changes and ticks lead to the same transitions."""

    def __init__(self, book: Book, states: CombinationStates | None = None) -> None:
        kept = states or CombinationStates()
        self.book = book
        self._plans = {name: plan for name, plan in book.plans.items() if not plan.local}
        self._wholes = {name: whole_of(plan.rule) for name, plan in self._plans.items()
                        if plan.rule.compare is None}  # fmt: skip
        self._subjects = {(one.rule_id, one.subject): one for one in kept.subjects
                          if self._same(one.rule_id, kept)}  # fmt: skip
        self._heard: dict[Origin, ConditionChange] = {}
        self._compared: dict[str, dict[str, ConditionChange]] = {}
        for one in kept.heard:
            if self._same(one.rule_id, kept):
                self._remember(one)
        self._waiting = list(kept.waiting)
        self._transitions: list[Transition] = []

    @property
    def urgent(self) -> bool:
        """True when something has happened that is not yet written."""
        return bool(self._transitions)

    def hear(self, change: ConditionChange) -> None:
        """A change of the first stage; those of rules that have changed since are passed over."""
        plan = self._plans.get(change.rule_id)
        if plan is None or plan.fingerprint != change.asked:
            return
        self._waiting.append(change)
        if len(self._waiting) > MOST_WAITING:
            self._release(MOST_WAITING // 2)

    def tick(self, now_us: int) -> None:
        """Time has come this far: judge what no earlier change is expected for any more."""
        due = [one.observed_us for one in self._waiting
               if one.accepted_us + LATENESS_US < now_us]  # fmt: skip
        if due:
            newest = max(due)
            self._release(sum(one.observed_us <= newest for one in self._waiting))

    def changes(self) -> Sequence[Transition]:
        """Everything that is not written yet."""
        return list(self._transitions)

    def written(self) -> None:
        """All of it is written."""
        self._transitions.clear()

    def states(self) -> CombinationStates:
        """See `CombinationStates`. It shares memory: encode it before the next change."""
        asked = {name: plan.fingerprint for name, plan in self._plans.items()}
        return CombinationStates(
            list(self._subjects.values()), list(self._heard.values()), list(self._waiting), asked
        )

    def _remember(self, change: ConditionChange) -> None:
        self._heard[_origin(change)] = change
        if self._plans[change.rule_id].rule.compare is not None:
            self._compared.setdefault(change.rule_id, {})[change.sensor_id] = change

    def _same(self, rule_id: str, kept: CombinationStates) -> bool:
        plan = self._plans.get(rule_id)
        return plan is not None and kept.rules.get(rule_id) == plan.fingerprint

    def _release(self, number: int) -> None:
        """Judge the oldest of those that wait."""
        self._waiting.sort(key=_order)
        due, self._waiting = self._waiting[:number], self._waiting[number:]
        for change in due:
            before = self._heard.get(_origin(change))
            if before is not None and (before == change or change.observed_us < before.observed_us):
                continue  # said twice, or late
            self._remember(change)
            plan = self._plans[change.rule_id]
            if plan.rule.compare is None:
                self._count(plan, change, before.subjects if before else ())
            elif change.subjects:
                self._compare(plan, change)

    def _count(self, plan: Plan, change: ConditionChange, before: Sequence[str]) -> None:
        for name in dict.fromkeys(chain(before, change.subjects)):
            subject = self._subject(plan, name)
            truths = subject.truths[change.part]
            if name in change.subjects:
                truths[change.sensor_id] = change.holds
            else:
                truths.pop(change.sensor_id, None)
            members = Members(subject.truths, size_of(plan.rule, name))
            truth = self._wholes[plan.rule.id](members)
            holding = sum(truth is True for part in subject.truths for truth in part.values())
            self._judge(plan, subject, change, ONE_LEVEL, truth, int(bool(truth)), holding)

    def _compare(self, plan: Plan, change: ConditionChange) -> None:
        subject, part = self._subject(plan, change.sensor_id), plan.parts[0]
        measured = self._measure(plan, change) if change.holds is not None else None
        if measured is None:
            self._judge(plan, subject, change, part.timing, None, 0, change.value)
            return
        beyond, kept = part.leaves[0].beyond(measured), part.leaves[0].kept(measured)
        self._judge(plan, subject, change, part.timing, True, beyond, measured, kept)

    def _measure(self, plan: Plan, change: ConditionChange) -> float | None:
        """The reading against the newest of the others; None when they are too far in time."""
        compare = plan.rule.compare
        assert compare is not None
        others = [
            one.value
            for sensor_id, one in self._compared[change.rule_id].items()
            if sensor_id != change.sensor_id
            and one.holds is not None
            and change.observed_us - one.observed_us <= compare.within * 1_000_000
            and matches(sensor_id, compare.other)
        ]
        if not others:
            return None
        mean = sum(others) / len(others)
        if compare.by == "difference":
            return change.value - mean
        return change.value / mean if mean > 0 else None

    def _subject(self, plan: Plan, name: str) -> Subject:
        key = (plan.rule.id, name)
        found = self._subjects.get(key)
        if found is None:
            timing = plan.parts[0].timing if plan.rule.compare is not None else ONE_LEVEL
            truths: list[dict[str, Truth]] = [{} for _ in plan.parts]
            found = Subject(plan.rule.id, name, new_alarm(timing), Alert(), truths)
            self._subjects[key] = found
        return found

    def _judge(
        self,
        plan: Plan,
        subject: Subject,
        change: ConditionChange,
        timing: Timing,
        truth: Truth,
        beyond: int,
        value: float,
        kept: int | None = None,
    ) -> None:
        """One step of the subject's alarm, and what is to be told of it."""
        at_us = max(subject.last_us, change.observed_us)
        alarm, alert, level = subject.alarm, subject.alert, subject.alert.level
        if truth is None:
            alarm.pause(subject.last_us)
            kinds = [alert.lose()]
        else:
            alarm.resume(at_us)
            alarm.step(timing, at_us, beyond, beyond if kept is None else kept)
            kinds = [alert.resume(), alert.follow(alarm, at_us, plan.rule.flapping)]
        subject.last_us = at_us
        self._transitions += [
            told(plan.rule, subject.subject, kind, alert, alert.level or level, value, at_us,
                 change.accepted_us)
            for kind in kinds
            if kind is not None
        ]  # fmt: skip


def _origin(change: ConditionChange) -> Origin:
    return change.rule_id, change.part, change.sensor_id


def _order(change: ConditionChange) -> tuple[int, str, int, str]:
    return change.observed_us, *_origin(change)
