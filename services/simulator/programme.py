"""What happens when nobody chose a scenario: a gentle one every ten minutes or so. Pure."""

from collections.abc import Sequence
from itertools import chain, cycle, repeat
from random import Random

from services.simulator.population import Sensor
from services.simulator.scenarios import Kind, Run, Scale, plan

# Somebody is looking at a new wall: the first two come early.
FIRST_SECONDS = (20, 30)
SECOND_SECONDS = (100, 130)
GAP_SECONDS = (480, 720)  # from one's start to the next one's
OPENING = (Kind.GAS_LEAK, Kind.PIPE_BURST)


class Programme:
    """A sequence of scenarios from `start` on, the same for the same seed and start."""

    def __init__(self, sensors: Sequence[Sensor], seed: int, start: int) -> None:
        self._sensors = sensors
        self._seed = seed
        self._random = Random(f"{seed}|programme|{start}")
        others = [kind for kind in Kind if kind not in OPENING]
        self._random.shuffle(others)
        self._kinds = cycle((*OPENING, *others))
        self._next_start = start + self._random.randint(*FIRST_SECONDS)
        self._gaps = chain([SECOND_SECONDS], repeat(GAP_SECONDS))
        self._runs: list[Run] = []

    def at(self, t: float) -> list[Run]:
        """The scenarios that go on at `t`; `t` may go forward only."""
        while self._next_start <= t:
            self._runs.append(self._plan_next())
        self._runs = [run for run in self._runs if t < run.start + run.duration]
        return self._runs

    def _plan_next(self) -> Run:
        run = plan(next(self._kinds), Scale.GENTLE, self._sensors, self._seed, self._next_start)
        self._next_start += self._random.randint(*next(self._gaps))
        return run


class Chosen:
    """Exactly one scenario, or none at all."""

    def __init__(self, run: Run | None) -> None:
        self._runs = [] if run is None else [run]

    def at(self, t: float) -> list[Run]:
        """The scenarios that go on at `t`."""
        return [run for run in self._runs if run.touches(t)]
