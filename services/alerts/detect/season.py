"""What is usual at this time of the day, and of the week. Pure.

A mean and a variance per quarter of an hour of the day, and per hour of the week how far it lies
from its day's usual; the week is heeded once it has shown that it foretells the series better.
"""

import math

import msgspec

from services.alerts.detect.tail import Tail

DAY_US, WEEK_US = 86_400 * 1_000_000, 604_800 * 1_000_000
QUARTERS, HOURS = 96, 168
QUARTER_US, HOUR_US = DAY_US // QUARTERS, WEEK_US // HOURS
SETTLED = 3.0  # so often heard, a quarter's or an hour's mean is used
QUARTER_MEMORY = 30.0  # readings
HOUR_MEMORY = 6.0  # weeks
OVERALL_MEMORY = 500.0  # readings
BETTER = 0.8  # of the day's error: what the week must come down to
TRIAL = 0.002  # how fast the errors of day and week are compared


class Season(msgspec.Struct, array_like=True):
    """`day`: per quarter mean, variance and number; `week`: per hour mean and number of weeks.

    `hour`, `total`, `heard`: the hour that is being summed up; `variance`: of all errors;
    `day_error`, `week_error`: how far off both have been lately.
    """

    day: bytearray = msgspec.field(default_factory=lambda: bytearray(4 * 3 * QUARTERS))
    week: bytearray = msgspec.field(default_factory=lambda: bytearray(4 * 2 * HOURS))
    tail: Tail = msgspec.field(default_factory=Tail)
    hour: int = -1
    total: float = 0.0
    heard: int = 0
    variance: float = 0.0
    judged: int = 0
    day_error: float = 0.0
    week_error: float = 0.0
    expected: float = math.nan

    def update(self, at_us: int, value: float, grain: float) -> float:
        """How surprising the value is for its time, see `Tail`."""
        day = memoryview(self.day).cast("f")
        place = at_us // QUARTER_US % QUARTERS * 3
        hour = at_us // HOUR_US % HOURS
        if hour != self.hour:
            self._turn_to(hour)
        mean, number = day[place], day[place + 2]
        off = value - mean
        weight = 1.0 / min(number + 1.0, QUARTER_MEMORY)
        found = 0.0
        if number >= SETTLED:
            error = off - self._of_the_week(hour, off)
            self.expected = value - error
            found = self._judge(error, day[place + 1], grain)
            self.total += off
            self.heard += 1
            day[place + 1] += _fits(weight * (error * error - day[place + 1]))
        else:
            self.expected = math.nan
        day[place] = _fits(mean + weight * off)
        day[place + 2] = min(number + 1.0, QUARTER_MEMORY)
        return found

    def _of_the_week(self, hour: int, off: float) -> float:
        """How far this hour of the week usually lies from its day's usual; 0 if that is of no
        use."""
        week = memoryview(self.week).cast("f")
        if week[2 * hour + 1] < SETTLED:
            return 0.0
        usual = week[2 * hour] if self.week_error < BETTER * self.day_error else 0.0
        self.day_error += TRIAL * (abs(off) - self.day_error)
        self.week_error += TRIAL * (abs(off - week[2 * hour]) - self.week_error)
        return usual

    def _judge(self, error: float, variance: float, grain: float) -> float:
        square = error * error
        self.judged += 1
        self.variance += (square - self.variance) / min(self.judged, OVERALL_MEMORY)
        spread = math.sqrt(0.5 * variance + 0.5 * self.variance + grain * grain)
        return self.tail.surprise(error / spread, 1e-6)

    def _turn_to(self, hour: int) -> None:
        """The hour is over: its mean error belongs to the week."""
        if self.heard:
            week, place = memoryview(self.week).cast("f"), 2 * self.hour
            number = week[place + 1]
            mean = self.total / self.heard
            week[place] += _fits((mean - week[place]) / min(number + 1.0, HOUR_MEMORY))
            week[place + 1] = min(number + 1.0, HOUR_MEMORY)
        self.hour, self.total, self.heard = hour, 0.0, 0


def _fits(number: float) -> float:
    """Within what four bytes hold."""
    return min(max(number, -3e38), 3e38)
