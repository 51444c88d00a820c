"""What conditions remember of a series in order to measure it: bounded, on event time. Pure."""

import math
import struct
from collections.abc import Callable

import msgspec

from services.alerts.detect.ensemble import Detector
from services.alerts.detect.outlook import Crossing, Outlook, hours_of, outlook
from services.alerts.detect.score import ALARM, Finding, Sign
from services.alerts.rules.conditions import Condition

GRAINS = 32  # how finely a window is kept
LINGER_READINGS = 12
KNOWN_US = 2 * 86_400 * 1_000_000  # before so much is known of a series nothing is unusual
_FLOAT = struct.Struct("<d")
_NAN = _FLOAT.pack(math.nan)


class Rising(msgspec.Struct, array_like=True, tag="rate"):
    """Within a window, (time, value) from which a lower value (higher, when `sign` is −1) follows
    nowhere: the first is the extreme of the window. At most `GRAINS` + 2 are kept."""

    over_us: int
    sign: float
    kept: list[tuple[int, float]] = []

    def hear(self, at_us: int, value: float) -> float:
        """The change since the window's lowest (highest) reading, in the metric's unit."""
        kept, level = self.kept, self.sign * value
        while kept and kept[0][0] < at_us - self.over_us:
            del kept[0]
        while kept and kept[-1][1] >= level:
            kept.pop()
        grain = self.over_us // GRAINS
        if not kept or at_us - kept[-1][0] >= grain:
            kept.append((at_us, level))
        return self.sign * (level - min(kept[0][1], level))


class Resting(msgspec.Struct, array_like=True, tag="stuck"):
    """How long every reading has been within `within` of the first one."""

    within: float
    anchor: float = math.inf
    since_us: int = 0

    def hear(self, at_us: int, value: float) -> float:
        """Microseconds for which the value has rested."""
        if not -self.within <= value - self.anchor <= self.within:
            self.anchor, self.since_us = value, at_us
        return at_us - self.since_us


class Weekly(msgspec.Struct, array_like=True, tag="week"):
    """A ring of one week's means per bucket, and the bucket that is being filled."""

    bucket_us: int
    ratio: bool
    ring: bytearray
    bucket: int = -1
    total: float = 0.0
    number: int = 0
    past: float = math.nan

    def hear(self, at_us: int, value: float) -> float | None:
        """The value against the mean of this bucket a week ago; None when that is not known."""
        bucket = at_us // self.bucket_us
        if bucket != self.bucket:
            self._turn_to(bucket)
        self.total += value
        self.number += 1
        past = self.past
        if math.isnan(past) or (self.ratio and past <= 0):  # NaN: nothing was heard then
            return None
        return value / past if self.ratio else value - past

    def _turn_to(self, bucket: int) -> None:
        ring, size = self.ring, len(self.ring) // 8
        if self.number:
            _FLOAT.pack_into(ring, self.bucket % size * 8, self.total / self.number)
            for missed in range(self.bucket + 1, min(bucket, self.bucket + 1 + size)):
                _FLOAT.pack_into(ring, missed % size * 8, math.nan)
        self.past = _FLOAT.unpack_from(ring, bucket % size * 8)[0]
        self.bucket, self.total, self.number = bucket, 0.0, 0


class Rareness(msgspec.Struct, array_like=True, tag="unusual"):
    """What detectors know of a series. `first_us`: since when; `bucket`: the one whose first
    reading was judged last; `lingers`: for so many readings an alarm that comes back is still the
    same one; `level` and what follows: what was found, see `detect.score.Score`."""

    every_us: int
    detector: Detector
    first_us: int = -1
    bucket: int = -1
    lingers: int = 0
    level: float = 0.0
    sign: Sign = Sign.NONE
    expected: float = math.nan
    observed: float = math.nan
    odds: float = 1.0
    since_us: int | None = None

    def hear(self, at_us: int, value: float) -> float:
        """How unusual the series is now, 0–1."""
        bucket = at_us // self.every_us
        if bucket != self.bucket:
            self.bucket = bucket
            if self.first_us < 0:
                self.first_us = at_us
            found = self.detector.update(at_us, value)
            if at_us - self.first_us < KNOWN_US:
                return self.level
            if found.score >= ALARM or (self.lingers and found.level >= ALARM):
                self.lingers = LINGER_READINGS
            elif self.lingers:
                self.lingers -= 1
            self.level = found.level if self.lingers else found.score
            self.sign, self.odds = found.sign, found.odds
            self.expected, self.observed = found.expected, found.observed
            self.since_us = found.since_us
        return self.level

    def finding(self) -> Finding:
        """Why it is so high."""
        return Finding(self.sign, self.expected, self.observed, self.odds, self.since_us)


class Foresight(msgspec.Struct, array_like=True, tag="forecast"):
    """The next hours of a series. `limit`: the mildest one, `end`: where it no longer holds;
    `over_us`: when the hours of the last forecast are over."""

    within_us: int
    upwards: bool
    limit: float
    end: float
    outlook: Outlook
    over_us: int = -1

    def hear(self, at_us: int, value: float) -> float | None:
        """The value furthest towards the limit that is expected; None when nothing is foretold."""
        if self.outlook.hear(at_us, value) and self.outlook.ahead:
            self.over_us = self.outlook.made_us + self.within_us
        if self.outlook.ahead:
            expected = [one.expected for one in self.outlook.ahead]
            return max(expected) if self.upwards else min(expected)
        # A warning whose hours have passed without another forecast is over.
        well = value <= self.end if self.upwards else value >= self.end
        return value if 0 <= self.over_us < at_us and well else None

    def crossing(self, limit: float | None) -> Crossing | None:
        """When the forecast passes a limit; None: the mildest."""
        return self.outlook.crossing(self.limit if limit is None else limit, self.upwards)


Measure = Rising | Resting | Weekly | Rareness | Foresight


def measure_of(condition: Condition) -> Callable[[], Measure | None]:
    """Makes what a condition remembers of one series; None when that is nothing."""
    if condition.rate is not None:
        over_us, sign = condition.rate.over * 1_000_000, 1.0 if condition.rate.upwards else -1.0
        return lambda: Rising(over_us, sign)
    if condition.stuck is not None:
        within = condition.stuck.within
        return lambda: Resting(within)
    if condition.week is not None:
        bucket_us, ratio = condition.week.bucket * 1_000_000, condition.week.by == "ratio"
        size = 604_800 // condition.week.bucket
        return lambda: Weekly(bucket_us, ratio, bytearray(_NAN * size))
    if condition.unusual is not None:
        every_us = condition.unusual.every * 1_000_000
        return lambda: Rareness(every_us, Detector())
    if condition.forecast is not None:
        asked = condition.forecast
        within_us, upwards, limit = asked.within * 1_000_000, asked.upwards, asked.ladder[0]
        end = limit - asked.deadband if upwards else limit + asked.deadband
        return lambda: Foresight(within_us, upwards, limit, end, outlook(hours_of(within_us)))
    return lambda: None
