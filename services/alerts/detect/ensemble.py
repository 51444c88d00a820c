"""Detectors together: what the strongest says, and a little of what the next two add. Pure."""

import math

import msgspec

from services.alerts.detect.averages import DRIFT, RESTLESS, Averages
from services.alerts.detect.score import HIGH, NOTHING, Score, Sign, odds, scored
from services.alerts.detect.season import Season
from services.alerts.detect.stuck import Stuck
from services.alerts.detect.windows import Extremes, Shift, numbers

AGREEMENT = 0.2  # of the second and the third
REST_READINGS = 110  # after an alarm only what is graver is news …
REST_FADES = 0.99  # … and then, per reading, ever less
GRAVER = 1.15
GRAVEST = 5.5  # beyond this surprise nothing is graver
HUGE = 1e100  # no reading of anything
ROUNDING = 1e-9  # of a series' size
SIGNS = (
    Sign.SPIKE, Sign.SPIKE, Sign.SPIKE, Sign.SEASON, Sign.SHIFT, Sign.SLOW_SHIFT, Sign.DRIFT,
    Sign.RESTLESS, Sign.STUCK,
)  # fmt: skip


def _extremes(length: int) -> Extremes:
    return msgspec.field(default_factory=lambda: Extremes(numbers(length)))


def _shift(length: int) -> Shift:
    return msgspec.field(default_factory=lambda: Shift(numbers(length)))


def _averages(weights: tuple[float, float]) -> Averages:
    return msgspec.field(default_factory=lambda: Averages(*weights))


class Detector(msgspec.Struct, array_like=True):
    """Scores one series, reading by reading; encoded with msgspec it takes some 7 kB, and goes on
    as if nothing had been. Nothing in it depends on the series.

    Readings may come with gaps, doubled or out of order; what is no finite number of a plausible
    size scores 0 and changes nothing. `last`: the value before; `size`: how large
    values are; `bar`, `rested`: what an alarm must exceed while the one before rests; `since_us`,
    `calm`: since when the level has been high, and for how many readings it has not.
    """

    short: Extremes = _extremes(24)
    middle: Extremes = _extremes(48)
    long: Extremes = _extremes(96)
    season: Season = msgspec.field(default_factory=Season)
    shift: Shift = _shift(48)
    slow_shift: Shift = _shift(192)
    drift: Averages = _averages(DRIFT)
    restless: Averages = _averages(RESTLESS)
    stuck: Stuck = msgspec.field(default_factory=Stuck)
    last: float = math.nan
    size: float = 0.0
    bar: float = 0.0
    rested: int = 0
    since_us: int | None = None
    calm: int = 0

    def update(self, at_us: int, value: float) -> Score:
        """Score one reading. `at_us`: its event time, epoch microseconds."""
        if not -HUGE < value < HUGE:
            return NOTHING
        if math.isnan(self.last):
            self.last = self.drift.newer = self.drift.older = value
        self.size += (abs(value) - self.size) * (0.05 if self.size else 1.0)
        step, grain = value - self.last, ROUNDING * self.size + 1e-12
        self.last = value
        found = [
            self.short.update(value, grain),
            self.middle.update(value, grain),
            self.long.update(value, grain),
            self.season.update(at_us, value, grain),
            self.shift.update(value, grain),
            self.slow_shift.update(value, grain),
            self.drift.update(value, grain),
            self.restless.update(abs(step), grain),
            self.stuck.update(step, grain),
        ]
        third, second, first = sorted(found)[-3:]
        surprise = first + AGREEMENT * (second + third)
        return self._score(at_us, value, surprise, found.index(first))

    def _score(self, at_us: int, value: float, surprise: float, place: int) -> Score:
        """`surprise`: −log₁₀ of odds; `place`: of the detector that was surprised most."""
        sign = SIGNS[place] if surprise > 0.0 else Sign.NONE
        high = surprise >= HIGH
        news = self._is_news(surprise, goes_on=high and sign is Sign.STUCK)
        self.calm = 0 if high else self.calm + 1
        if high and self.since_us is None:
            self.since_us = at_us
        elif self.calm > REST_READINGS:
            self.since_us = None
        level = scored(surprise)
        expected, observed = self._reason(place, value)
        since_us = self.since_us if high else None
        return Score(
            level if news else 0.0, level, sign, expected, observed, odds(surprise), since_us
        )

    def _is_news(self, surprise: float, *, goes_on: bool) -> bool:
        """False while it only repeats an alarm. `goes_on`: what is one and the same for as long as
        it lasts."""
        self.rested += 1
        resting = self.rested <= REST_READINGS
        if not resting:
            self.bar *= REST_FADES
        surprise = min(surprise, GRAVEST)
        if surprise > self.bar * (GRAVER if resting else 1.0):
            self.bar, self.rested = surprise, 0
            return True
        if goes_on:
            self.rested = 0
        return False

    def _reason(self, place: int, value: float) -> tuple[float, float]:
        """(expected, observed) in the series' unit; of what is stuck, in readings."""
        match SIGNS[place]:
            case Sign.SPIKE:
                return (self.short, self.middle, self.long)[place].reason
            case Sign.SHIFT:
                return self.shift.older_mean, self.shift.newer_mean
            case Sign.SLOW_SHIFT:
                return self.slow_shift.older_mean, self.slow_shift.newer_mean
            case Sign.DRIFT:
                return self.drift.older, self.drift.newer
            case Sign.RESTLESS:
                return self.restless.older, self.restless.newer
            case Sign.STUCK:
                return float(self.stuck.longest), float(self.stuck.run)
        return self.season.expected, value
