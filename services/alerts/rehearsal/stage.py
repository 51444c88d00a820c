"""Drives the engine's own judging over readings and ticks that somebody makes up. Pure."""

from collections.abc import Iterable, Mapping, Set

from services.alerts.judging.book import Book
from services.alerts.judging.judgement import Judgement
from services.alerts.judging.transition import Transition
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Reading


class Stage:
    """Rules, and whatever they have said so far. `areas`: sensor → every area it lies in."""

    def __init__(self, rules: Iterable[Rule], areas: Mapping[str, Set[str]]) -> None:
        self._book = Book(rules)
        self._areas = areas
        metrics = {rule.id: rule.metric for rule in self._book.rules.values()}
        self._judgement = Judgement(metrics, {})

    def hear(self, reading: Reading, accepted_us: int) -> None:
        """One reading, as the engine would hear it."""
        if reading.metric not in self._book.metrics or reading.quality == "bad":
            return
        areas = self._areas.get(reading.sensor_id, frozenset())
        watchers = self._book.watchers(reading.sensor_id, reading.metric, areas)
        if watchers:
            self._judgement.hear(reading, watchers, accepted_us)

    def tick(self, now_us: int) -> None:
        """Time has come this far."""

    @property
    def urgent(self) -> bool:
        """True when something was said."""
        return self._judgement.urgent

    def said(self) -> list[Transition]:
        """What has happened since the last call, in order."""
        transitions = list(self._judgement.changes().transitions)
        self._judgement.written({})
        return transitions
