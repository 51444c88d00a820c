"""A sensor that repeats itself: how long, against the longest time it has done so before. Pure."""

import msgspec

LEAST_RUN = 6  # readings: a shorter record counts as this
TIMES = 8.0  # so many times its longest run is an alarm
ALARMING = 4.6
MOVES = 50  # so often it must have moved before its rest says something


class Stuck(msgspec.Struct, array_like=True):
    """`run`: readings without a change; `longest`: the longest such run that has ended."""

    run: int = 0
    longest: int = 0
    moves: int = 0

    def update(self, step: float, grain: float) -> float:
        """A surprise, like those of `Tail`, but of a run's length."""
        if abs(step) > grain:
            self.longest = max(self.longest, self.run)
            self.run = 0
            self.moves += 1
            return 0.0
        self.run += 1
        if self.moves < MOVES:
            return 0.0
        return min(ALARMING * self.run / (TIMES * max(self.longest, LEAST_RUN)), 2 * ALARMING)
