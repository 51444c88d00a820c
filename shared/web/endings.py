"""What has just ended: API keys and screen tokens that were revoked or have expired.

Every process asks the database for them, several times a second, forgets their tokens and tells
whoever serves them: an export under way is cut, a socket closed, on every replica alike. Asking
beats being told: a notification that is lost while a connection breaks would never come again.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.store.tables import api_keys, screen_tokens
from shared.web.authenticator import Authenticator

LOOK_SECONDS = 0.4
# What ended within this time is looked at again and again: transactions commit late, and clocks
# of hosts differ.
LOOK_BACK = timedelta(seconds=60)


class Endings:
    """One for all doors of a process."""

    def __init__(self, engine: AsyncEngine, clock: Clock, authenticator: Authenticator) -> None:
        self._engine = engine
        self._clock = clock
        self._authenticator = authenticator
        self._served: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def watched(self, key_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when a key (or `screen:…`) ends, as long as it is served."""
        ended = asyncio.Event()
        served = self._served.setdefault(key_id, set())
        served.add(ended)
        try:
            yield ended
        finally:
            served.discard(ended)
            if not served and self._served.get(key_id) is served:
                del self._served[key_id]

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop`."""
        while not stop.is_set():
            await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def look(self) -> None:
        """Once."""
        for key_id in await self._ended():
            self._authenticator.forget_key(key_id)
            for ended in self._served.get(key_id, ()):
                ended.set()

    async def _ended(self) -> list[str]:
        now = self._clock()
        names = {api_keys: api_keys.c.key_id, screen_tokens: literal("screen:").concat(
            screen_tokens.c.screen_id)}  # fmt: skip
        query = union_all(
            *(
                select(name).where(
                    (table.c.revoked_at > now - LOOK_BACK)
                    | table.c.expires_at.between(now - LOOK_BACK, now)
                )
                for table, name in names.items()
            )
        )
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())
