"""How good the forecasts of a series have been lately, against the same time a day or a week
before. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.alerts.detect.forecast import DAY_US, HOUR_US, WEEK_US, Ahead

MEMORY = 672  # forecasts: a week of quarters of an hour
SETTLED = 48  # so many must have come before anything is said


class Mean:
    """Of the newest `MEMORY` numbers, about; NaN before the first."""

    def __init__(self) -> None:
        self.value = math.nan
        self.number = 0

    def add(self, one: float) -> None:
        """What is no number does not count."""
        if math.isfinite(one):
            self.number = min(self.number + 1, MEMORY)
            before = self.value if self.number > 1 else one
            self.value = before + (one - before) / self.number


@dataclass
class Lately:
    """Of one horizon. `ours`, `day`, `week`: mean absolute errors; `inside`: share of values that
    lay within the band."""

    ours: Mean = field(default_factory=Mean)
    day: Mean = field(default_factory=Mean)
    week: Mean = field(default_factory=Mean)
    inside: Mean = field(default_factory=Mean)

    @property
    def naive(self) -> float:
        """The error of the better seasonal naive forecast; NaN where too little is known."""
        known = [one.value for one in (self.day, self.week) if one.number >= SETTLED]
        return min(known, default=math.nan)

    @property
    def settled(self) -> bool:
        """True once enough forecasts have come true or not."""
        return self.ours.number >= SETTLED


class Record:
    """What was foretold and has not come yet, and how far off the rest was, by hour ahead."""

    def __init__(self, hours: int) -> None:
        self.lately = [Lately() for _ in range(hours)]
        self._due: dict[int, list[tuple[int, Ahead]]] = {}
        self._past: dict[int, float] = {}

    def came(self, at_us: int, value: float) -> None:
        """The mean of the step at `at_us`; forecasts for steps that have been left out are void."""
        for place, ahead in self._due.pop(at_us, ()):
            lately = self.lately[place]
            lately.ours.add(abs(value - ahead.expected))
            lately.day.add(abs(value - self._past.get(at_us - DAY_US, math.nan)))
            lately.week.add(abs(value - self._past.get(at_us - WEEK_US, math.nan)))
            lately.inside.add(float(ahead.low <= value <= ahead.high))
        self._past[at_us] = value
        while self._past and (oldest := next(iter(self._past))) < at_us - WEEK_US:
            del self._past[oldest]
        for gone in [at for at in self._due if at < at_us]:
            del self._due[gone]

    def promise(self, now_us: int, ahead: Sequence[Ahead]) -> None:
        """What is foretold now for the next hours; some of them may be missing."""
        for one in ahead:
            hour = round((one.at_us - now_us) / HOUR_US)
            self._due.setdefault(one.at_us, []).append((hour - 1, one))
