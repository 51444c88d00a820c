"""WebSocket clients that cost next to nothing: they count frames and bytes, by their headers."""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from typing import Any, cast

from shared.clock import monotonic

HELLO = {True: b'{"type":"hello","accept":["gzip"]}', False: b'{"type":"hello"}'}


class Counter(asyncio.Protocol):
    """One socket: says hello, then counts."""

    def __init__(
        self,
        path: str,
        on_frame: Callable[["Counter"], None] | None = None,
        compressed: bool = True,
    ) -> None:
        self.frames = 0
        self.bytes = 0
        self.begun = monotonic()
        self.open = asyncio.get_running_loop().create_future()
        self._path = path
        self._on_frame = on_frame
        self._hello = HELLO[compressed]
        self._transport: asyncio.Transport | None = None
        self._head = b""  # of the answer to the handshake, then of a frame cut in two
        self._left = 0  # bytes of the present frame still to come
        self._told = False  # it is text or binary, not a ping

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket, and say hello at once."""
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {self._path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket",
            "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", "",
        ]  # fmt: skip
        self._transport.write("\r\n".join(lines).encode())

    def data_received(self, data: bytes) -> None:
        """Any part of the answer, or of frames."""
        if not self.open.done():
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._head = b""
            self._say(self._hello)
            self.open.set_result(None)
        self._count(data)

    def connection_lost(self, error: Exception | None) -> None:
        """A socket that is lost before it is open says so."""
        if not self.open.done():
            self.open.set_exception(error or ConnectionResetError())

    def close(self) -> None:
        """At once."""
        if self._transport is not None:
            self._transport.abort()

    def _count(self, data: bytes) -> None:
        at = 0
        if self._head:
            data, self._head = self._head + data, b""
        while at < len(data):
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left -= taken
                at += taken
                if not self._left:
                    self._frame()
                continue
            size = _size(data, at)
            if size is None:
                self._head = data[at:]
                return
            at += size[0]
            self._left = size[1]
            self._told = size[2]
            self.bytes += size[1] if self._told else 0
            if not self._left:
                self._frame()

    def _frame(self) -> None:
        if not self._told:
            return
        self.frames += 1
        if self._on_frame is not None:
            self._on_frame(self)

    def _say(self, payload: bytes) -> None:
        assert self._transport is not None
        mask = b"\0\0\0\0"  # masked by nothing: allowed, and cheap
        self._transport.write(bytes([0x81, 0x80 | len(payload)]) + mask + payload)


def _size(data: bytes, at: int) -> tuple[int, int, bool] | None:
    """(bytes of the header, of the payload, text or binary), or None if the header is cut off."""
    left = len(data) - at
    if left < 2:
        return None
    told, short = data[at] & 0x0F in (1, 2), data[at + 1] & 0x7F
    if short < 126:
        return 2, short, told
    width, form = (4, "!H") if short == 126 else (10, "!Q")
    if left < width:
        return None
    return width, int(struct.unpack_from(form, data, at + 2)[0]), told


async def connect(
    port: int,
    path: str,
    on_frame: Callable[[Counter], None] | None = None,
    compressed: bool = True,
) -> Counter:
    """One more socket, open."""
    made: Any = await asyncio.get_running_loop().create_connection(
        lambda: Counter(path, on_frame, compressed), "127.0.0.1", port
    )
    counter: Counter = made[1]
    await counter.open
    return counter
