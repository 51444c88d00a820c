"""When each key was used last: gathered in memory, written now and then."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Protocol

WRITE_SECONDS = 30.0


class Shelf(Protocol):
    """See `repository.KeyShelf`."""

    async def note_use(self, used: Mapping[str, datetime]) -> None:
        """Key → when."""
        ...


class LastUse:
    """`take` hands over what the authenticator has seen since the last time."""

    def __init__(self, take: Callable[[], dict[str, datetime]], shelf: Shelf) -> None:
        self._take = take
        self._shelf = shelf

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; what was seen since the last write is written then."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WRITE_SECONDS)
            await self._shelf.note_use(self._take())
