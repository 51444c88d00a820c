"""No peer holds a connection for nothing: what a server waits for below HTTP and WebSocket.

uvicorn bounds how long a connection may be idle between two requests, and nothing else: a head that
never ends, a peer that takes nothing of what it is sent, a close that cannot be flushed would each
be waited for for ever.
"""

import asyncio

HEAD_SECONDS = 15.0  # from the connection, or the last answer, until the next head is whole
HEAD_BYTES = 64 * 1024  # of a head, of trailers; what makes no progress beyond that is refused
STALLED_SECONDS = 60.0  # a peer that takes nothing for so long is cut off
CLOSING_SECONDS = 10.0  # for the peer to take what was sent before the close


class Patience:
    """Of one connection. `stop` it when the connection is lost."""

    __slots__ = ("_closing", "_head", "_loop", "_lost", "_stalled", "_transport", "_unsent")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._head: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._unsent = 0
        self._lost = False

    def await_head(self) -> None:
        """A head has begun, or could: it must be whole in time."""
        if self._head is None:
            self._head = self._loop.call_later(HEAD_SECONDS, self._transport.abort)

    def head_came(self) -> None:
        """It is whole, or none has begun."""
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def await_room(self) -> None:
        """More waits for the peer than the transport likes to hold."""
        self._unsent = self._transport.get_write_buffer_size()
        if self._stalled is None:
            self._stalled = self._loop.call_later(STALLED_SECONDS, self._look)

    def room_came(self) -> None:
        """The peer has taken nearly all of it."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def await_close(self, seconds: float = CLOSING_SECONDS) -> None:
        """The transport closes as soon as the peer has taken the rest, or in `seconds`."""
        if self._closing is None and not self._lost:
            self._closing = self._loop.call_later(seconds, self._transport.abort)

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._lost = True
        self.head_came()
        self.room_came()
        if self._closing is not None:
            self._closing.cancel()

    def _look(self) -> None:
        self._stalled = None
        if self._transport.get_write_buffer_size() >= self._unsent:
            self._transport.abort()
        else:
            self.await_room()


class Patient(asyncio.Protocol):
    """What both protocols of the server do alike; to stand before uvicorn's own."""

    _patience: Patience

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._patience.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer must take something in time."""
        self._patience.await_room()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It has."""
        self._patience.room_came()
        super().resume_writing()
