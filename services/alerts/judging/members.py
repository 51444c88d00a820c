"""What the sensors of an area or group are, taken together: true, false or unknown. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.alerts.judging.logic import Truth, combined, disjunction
from services.alerts.judging.plan import alone
from services.alerts.rules.conditions import Condition, Count
from services.alerts.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Members:
    """`truths`: of each part of the rule, at every sensor heard of; `size`: how many sensors there
    are, where the rule names them all."""

    truths: Sequence[Mapping[str, Truth]]
    size: int | None = None


Whole = Callable[[Members], Truth]


def whole_of(rule: Rule) -> Whole:
    """The rule's condition over its parts, in the order of `plan.members`."""
    return _whole(rule, iter(range(1_000)))


def size_of(rule: Rule, subject: str) -> int | None:
    """How many sensors a subject has, where the rule names them all."""
    return next((group.size for group in rule.groups if group.id == subject), None)


def _whole(condition: Condition, parts: Iterator[int]) -> Whole:
    if condition.count is not None:
        return _count(condition.count, next(parts))
    if alone(condition):
        return _anywhere(next(parts))
    return combined(condition.kind, [_whole(inner, parts) for inner in condition.inner])


def _anywhere(part: int) -> Whole:
    def holds(members: Members) -> Truth:
        truths = members.truths[part]
        return disjunction(truths.values()) if truths else None

    return holds


def _count(count: Count, part: int) -> Whole:
    """A sensor whose data has stopped may still be one of those at which it holds."""

    def holds(members: Members) -> Truth:
        truths = members.truths[part]
        yes = sum(truth is True for truth in truths.values())
        unknown = sum(truth is None for truth in truths.values())
        if count.at_least is not None:
            bar: float = count.at_least
        else:
            bar = (count.share or 0.0) * max(members.size or 0, len(truths))
        if yes and yes >= bar - 1e-9:
            return True
        return None if unknown and yes + unknown >= bar - 1e-9 else False

    return holds
