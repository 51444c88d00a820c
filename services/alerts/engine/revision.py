"""From old rules to new ones: which states stay valid, and which alerts end, and why. Pure."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from services.alerts.judging.book import Book
from services.alerts.judging.machine import Phase, Subject
from services.alerts.judging.transition import Key, Transition
from services.alerts.rules.rule import Rule

# What people read, and who is told: none of it changes what is judged.
WORDS = {
    "version", "title", "grade", "priority", "warning", "department", "deadline_seconds", "enabled",
    "group_by", "cause", "category", "runbook",
}  # fmt: skip
SCOPE = {"sensors", "areas"}
GONE, CHANGED, LEFT_OUT = "rule_retired", "rule_changed", "rule_left_out"


@dataclass(frozen=True)
class Revision:
    """`states`: those that stay; `ended`: what alerts that do not stay have come to."""

    states: dict[Key, Subject]
    ended: list[Transition]


def revise(
    states: Mapping[Key, Subject], old: Book, new: Book, areas: Mapping[str, Set[str]]
) -> Revision:
    """What becomes of `states`. `areas`: of every subject that is not normal, where it lies."""
    stays: dict[Key, Subject] = {}
    ended: list[Transition] = []
    verdicts = {rule_id: _verdict(rule_id, old, new) for rule_id, _ in states}
    for key, state in states.items():
        rule_id, subject = key
        reason = verdicts[rule_id]
        if reason == LEFT_OUT and new.rules[rule_id].concerns(
            subject, areas.get(subject, frozenset())
        ):
            reason = None
        if reason is None:
            stays[key] = state
        elif state.phase is Phase.ACTIVE and rule_id in old.rules:
            ended.append(_end(old.rules[rule_id], subject, state, reason))
    return Revision(stays, ended)


def condition(rule: Rule) -> dict[str, Any]:
    """Everything that decides how a reading of a concerned sensor is judged."""
    fields = rule.model_dump(exclude=WORDS | SCOPE)
    for level in fields["levels"]:
        for name in ("grade", "priority", "warning"):
            level.pop(name)
    return fields


def same_rules(old: Book, new: Book) -> bool:
    """True when nothing at all differs."""
    return old is new or old.rules == new.rules


def _verdict(rule_id: str, old: Book, new: Book) -> str | None:
    """What may end the alerts of a rule; `LEFT_OUT`: those of subjects it no longer concerns."""
    before, after = old.rules.get(rule_id), new.rules.get(rule_id)
    if after is None:
        return GONE
    if before is None:
        return None
    if condition(before) != condition(after):
        return CHANGED
    return LEFT_OUT if before.model_dump(include=SCOPE) != after.model_dump(include=SCOPE) else None


def _end(rule: Rule, subject: str, state: Subject, reason: str) -> Transition:
    return Transition(
        kind="cleared",
        rule=rule,
        subject=subject,
        started_us=state.since_us,
        observed_us=state.last_us,
        value=rule.threshold,
        threshold=rule.threshold,
        grade=rule.grade,
        priority=rule.priority,
        historical=False,
        reason=reason,
    )


def unsettled(states: Mapping[Key, Subject]) -> Iterator[str]:
    """Subjects of which something is to be said should their rule go."""
    for (_, subject), state in states.items():
        if state.phase is not Phase.NORMAL:
            yield subject
