"""Sensors' places, remembered for a while: they move seldom, and are asked for all the time."""

from typing import Protocol

from services.alerts.changes import Place
from shared.clock import monotonic

KEEP_SECONDS = 60.0
KEEP_PLACES = 200_000


class Source(Protocol):
    """Who knows."""

    async def find(self, sensor_id: str) -> Place:
        """The sensor's place; an unknown one has no area."""
        ...


class CachedPlaces:
    """`engine.Places` over a slower source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, tuple[float, Place]] = {}

    async def find(self, sensor_id: str) -> Place:
        """What the source said within the last minute."""
        hit = self._known.get(sensor_id)
        if hit is not None and hit[0] > monotonic():
            return hit[1]
        place = await self._source.find(sensor_id)
        if len(self._known) >= KEEP_PLACES:
            self._known.clear()
        self._known[sensor_id] = (monotonic() + KEEP_SECONDS, place)
        return place
