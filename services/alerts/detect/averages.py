"""A fast average of a series against a slow one. Pure."""

import msgspec

from services.alerts.detect.tail import Tail

DRIFT = 0.05, 0.005  # of values: weights of the newest one, fast and slow
RESTLESS = 0.3, 0.03  # of the steps' sizes


class Averages(msgspec.Struct, array_like=True):
    """`fast`, `slow`: weights of the newest value; `newer`, `older`: the averages."""

    fast: float
    slow: float
    tail: Tail = msgspec.field(default_factory=Tail)
    newer: float = 0.0
    older: float = 0.0

    def update(self, value: float, grain: float) -> float:
        """How surprising their distance is, see `Tail`."""
        self.newer += self.fast * (value - self.newer)
        self.older += self.slow * (value - self.older)
        return self.tail.surprise(self.newer - self.older, grain)
