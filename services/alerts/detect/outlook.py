"""What is expected of a series that is heard reading by reading: its forecast, and when that
crosses a limit. Pure.

A forecast is of means of a quarter of an hour. Every quarter that is complete teaches the model,
and the next hours are foretold anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from services.alerts.detect.forecast import HOUR_US, Ahead, Forecaster, forecaster

STEP_US = 900 * 1_000_000
HOURS = 6

Point = tuple[int, float]  # time, value


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a forecast passes a limit. Times: epoch microseconds.

    `expected`: the value furthest beyond that is expected; `at_us`: when the limit is passed, most
    probably; `earliest_us`, `latest_us`: when the band's edges pass it; `latest_us` None: within
    the hours ahead the nearer edge does not, it may as well stay on this side. `made_us`: up to
    when readings were known.
    """

    limit: float
    upwards: bool
    expected: float
    at_us: int
    earliest_us: int
    latest_us: int | None
    made_us: int


class Outlook(msgspec.Struct, array_like=True):
    """`step`: the quarter that is being summed up, `total` of `number` readings; `mean`: of the
    last complete one; `ahead`: the forecast made after it, empty where too little is known."""

    model: Forecaster
    step: int = -1
    total: float = 0.0
    number: int = 0
    mean: float = 0.0
    ahead: list[Ahead] = []

    def hear(self, at_us: int, value: float) -> bool:
        """One reading, none older than the last; True when a new forecast was made."""
        step = at_us // STEP_US
        done = self.number > 0 and step > self.step
        if done:
            self.learn(self.step * STEP_US, self.total / self.number)
        if step > self.step:
            self.step, self.total, self.number = step, 0.0, 0
        if step == self.step:
            self.total += value
            self.number += 1
        return done

    def learn(self, at_us: int, mean: float) -> None:
        """The quarter that began at `at_us` is complete."""
        self.mean = mean
        self.model.update(at_us, mean)
        self.ahead = [_centred(one) for one in self.model.ahead()]

    @property
    def made_us(self) -> int:
        """Up to when readings are known: the end of the last complete quarter."""
        return (self.model.step + 1) * STEP_US

    def crossing(self, limit: float, upwards: bool) -> Crossing | None:
        """The first time that the forecast is strictly beyond a limit; None where it never is."""
        sign = 1.0 if upwards else -1.0
        began = (self.made_us, self.mean)
        expected = [began, *((one.at_us, one.expected) for one in self.ahead)]
        early = [began, *((one.at_us, one.high if upwards else one.low) for one in self.ahead)]
        late = [began, *((one.at_us, one.low if upwards else one.high) for one in self.ahead)]
        at_us = _passes(expected, sign, limit)
        if not self.ahead or at_us is None:
            return None
        earliest = _passes(early, sign, limit)
        furthest = max((value for _, value in expected[1:]), key=lambda value: sign * value)
        return Crossing(
            limit, upwards, furthest, at_us, at_us if earliest is None else min(earliest, at_us),
            _passes(late, sign, limit), self.made_us,
        )  # fmt: skip


def outlook(hours: int = HOURS) -> Outlook:
    """Of a series of which nothing is known yet, so many hours ahead."""
    return Outlook(forecaster(STEP_US, tuple(range(1, hours + 1))))


def hours_of(within_us: int) -> int:
    """The whole hours that lie within a span, at least one."""
    return max(1, within_us // HOUR_US)


def _centred(ahead: Ahead) -> Ahead:
    """A mean belongs to the middle of its quarter."""
    return Ahead(ahead.at_us + STEP_US // 2, ahead.expected, ahead.low, ahead.high)


def _passes(points: Sequence[Point], sign: float, limit: float) -> int | None:
    """When the line through the points is first strictly beyond the limit."""
    first_us, first = points[0]
    if sign * (first - limit) > 0.0:
        return first_us
    for (from_us, before), (to_us, after) in pairwise(points):
        if sign * (after - limit) > 0.0:
            share = (limit - before) / (after - before)
            return from_us + round(share * (to_us - from_us))
    return None
