"""The next hours of a series, with a band. Pure.

For each of some horizons a linear model of its own, learned as the series goes (recursive least
squares with forgetting): the newest value, the last hour's trend, and the values of yesterday and
of a week ago, now and then.
"""

import math
import operator
from dataclasses import dataclass

import msgspec

HOUR_US, DAY_US, WEEK_US = 3_600 * 1_000_000, 86_400 * 1_000_000, 604_800 * 1_000_000
FORGET = 0.9998  # per step
CAUTION = 1.0  # how little the models' first weights are trusted: the prior's variance
OUTLIER = 2.0  # usual errors: what is further off teaches no more than that
SHARE = 0.8  # of the values lies within the band
MEMORY = 500  # steps: over so many the voices are compared
SHARPNESS = 4  # how much more the better ones are heard
PACE = 0.02  # of the usual error: how fast the band's edges move
INPUTS = 7  # now, yesterday then, yesterday now, last week then, last week now, trend, one


@dataclass(frozen=True, slots=True)
class Ahead:
    """One step of a forecast: most probable, and the band in which four of five values lie."""

    at_us: int
    expected: float
    low: float
    high: float


class Horizon(msgspec.Struct, array_like=True):
    """A model for so many `steps` ahead. `spread`: its covariance, row by row; `error`: how far
    off it usually is; `under`, `over`: the band's edges as distances."""

    steps: int
    weights: list[float] = msgspec.field(
        default_factory=lambda: [0.5, 1.0, -0.5, 0.0, 0.0, 0.0, 0.0]
    )
    spread: list[float] = msgspec.field(
        default_factory=lambda: [
            CAUTION if row == column else 0.0 for row in range(INPUTS) for column in range(INPUTS)
        ]
    )
    error: float = 0.0
    errors: list[float] = msgspec.field(default_factory=lambda: [0.0, 0.0, 0.0])
    learned: int = 0
    under: float = 0.0
    over: float = 0.0

    def predict(self, inputs: list[float]) -> float:
        """The expected value, in the units of the inputs."""
        voices = self._voices(inputs)
        trust = [math.pow(one + 1e-9, -SHARPNESS) for one in self.errors]
        said: float = sum(map(operator.mul, trust, voices))
        return said / sum(trust)

    def _voices(self, inputs: list[float]) -> tuple[float, float, float]:
        """What the model says; that nothing changes; that it will be as yesterday."""
        return sum(map(operator.mul, self.weights, inputs)), inputs[0], inputs[1]

    def learn(self, inputs: list[float], value: float) -> None:
        """What came of it."""
        off = value - self.predict(inputs)
        self.learned += 1
        self._widen(off)
        weight, voices = 1.0 / min(self.learned, MEMORY), self._voices(inputs)
        self.error += (abs(off) - self.error) * weight
        self.errors = [
            old + (abs(value - voice) - old) * weight
            for old, voice in zip(self.errors, voices, strict=True)
        ]
        off, limit = value - voices[0], OUTLIER * self.errors[0]
        off = min(max(off, -limit), limit)
        spread = self.spread
        rows = [spread[start : start + INPUTS] for start in range(0, INPUTS * INPUTS, INPUTS)]
        gain = [sum(a * b for a, b in zip(row, inputs, strict=True)) for row in rows]
        total = FORGET + sum(a * b for a, b in zip(gain, inputs, strict=True))
        self.weights = [w + g / total * off for w, g in zip(self.weights, gain, strict=True)]
        # Forgetting only where something is learned: without news nothing may blow up.
        scale = 1.0 / FORGET if max(spread[:: INPUTS + 1]) < CAUTION else 1.0
        self.spread = [
            (old - a * b / total) * scale
            for row, a in zip(rows, gain, strict=True)
            for old, b in zip(row, gain, strict=True)
        ]

    def _widen(self, off: float) -> None:
        pace, out = PACE * max(self.error, abs(off) / self.learned), (1.0 - SHARE) / 2
        self.over += pace * (1.0 - out if off > self.over else -out)
        self.under += pace * (1.0 - out if -off > self.under else -out)


class Forecaster(msgspec.Struct, array_like=True):
    """A series in steps of equal length, the last week of it, and a model per horizon.

    `ring`: its values by step, NaN where there was none; `step`: the newest one; `size`: how large
    values are, in which the models count.
    """

    step_us: int
    horizons: list[Horizon]
    ring: list[float]
    step: int = -1
    size: float = 0.0

    def update(self, at_us: int, value: float) -> None:
        """Hear one reading; of several in a step the newest counts. What is late or no number is
        left out."""
        step = at_us // self.step_us
        if not math.isfinite(value) or abs(value) > 1e100 or step < self.step:
            return
        if step == self.step:
            self._put(step, value)
            return
        if self.step >= 0:
            self._learn()
        for missed in range(max(self.step + 1, step - len(self.ring) + 1), step):
            self._put(missed, math.nan)
        self.size += (abs(value) - self.size) * (0.01 if self.size else 1.0)
        self._put(step, value)
        self.step = step

    def ahead(self) -> list[Ahead]:
        """The forecast at every horizon; empty where too little is known."""
        found = []
        for horizon in self.horizons:
            inputs = self._inputs(self.step, horizon.steps)
            if inputs is not None:
                expected = horizon.predict(inputs) * self.size
                found.append(
                    Ahead(
                        (self.step + horizon.steps) * self.step_us,
                        expected,
                        expected - max(horizon.under, 0.0) * self.size,
                        expected + max(horizon.over, 0.0) * self.size,
                    )
                )
        return found

    def _learn(self) -> None:
        """The newest step is complete: every model sees what came of its forecast for it."""
        value = self.value_at(self.step)
        for horizon in self.horizons:
            inputs = self._inputs(self.step - horizon.steps, horizon.steps)
            if inputs is not None and self.size > 0.0 and not math.isnan(value):
                horizon.learn(inputs, value / self.size)

    def _inputs(self, now: int, steps: int) -> list[float] | None:
        """What a forecast from `now` is made of, in sizes; None where yesterday is missing."""
        day, week, then = DAY_US // self.step_us, WEEK_US // self.step_us, now + steps
        newest = self.value_at(now)
        yesterday, its_now = self.value_at(then - day), self.value_at(now - day)
        if math.isnan(newest) or math.isnan(yesterday) or math.isnan(its_now) or not self.size:
            return None
        before, before_now = self.value_at(then - week), self.value_at(now - week)
        if math.isnan(before) or math.isnan(before_now):
            before, before_now = yesterday, its_now
        size, trend = self.size, self._trend(now, newest, steps)
        return [newest / size, yesterday / size, its_now / size, before / size, before_now / size,
                trend / size, 1.0]  # fmt: skip

    def _trend(self, now: int, newest: float, steps: int) -> float:
        """What is to come if the last hour goes on; 0 where it is not known."""
        hour = max(1, HOUR_US // self.step_us)
        earlier = self.value_at(now - hour)
        return 0.0 if math.isnan(earlier) else (newest - earlier) * steps / hour

    def value_at(self, step: int) -> float:
        """Of a step of the last week; NaN where nothing is known."""
        if step < 0 or step <= self.step - len(self.ring):
            return math.nan
        return self.ring[step % len(self.ring)]

    def _put(self, step: int, value: float) -> None:
        self.ring[step % len(self.ring)] = value


def forecaster(step_us: int, hours: tuple[float, ...] = (1, 2, 3, 4, 5, 6)) -> Forecaster:
    """Of a series with a reading every `step_us`, that many hours ahead. ValueError unless a day is
    a whole number of steps."""
    if DAY_US % step_us:
        raise ValueError("a day must be a whole number of steps")
    steps = [max(1, round(hour * 3_600_000_000 / step_us)) for hour in hours]
    length = WEEK_US // step_us + max(steps) + 1
    return Forecaster(step_us, [Horizon(one) for one in steps], [math.nan] * length)
