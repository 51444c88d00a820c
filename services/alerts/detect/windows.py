"""What the newest readings of a series look like: their extremes, their halves. Pure.

Each detector keeps as many readings as it looks at, and asks its tails how rare that look is.
"""

import math

import msgspec

from services.alerts.detect.tail import Tail

EMPTY = math.nan


def numbers(length: int) -> bytearray:
    """Room for so many numbers, none of them known."""
    room = bytearray(8 * length)
    view = memoryview(room).cast("d")
    for place in range(length):
        view[place] = EMPTY
    return room


class Extremes(msgspec.Struct, array_like=True):
    """Spikes of one or several readings: the highest and the lowest of the last ones.
    `too_high`: which of them is the odder one."""

    ring: bytearray
    high: Tail = msgspec.field(default_factory=Tail)
    low: Tail = msgspec.field(default_factory=Tail)
    number: int = 0
    highest: float = -math.inf
    lowest: float = math.inf
    too_high: bool = False

    def update(self, value: float, grain: float) -> float:
        """How surprising they are, see `Tail`."""
        ring = memoryview(self.ring).cast("d")
        size = len(ring)
        place = self.number % size
        gone, ring[place] = ring[place], value
        self.number += 1
        if gone in (self.highest, self.lowest):
            known = ring if self.number >= size else ring[: self.number]
            self.highest, self.lowest = max(known), min(known)
        elif value > self.highest or value < self.lowest or self.number == 1:
            self.highest, self.lowest = max(self.highest, value), min(self.lowest, value)
        if self.number < size:
            return 0.0
        high, low = self.high.surprise(self.highest, grain), self.low.surprise(self.lowest, grain)
        self.too_high = high >= low
        return high if self.too_high else low

    @property
    def reason(self) -> tuple[float, float]:
        """(the nearest that is usual, what was found) of the odder one."""
        tail, found = (self.high, self.highest) if self.too_high else (self.low, self.lowest)
        low, high = tail.usual
        return (high if found > high else low), found


class Shift(msgspec.Struct, array_like=True):
    """A change point: the mean of the newest half of the readings against that of the older."""

    ring: bytearray
    tail: Tail = msgspec.field(default_factory=Tail)
    number: int = 0
    newer: float = 0.0
    older: float = 0.0

    def update(self, value: float, grain: float) -> float:
        """How surprising they are, see `Tail`."""
        ring = memoryview(self.ring).cast("d")
        size = len(ring)
        half = size // 2
        place = self.number % size
        gone = ring[place]
        ring[place] = value
        self.number += 1
        if self.number < size:
            return 0.0
        if self.number % size == 0:  # sums anew: rounding does not pile up
            self.older, self.newer = math.fsum(ring[:half]), math.fsum(ring[half:])
        else:
            moved = ring[place - half]
            self.newer += value - moved
            self.older += moved - gone
        return self.tail.surprise((self.newer - self.older) / half, grain)

    @property
    def older_mean(self) -> float:
        """Of the older half."""
        return self.older / (len(self.ring) // 16)

    @property
    def newer_mean(self) -> float:
        """Of the newer half."""
        return self.newer / (len(self.ring) // 16)
