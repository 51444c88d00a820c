"""What happens when nobody chose a scenario: a gentle one every ten minutes or so. Pure."""

from collections.abc import Sequence
from random import Random

from services.simulator.population import Sensor
from services.simulator.scenarios import Kind, Run, Scale, plan

FIRST_SECONDS = (40, 55)  # the first after this: somebody is looking at a new wall
GAP_SECONDS = (480, 720)  # from one's start to the next one's


class Programme:
    """A sequence of scenarios from `start` on, the same for the same seed and start."""

    def __init__(self, sensors: Sequence[Sensor], seed: int, start: int) -> None:
        self._sensors = sensors
        self._seed = seed
        self._random = Random(f"{seed}|programme|{start}")
        self._next_start = start + self._random.randint(*FIRST_SECONDS)
        self._next_kinds = [Kind.GAS_LEAK]
        self._runs: list[Run] = []

    def at(self, t: float) -> list[Run]:
        """The scenarios that go on at `t`; `t` may go forward only."""
        while self._next_start <= t:
            self._runs.append(self._plan_next())
        self._runs = [run for run in self._runs if t < run.start + run.duration]
        return self._runs

    def _plan_next(self) -> Run:
        if not self._next_kinds:
            self._next_kinds = list(Kind)
            self._random.shuffle(self._next_kinds)
        kind = self._next_kinds.pop()
        run = plan(kind, Scale.GENTLE, self._sensors, self._seed, self._next_start)
        self._next_start += self._random.randint(*GAP_SECONDS)
        return run


class Chosen:
    """Exactly one scenario, or none at all."""

    def __init__(self, run: Run | None) -> None:
        self._runs = [] if run is None else [run]

    def at(self, t: float) -> list[Run]:
        """The scenarios that go on at `t`."""
        return [run for run in self._runs if run.touches(t)]
