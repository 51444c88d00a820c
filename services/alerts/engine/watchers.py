"""Which rules are on a series: looked up once, and again after its sensor has changed."""

from collections.abc import Callable
from typing import Protocol

from services.alerts.judging.partition import Series
from services.alerts.judging.rulebook import Book, Watch
from services.alerts.judging.transition import Place


class Places(Protocol):
    """What is known of sensors."""

    def listen(self, forget: Callable[[str], None]) -> None:
        """Call `forget` with every sensor that changes."""
        ...

    async def find(self, sensor_id: str) -> Place:
        """The sensor's place; an unknown one has no area."""
        ...


class Watchers:
    """The rules of one book by series. `known`: those found already, for the hot path."""

    def __init__(self, book: Book, places: Places) -> None:
        self.book = book
        self.known: dict[Series, tuple[Watch, ...]] = {}
        self._places = places
        self._moves = 0

    async def find(self, series: Series) -> tuple[Watch, ...]:
        """The rules on a series of one of the book's metrics."""
        sensor_id, metric = series
        moves = self._moves
        areas: frozenset[str] = frozenset()
        if self.book.by_area(metric):
            areas = (await self._places.find(sensor_id)).area_ids
        found = self.book.watchers(sensor_id, metric, areas)
        if moves == self._moves:  # else the answer may already be old: do not keep it
            self.known[series] = found
        return found

    def forget(self, sensor_id: str) -> None:
        """The next one who asks looks it up."""
        self._moves += 1
        for metric in self.book.metrics:
            self.known.pop((sensor_id, metric), None)
