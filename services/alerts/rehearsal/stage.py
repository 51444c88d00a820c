"""Drives the engine's own judging over readings and ticks that somebody makes up. Pure."""

from collections.abc import Iterable, Mapping, Set

from services.alerts.judging.change import ConditionChange
from services.alerts.judging.combination import LATENESS_US, MOST_WAITING, Combination
from services.alerts.judging.partition import Judgement, Series
from services.alerts.judging.rulebook import Book, Watch
from services.alerts.judging.transition import Transition
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Reading

PORTION = MOST_WAITING // 2


class Stage:
    """Rules, and whatever they have said so far. `areas`: sensor → every area it lies in."""

    def __init__(self, rules: Iterable[Rule], areas: Mapping[str, Set[str]]) -> None:
        self._book = Book(rules)
        self._areas = areas
        self._judgement = Judgement(self._book)
        self._combination = Combination(self._book)
        self._watchers: dict[Series, tuple[Watch, ...]] = {}
        self._changes: list[ConditionChange] = []

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
        """Time has come this far for single sensors."""
        self._judgement.tick(now_us)

    @property
    def urgent(self) -> bool:
        """True when something was said."""
        return self._judgement.urgent

    @property
    def waiting(self) -> int:
        """Changes that rules over several sensors have not been told yet."""
        return len(self._changes)

    def said(self) -> list[Transition]:
        """What has happened since the last call, in order."""
        judged = self._judgement.changes()
        transitions = list(judged.transitions)
        self._changes += judged.conditions
        self._judgement.written()
        return transitions

    def combine(self) -> list[Transition]:
        """What rules over several sensors say to all that was said: nothing earlier may follow."""
        combination = self._combination
        self._changes.sort(key=lambda change: change.observed_us)
        for start in range(0, len(self._changes), PORTION):
            portion = self._changes[start : start + PORTION]
            for change in portion:
                combination.hear(change)
            latest = max(change.accepted_us for change in portion)
            combination.tick(latest + LATENESS_US + 1)
        self._changes.clear()
        transitions = list(combination.changes())
        combination.written()
        return transitions
