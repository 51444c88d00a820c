"""WebSocket messages that many sockets share: framed once, written as they are.

A server's frames are not masked, so the same bytes are right for every socket that negotiated no
extension. Framing each anew is half the cost of sending it.
"""

from functools import lru_cache
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

FRAMED = "yiwang.framed"  # an ASGI message of ours: `bytes` is a whole frame
LARGE = 64 * 1024


class WireProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, which also takes frames that are ready for the wire."""

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


def framed(message: str | bytes) -> dict[str, Any]:
    """The ASGI message that sends a text (str) or binary message as one frame."""
    return _large(message) if len(message) > LARGE else _small(message)


def _framed(message: str | bytes) -> dict[str, Any]:
    opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
    data = message.encode() if isinstance(message, str) else message
    return {"type": FRAMED, "bytes": cast(Any, Frame(opcode, data)).serialize(mask=False)}


_small = lru_cache(maxsize=256)(_framed)
_large = lru_cache(maxsize=4)(_framed)
