"""Several statements of one question at once: the disk and the processors of the database have
more to do than one statement asks of them."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import islice
from typing import TypeVar

LANES = 4

Piece = TypeVar("Piece")
Found = TypeVar("Found")


class Lanes:
    """At most `count` pieces are asked for at once, of however many questions."""

    def __init__(self, count: int = LANES) -> None:
        self._count = count
        self._free = asyncio.Semaphore(count)

    async def in_order(
        self, ask: Callable[[Piece], Awaitable[Found]], pieces: Iterable[Piece]
    ) -> AsyncGenerator[Found, None]:
        """What `ask` finds for each piece. While one is used, the next ones are asked for. Where
        one fails, or the caller has enough, those under way are given up."""
        rest = iter(pieces)
        ahead = deque(self._begun(ask, islice(rest, self._count)))
        try:
            while ahead:
                found = await ahead[0]
                ahead.popleft()
                ahead.extend(self._begun(ask, islice(rest, 1)))
                yield found
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    def _begun(
        self, ask: Callable[[Piece], Awaitable[Found]], pieces: Iterable[Piece]
    ) -> list["asyncio.Task[Found]"]:
        return [asyncio.create_task(self._one(ask, piece)) for piece in pieces]

    async def _one(self, ask: Callable[[Piece], Awaitable[Found]], piece: Piece) -> Found:
        async with self._free:
            return await ask(piece)
