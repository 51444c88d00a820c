"""From old rules to new ones: what stays known, and which alerts end, and why. Pure."""

from collections.abc import Mapping, Set
from dataclasses import replace

from services.alerts.judging.alert import Alert
from services.alerts.judging.combination import Combination
from services.alerts.judging.outlets import told
from services.alerts.judging.partition import Judgement
from services.alerts.judging.rulebook import Book
from services.alerts.judging.states import States
from services.alerts.judging.transition import Transition

RETIRED, CHANGED, LEFT_OUT = "rule_retired", "rule_changed", "rule_left_out"


def revised(
    judgement: Judgement, book: Book, areas: Mapping[str, Set[str]]
) -> tuple[Judgement, list[Transition]]:
    """The same sensors, judged by another book; and what alerts that do not stay have come to.
    State stays where the condition does. `areas`: of the sensors known, where they lie."""
    states, old = judgement.states(), judgement.book
    stays, ended = [], []
    for one in states.asked:
        reason = reason_to_end(old, book, one.rule_id)
        if reason is None and one.sensor_id in areas:
            concerned = book.rules[one.rule_id].concerns(one.sensor_id, areas[one.sensor_id])
            reason = None if concerned or not old.plans[one.rule_id].local else LEFT_OUT
        if reason is None:
            stays.append(one)
        elif isinstance(one.state.told, Alert):
            at_us, value = one.state.last_us, one.state.value
            ended += _end(old, one.rule_id, one.sensor_id, one.state.told, at_us, value, reason)
    return Judgement(book, States(states.tracks, stays, states.rules)), ended


def revised_combination(
    combination: Combination, book: Book
) -> tuple[Combination, list[Transition]]:
    """The same for rules over several sensors."""
    states, old = combination.states(), combination.book
    ended: list[Transition] = []
    for one in states.subjects:
        reason = reason_to_end(old, book, one.rule_id)
        if reason is not None:
            ended += _end(old, one.rule_id, one.subject, one.alert, one.last_us, 0.0, reason)
    return Combination(book, states), ended


def unsettled(judgement: Judgement) -> frozenset[str]:
    """Sensors of which something is to be said should their rule go."""
    asked = judgement.states().asked
    told_of = (one for one in asked if isinstance(one.state.told, Alert) and one.state.told.level)
    return frozenset(one.sensor_id for one in told_of)


def reason_to_end(old: Book, new: Book, rule_id: str) -> str | None:
    """Why nothing that a rule has led to stays; None when it does."""
    before, after = old.plans.get(rule_id), new.plans.get(rule_id)
    if after is None:
        return RETIRED
    if before is None or before.fingerprint != after.fingerprint:
        return CHANGED
    return None


def _end(
    old: Book, rule_id: str, subject: str, alert: Alert, at_us: int, value: float, reason: str
) -> list[Transition]:
    rule = old.rules.get(rule_id)
    if rule is None or not alert.level:
        return []
    ended = told(rule, subject, "cleared", alert, alert.level, value, at_us, at_us)
    return [replace(ended, reason=reason)]
