"""A request on uvicorn's HTTP/1.1 protocol that is answered below ASGI, in one write."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from uvicorn.server import ServerState

Headers = Sequence[tuple[bytes, bytes]]


class Line(Protocol):
    """The protocol of the connection."""

    transport: asyncio.Transport
    server_state: ServerState

    def on_prompt_complete(self) -> None:
        """An answer has been written."""
        ...


class Exchange:
    """Stands where uvicorn keeps its cycle, from a request until its answer."""

    __slots__ = ("_protocol", "body", "disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()  # uvicorn sets it when the connection ends: nobody waits

    def __init__(self, protocol: Line) -> None:
        self._protocol = protocol
        self.body = b""
        self.disconnected = False
        self.keep_alive = True  # until the server shuts down
        self.response_complete = False

    def answer(self, status: int, body: bytes, headers: Headers) -> None:
        """In one write. Nobody is told if the peer has gone."""
        if self.response_complete:
            return
        self.response_complete = True
        protocol = self._protocol
        if self.disconnected or protocol.transport.is_closing():
            return
        common = _common(status, tuple(protocol.server_state.default_headers), self.keep_alive)
        parts = [common]
        for name, value in headers:
            parts += name, b": ", value, b"\r\n"
        parts += b"content-length: %d\r\n\r\n" % len(body), body
        protocol.transport.write(b"".join(parts))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_prompt_complete()


@lru_cache(maxsize=64)
def _common(status: int, headers: tuple[tuple[bytes, bytes], ...], keep_alive: bool) -> bytes:
    """Status line and the headers of every answer; the date changes once a second."""
    line = b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
    every = [*headers, *([] if keep_alive else [(b"connection", b"close")])]
    return line + b"".join([b"%b: %b\r\n" % header for header in every])
