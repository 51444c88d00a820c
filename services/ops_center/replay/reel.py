"""One replay's picture: the live one's code, fed from what is stored, in event time."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.ops_center.board import Board
from services.ops_center.picture import Latest, Picture
from services.ops_center.protocol import Sight
from services.ops_center.registry import Registry, SeriesKey
from services.ops_center.replay.portions import Due, Portions, Source
from services.ops_center.telling import Telling
from services.ops_center.view import View, rfc3339
from shared.clock import to_micros

EVENTS_AT_ONCE = 100
_INCARNATION = "replay"
_NOWHERE = 0  # the one partition of a replay


class Past(Source, Protocol):
    """The stored past. Every method raises `Unavailable`."""

    async def kept_from(self) -> datetime | None:
        """Before this moment no readings are kept; None: no bound."""
        ...

    async def latest(self, at: datetime) -> Mapping[SeriesKey, Latest]:
        """The newest reading of every series at a moment."""
        ...

    async def open_incidents(self, at: datetime) -> list[bytes]:
        """Each as JSON, as it was then."""
        ...

    async def events(self, due: Sequence[Due]) -> list[bytes]:
        """The steps as `IncidentEvent`s, in the same order, at their event time."""
        ...


class Reel:
    """Stands at a moment (`at`), of which all has been shown. `end`: where the past ends."""

    def __init__(
        self,
        past: Past,
        registry: Registry,
        wanted: Sight,
        end: datetime,
        telling: Telling | None = None,
    ) -> None:
        self.at = end
        self.end = end
        self._past = past
        self._registry = registry
        self._view = View(wanted, registry, telling)
        self._picture: Picture | None = None
        self._portions: Portions | None = None
        self._events = 0

    async def go(self, at: datetime, speed: int) -> str:
        """To a moment; its snapshot."""
        await self.close()
        latest = await self._past.latest(at)
        board = Board(await self._past.open_incidents(at), (_NOWHERE,), kept=0)
        picture = Picture(self._registry, latest, board, (_NOWHERE,), _INCARNATION)
        picture.take(to_micros(at))
        self._picture, self._events, self.at = picture, 0, at
        self._portions = Portions(self._past, at, self.end, speed)
        return self._view.snapshot(picture, rfc3339(at))

    def set_speed(self, speed: int) -> None:
        """How far ahead is fetched."""
        if self._portions is not None:
            self._portions.speed = speed

    async def advance(self, moment: datetime) -> AsyncGenerator[list[str], None]:
        """The frames of all that happens up to a moment; the caller paces it by taking them."""
        picture, portions = self._picture, self._portions
        assert picture is not None and portions is not None, "go() comes first"
        moment = min(moment, self.end)
        steps: list[Due] = []
        while True:
            readings, due = await portions.until(moment)
            picture.apply_readings(_NOWHERE, picture.position[_NOWHERE], readings)
            steps += due
            if portions.complete(moment):
                break
        events = await self._events_of(steps[:EVENTS_AT_ONCE])
        yield self._frames(picture, events, moment)
        for first in range(EVENTS_AT_ONCE, len(steps), EVENTS_AT_ONCE):
            events = await self._events_of(steps[first : first + EVENTS_AT_ONCE])
            yield self._frames(picture, events, moment)
        self.at = moment

    async def close(self) -> None:
        """Nothing is fetched any more."""
        if self._portions is not None:
            await self._portions.close()

    async def _events_of(self, due: Sequence[Due]) -> list[bytes]:
        return await self._past.events(due) if due else []

    def _frames(self, picture: Picture, events: Sequence[bytes], moment: datetime) -> list[str]:
        """As live: who has got an event has got the alarm that it puts on a series."""
        for event in events:
            picture.apply_incident(_NOWHERE, self._events, event)
            self._events += 1
        delta = picture.take(to_micros(moment))
        token, series = rfc3339(moment), self._view.series_of(delta.series)
        frames = (
            [self._view.delta(picture, series, token, to_micros(moment) // 1000)] if series else []
        )
        shown = [event for event in delta.events if self._view.shows(event.incident)]
        return frames + [self._view.incident(event, token) for event in shown]
