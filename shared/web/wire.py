"""WebSocket messages that many sockets share: framed once, written as they are.

A server's frames are not masked, so the same bytes are right for every socket that negotiated no
extension. Framing each anew is half the cost of sending it. What no handler of messages sees
(pings, pongs, pieces of a message, a peer that takes nothing) is bounded here.
"""

import asyncio
from functools import lru_cache
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode

from shared.web.patience import CLOSING_SECONDS, Patience, Patient

FRAMED = "yiwang.framed"  # an ASGI message of ours: `bytes` is a whole frame
LARGE = 64 * 1024
CONTROL_FRAMES, CONTROL_SECONDS = 100, 10.0  # a browser sends one pong in ten seconds
PIECES = 64  # of one message


class WireProtocol(Patient, WebSocketsSansIOProtocol):
    """uvicorn's, which also takes frames that are ready for the wire, and no abuse."""

    _control = 0  # frames since `_since`
    _since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `Patience`."""
        super().connection_made(transport)
        self._patience = Patience(self.loop, self.transport)

    async def run_asgi(self) -> None:
        """When nobody serves it any more it closes, whether the peer takes the rest or not."""
        await super().run_asgi()
        self._patience.await_close(self.close_timeout + CLOSING_SECONDS)

    def keepalive_timeout(self) -> None:
        """The same for a peer that answers no ping."""
        super().keepalive_timeout()
        self._patience.await_close()

    def handle_ping(self) -> None:
        """A peer that takes nothing is not answered: pongs would pile up."""
        if self._refuses_control():
            return
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_pong(self, event: Frame) -> None:
        """Unasked pongs cost as much as pings."""
        if not self._refuses_control():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """The library bounds a message's bytes, not its (empty) pieces."""
        if len(self.frames) >= PIECES:
            self._fail("too many pieces")
        elif not self.close_sent:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A text that is none ends the socket; uvicorn would log a failure for each."""
        whole = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = [whole]
        if self.curr_msg_data_type == "text" and not _is_text(whole):
            self._fail("invalid UTF-8", CloseCode.INVALID_DATA)
        else:
            super().send_receive_event_to_app()

    def _refuses_control(self) -> bool:
        if self.close_sent:
            return True
        if self.loop.time() - self._since > CONTROL_SECONDS:
            self._control, self._since = 0, self.loop.time()
        self._control += 1
        if self._control > CONTROL_FRAMES:
            self._fail("too many control frames")
        return self.close_sent

    def _fail(self, reason: str, code: CloseCode = CloseCode.POLICY_VIOLATION) -> None:
        if not self.close_sent and not self.disconnected:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    async def send(self, message: Any) -> None:
        """ASGI's `send`."""
        if message["type"] != FRAMED:
            await super().send(message)
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected
        self.transport.write(message["bytes"])


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def framed(message: str | bytes) -> dict[str, Any]:
    """The ASGI message that sends a text (str) or binary message as one frame."""
    return _large(message) if len(message) > LARGE else _small(message)


def _framed(message: str | bytes) -> dict[str, Any]:
    opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
    data = message.encode() if isinstance(message, str) else message
    return {"type": FRAMED, "bytes": cast(Any, Frame(opcode, data)).serialize(mask=False)}


_small = lru_cache(maxsize=256)(_framed)
_large = lru_cache(maxsize=4)(_framed)
