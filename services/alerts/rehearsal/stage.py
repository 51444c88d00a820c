"""Drives the engine's own judging over readings and ticks that somebody makes up. Pure."""

from collections.abc import Iterable, Mapping, Set

from services.alerts.judging.partition import Judgement, Series
from services.alerts.judging.rulebook import Book, Watch
from services.alerts.judging.transition import Transition
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Reading


class Stage:
    """Rules, and whatever they have said so far. `areas`: sensor → every area it lies in."""

    def __init__(self, rules: Iterable[Rule], areas: Mapping[str, Set[str]]) -> None:
        self._book = Book(rules)
        self._areas = areas
        self._judgement = Judgement(self._book)
        self._watchers: dict[Series, tuple[Watch, ...]] = {}

    def hear(self, reading: Reading, accepted_us: int) -> None:
        """One reading, as the engine would hear it."""
        series = (reading.sensor_id, reading.metric)
        watchers = self._watchers.get(series)
        if watchers is None:
            areas = self._areas.get(reading.sensor_id, frozenset())
            watchers = self._watchers[series] = self._book.watchers(*series, areas)
        if watchers:
            self._judgement.hear(reading, watchers, accepted_us)

    def tick(self, now_us: int) -> None:
        """Time has come this far."""
        self._judgement.tick(now_us)

    @property
    def urgent(self) -> bool:
        """True when something was said."""
        return self._judgement.urgent

    def said(self) -> list[Transition]:
        """What has happened since the last call, in order."""
        transitions = list(self._judgement.changes().transitions)
        self._judgement.written()
        return transitions
