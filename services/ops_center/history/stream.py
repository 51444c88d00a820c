"""Sends an answer as it is made: bounded in memory, in time, and in how many run at once."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.errors import Overloaded, YiwangError

CHUNK_BYTES = 64 * 1024
STALL_SECONDS = 30.0  # a client that takes nothing for so long is cut off

_log = logging.getLogger(__name__)


Watched = Callable[[], AbstractContextManager[asyncio.Event]]


class Ended(YiwangError):
    """Who is answered has no right to the answer any more."""


class Slots:
    """At most `count` answers at once; one more is refused, not queued."""

    def __init__(self, count: int, what: str) -> None:
        self._count = count
        self._what = what
        self.free = count

    def take(self) -> Callable[[], None]:
        """What gives the slot back (any call after the first does nothing). Raises
        `Overloaded`."""
        if not self.free:
            raise Overloaded(f"{self._count} {self._what} are under way; repeat the request", 5)
        self.free -= 1
        given = False

        def give() -> None:
            nonlocal given
            self.free += 0 if given else 1
            given = True

        return give


async def begun(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same parts, of which the first is there already: what fails before it can still be
    answered as a problem."""
    try:
        first = await anext(parts)
    except StopAsyncIteration:
        first = b""
    return _after(first, parts)


async def _after(first: bytes, parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(parts):
        yield first
        async for part in parts:
            yield part


async def _unless(ended: asyncio.Event, sending: Coroutine[Any, Any, None]) -> None:
    """Raises `Ended` as soon as it has."""
    tasks = asyncio.ensure_future(sending), asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise Ended("the key has ended")
        tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Stream(StreamingResponse):
    """What goes wrong under way cuts the connection, so that nobody takes a part for the whole.

    `close`: called once when the answer has ended, whichever way. `watched`: an event that is set
    when who is answered has no right to it any more: that cuts it at once.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        media_type: str,
        headers: Mapping[str, str],
        close: Callable[[], None],
        watched: Watched = lambda: nullcontext(asyncio.Event()),
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        super().__init__(parts, media_type=media_type, headers=headers)
        self._parts = parts
        self._close = close
        self._watched = watched
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()

    async def stream_response(self, send: Send) -> None:
        """Without its last message the server closes the connection."""
        try:
            with self._watched() as ended:
                await _unless(ended, self._send_all(send))
        except (SQLAlchemyError, YiwangError, TimeoutError) as error:
            _log.warning("history: answer cut off: %s", error or "the client takes nothing")

    async def _send_all(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        async with aclosing(self._parts) as parts:
            async for part in parts:
                for at in range(0, len(part), CHUNK_BYTES):
                    await self._send(send, part[at : at + CHUNK_BYTES], more=True)
        await self._send(send, b"", more=False)

    async def _send(self, send: Send, body: bytes, *, more: bool) -> None:
        async with asyncio.timeout(self._stall_seconds):
            await send({"type": "http.response.body", "body": body, "more_body": more})
