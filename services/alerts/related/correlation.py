"""How two series moved together: lagged correlation, and since when one has left its usual. Pure.

Series are lists of equal length, a value per step, None where nothing was read. Gaps, constant
series and values that are no finite number give no answer, never an exception.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

LEAST_PAIRS = 24
LEAST_R = 0.6
LEAST_INDEPENDENT = 4.0  # pairs: below, Fisher's z has no error to speak of
SURE = 3.3  # standard errors of Fisher's z: what chance alone does not reach over all lags
CALM = 1e-9  # of a series' size: smaller spreads are rounding
DEPARTED = 4.0  # usual spreads
COVERED = 0.7  # of the steps must be known

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Together:
    """`r`: Pearson's correlation, −1…1; `lag`: steps by which the other comes later (negative:
    earlier); `pairs`: steps at which both are known."""

    r: float
    lag: int
    pairs: int


def together(own: Values, other: Values, longest: int, before: int) -> Together | None:
    """The strongest correlation with a lag of at most `longest` steps; None where there is none
    that chance would not give as well. `before`: so many steps are of the usual time."""
    share = independence(own[:before], other[:before])
    if min(len(own), len(other)) * share <= LEAST_INDEPENDENT:
        return None
    best: Together | None = None
    for lag in sorted(range(-longest, longest + 1, 2), key=abs):  # of equals the nearest
        best = _better(best, _at_lag(own, other, lag, share))
    if best is None:
        return None
    for lag in (best.lag - 1, best.lag + 1):
        if abs(lag) <= longest:
            best = _better(best, _at_lag(own, other, lag, share))
    return best


def independence(own: Values, other: Values) -> float:
    """How many pairs one pair counts for, 0–1: where neighbouring steps resemble each other, many
    say little (Bartlett). Of the usual time: what happens then is what chance is like."""
    memory = _memory(own) * _memory(other)
    return (1.0 - memory) / (1.0 + memory)


def less(values: Values, before: Values) -> list[float | None]:
    """What is other than before."""
    return [
        None if one is None or then is None else one - then
        for one, then in zip(values, before, strict=True)
    ]


def covered(values: Values) -> bool:
    """Whether enough steps are known."""
    return sum(one is not None for one in values) >= COVERED * len(values)


def departed(values: Values, before: int) -> int | None:
    """The first step from which on two in a row lie outside of what the first `before` steps
    were; None when none do, or nothing is known of the time before."""
    usual = [one for one in values[:before] if one is not None]
    if len(usual) < LEAST_PAIRS // 2:
        return None
    middle = median(usual)
    spread = median(abs(one - middle) for one in usual) * 1.4826
    limit = max(DEPARTED * spread, CALM * (1.0 + abs(middle)))
    outside = [one is not None and abs(one - middle) > limit for one in values]
    after = range(before, len(values) - 1)
    return next((step for step in after if outside[step] and outside[step + 1]), None)


def _better(best: Together | None, found: Together | None) -> Together | None:
    if best is None or found is None:
        return found or best
    return found if abs(found.r) > abs(best.r) + 1e-9 else best


def _at_lag(own: Values, other: Values, lag: int, share: float) -> Together | None:
    first = max(0, -lag)
    last = max(first, min(len(own), len(other) - lag))
    pairs = [
        (one, two)
        for one, two in zip(own[first:last], other[first + lag : last + lag], strict=True)
        if one is not None and two is not None
    ]
    if len(pairs) < LEAST_PAIRS:
        return None
    ones, twos = _centred([one for one, _ in pairs]), _centred([two for _, two in pairs])
    if ones is None or twos is None:
        return None
    r = max(-1.0, min(1.0, _product(ones, twos)))
    independent = len(pairs) * share
    if abs(r) < LEAST_R or independent <= LEAST_INDEPENDENT:
        return None
    errors = math.atanh(min(abs(r), 0.999999)) * math.sqrt(independent - 3.0)
    return Together(r, lag, len(pairs)) if errors >= SURE else None


def _memory(values: Values) -> float:
    """Correlation of neighbouring steps, 0…0.99; much where little is known, none of a constant."""
    pairs = [(one, two) for one, two in pairwise(values) if one is not None and two is not None]
    if len(pairs) < LEAST_PAIRS // 2:
        return 0.9
    ones, twos = _centred([one for one, _ in pairs]), _centred([two for _, two in pairs])
    if ones is None or twos is None:
        return 0.0
    return min(max(_product(ones, twos), 0.0), 0.99)


def _centred(values: list[float]) -> list[float] | None:
    """Around their mean, of length one; None for what is constant or no number."""
    size = max(abs(one) for one in values)
    if not math.isfinite(size) or size == 0.0:
        return None
    scaled = [one / size for one in values]
    mean = math.fsum(scaled) / len(scaled)
    off = [one - mean for one in scaled]
    length = math.sqrt(_product(off, off))
    if length <= CALM * math.sqrt(len(off)):
        return None
    return [one / length for one in off]


def _product(ones: Sequence[float], twos: Sequence[float]) -> float:
    return math.fsum(one * two for one, two in zip(ones, twos, strict=True))
