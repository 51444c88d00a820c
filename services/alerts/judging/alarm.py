"""Timers of one condition at one subject: on-delay, off-delay, severity. Pure, on event time."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from services.alerts.rules.conditions import Condition
from services.alerts.rules.scales import Limits

NEVER = -1
Steps = Callable[[float], int]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long (microseconds), and for how many readings in a row, before a level is reached or
    left. `levels`: how many there are."""

    levels: int = 1
    on_us: int = 0
    off_us: int = 0
    samples: int = 1


def timing_of(condition: Condition) -> Timing:
    """What a condition says of time."""
    return Timing(
        max(1, len(condition.limits.ladder)),
        condition.for_seconds * 1_000_000,
        condition.clear_for * 1_000_000,
        condition.min_samples,
    )


def steps_of(limits: Limits) -> tuple[Steps, Steps]:
    """(how many levels a measure is strictly beyond, how many it has not yet come back from)."""
    sign = 1.0 if limits.upwards else -1.0
    beyond = [sign * limit for limit in limits.ladder]
    kept = [limit - limits.deadband for limit in beyond]
    if len(beyond) > 1:
        return (
            lambda measure: bisect_left(beyond, sign * measure),
            lambda measure: bisect_left(kept, sign * measure),
        )
    return _one_step(limits.upwards, sign * beyond[0]), _one_step(limits.upwards, sign * kept[0])


def _one_step(upwards: bool, limit: float) -> Steps:
    if upwards:
        return lambda measure: measure > limit
    return lambda measure: measure < limit


class Alarm(msgspec.Struct, array_like=True, omit_defaults=True):
    """`level`: the severity reached, 0 is none. `turns`: per level, since when a reached one is
    going back or another one is being reached. `started_us`: when the first level was first passed.
    `paused_us`: the last reading before data stopped; timers stand still meanwhile."""

    turns: list[int]
    counts: list[int]
    level: int = 0
    started_us: int = NEVER
    paused_us: int = NEVER

    @property
    def idle(self) -> bool:
        """True when nothing is or has begun to be wrong."""
        return not self.level and self.turns[0] < 0

    def step(self, timing: Timing, at_us: int, beyond: int, kept: int) -> None:
        """One reading: so many levels are passed, so many not yet come back from."""
        reached = self.level
        for index in range(timing.levels):
            if index >= reached:
                self._rise(timing, index, at_us, beyond > index)
            elif kept > index:
                self.turns[index] = NEVER
            else:
                self._fall(timing, index, at_us)

    def pause(self, last_us: int) -> None:
        """Data has stopped after `last_us`."""
        if self.paused_us < 0:
            self.paused_us = last_us

    def resume(self, at_us: int) -> None:
        """Data is back: the time without it does not count."""
        if self.paused_us >= 0:
            missed = at_us - self.paused_us
            self.turns = [turn + missed if turn >= 0 else turn for turn in self.turns]
            self.paused_us = NEVER

    def _rise(self, timing: Timing, index: int, at_us: int, beyond: bool) -> None:
        if not beyond:
            self.turns[index] = NEVER
            return
        if self.turns[index] < 0:
            self.turns[index], self.counts[index] = at_us, 0
            if index == 0:
                self.started_us = at_us
        self.counts[index] += 1
        late = at_us - self.turns[index] >= timing.on_us
        if late and self.counts[index] >= timing.samples and self.level == index:
            self.level, self.turns[index] = index + 1, NEVER

    def _fall(self, timing: Timing, index: int, at_us: int) -> None:
        if self.turns[index] < 0:
            self.turns[index] = at_us
        if at_us - self.turns[index] >= timing.off_us and self.level > index:
            self.level = index
            for later in range(index, timing.levels):
                self.turns[later] = NEVER


def new_alarm(timing: Timing) -> Alarm:
    """Nothing is wrong yet."""
    return Alarm([NEVER] * timing.levels, [0] * timing.levels)
