"""Where sensors are: looked up once, and again after the registry has said that one changed."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from services.alerts.judging.transition import Place
from shared.contracts.topics import SENSORS
from shared.eventlog.log import EventLog

WAIT_SECONDS = 0.5
MAX_RECORDS = 500


class Source(Protocol):
    """Who knows."""

    async def find_place(self, sensor_id: str) -> Place:
        """The sensor's place; an unknown one has no area."""
        ...


class Places:
    """`engine.Places` over a slower source, kept true along `city.sensors`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, Place] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._moves = 0

    def listen(self, forget: Callable[[str], None]) -> None:
        """Call `forget` with every sensor that changes."""
        self._listeners.append(forget)

    async def find(self, sensor_id: str) -> Place:
        """The sensor's place as it was when the registry last spoke of it."""
        known = self._known.get(sensor_id)
        if known is None:
            moves = self._moves
            known = await self._source.find_place(sensor_id)
            if moves == self._moves:  # else the answer may already be old: do not keep it
                self._known[sensor_id] = known
        return known

    async def follow(self, log: EventLog, stop: asyncio.Event) -> None:
        """Forget what changes, until `stop`. Raises `Unavailable`."""
        ends = await log.ends(SENSORS)
        for sensor_id in list(self._known):  # what changed before we listened
            self.forget(sensor_id)
        async with log.read(SENSORS, ends) as reader:
            while not stop.is_set():
                for record in await reader.batch(MAX_RECORDS, WAIT_SECONDS):
                    self.forget(record.key)

    def forget(self, sensor_id: str) -> None:
        """The next one who asks looks it up."""
        self._moves += 1
        self._known.pop(sensor_id, None)
        for listener in self._listeners:
            listener(sensor_id)
