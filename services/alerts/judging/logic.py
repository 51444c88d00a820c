"""All, any and not over what is true, false or unknown (None). Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Truth = bool | None
Known = TypeVar("Known")
Expression = Callable[[Sequence[Truth]], Truth]


def conjunction(truths: Iterable[Truth]) -> Truth:
    """False when any is false, else None when any is unknown."""
    found: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            found = None
    return found


def disjunction(truths: Iterable[Truth]) -> Truth:
    """True when any is true, else None when any is unknown."""
    return negation(conjunction(negation(truth) for truth in truths))


def negation(truth: Truth) -> Truth:
    """The opposite; of the unknown, unknown."""
    return None if truth is None else not truth


def combined(kind: str, parts: Sequence[Callable[[Known], Truth]]) -> Callable[[Known], Truth]:
    """`all`, `any` or `not` over other expressions."""
    if kind == "all":
        return lambda truths: conjunction(part(truths) for part in parts)
    if kind == "any":
        return lambda truths: disjunction(part(truths) for part in parts)
    only = parts[0]
    return lambda truths: negation(only(truths))


def place(index: int) -> Expression:
    """What stands at `index`."""
    return lambda truths: truths[index]
