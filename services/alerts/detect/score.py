"""How unusual a reading is, and why. Pure."""

import math
from dataclasses import dataclass
from enum import StrEnum

ALARM = 0.9  # the score that is worth a person's attention, in any series
HIGH = 4.5  # the surprise that scores it: −log₁₀ of odds, as the detectors see them


class Sign(StrEnum):
    """What is unusual."""

    NONE = "none"
    SPIKE = "spike"  # higher or lower than for a long time, for one or several readings
    SEASON = "season"  # for the time of the day, or of the week
    SHIFT = "shift"  # the mean of two dozen readings
    SLOW_SHIFT = "slow_shift"  # the mean of a hundred
    DRIFT = "drift"  # slowly further away
    RESTLESS = "restless"  # larger or smaller steps
    STUCK = "stuck"  # no steps


@dataclass(frozen=True, slots=True)
class Score:
    """`score`, `level`: 0–1, alike for every series, 0.9 is an alarm. `score` is of what is new:
    it is 0 while an alarm is repeated; `level` is how unusual it is now.

    `sign`: what is unusual; `expected`, `observed`: in the series' unit (of `stuck`: readings
    without a change), NaN where not known; `odds`: one in so many readings is like this;
    `since_us`: since when the level has been high, with short breaks; None when it is not.
    """

    score: float
    level: float
    sign: Sign
    expected: float
    observed: float
    odds: float
    since_us: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a level is high, see `Score`."""

    sign: Sign
    expected: float
    observed: float
    odds: float
    since_us: int | None


NOTHING = Score(0.0, 0.0, Sign.NONE, math.nan, math.nan, 1.0, None)


def scored(surprise: float) -> float:
    """0–1 from −log₁₀ of odds."""
    return 1.0 - math.pow(1.0 - ALARM, surprise / HIGH)


def odds(surprise: float) -> float:
    """One in so many."""
    return math.pow(10.0, surprise)
