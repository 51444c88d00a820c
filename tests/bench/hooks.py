"""A receiver of webhooks that takes little time itself: it notes when each one came."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.clock import monotonic

ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
SLOW_SECONDS = 20.0

Seen = Callable[[str, bytes, float], None]  # path, body, when it had come


@asynccontextmanager
async def receiving(seen: Seen) -> AsyncIterator[int]:
    """Listen on a free port of this machine; what comes to `/slow…` is answered after 20 s."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                path = head.split(b" ", 2)[1].decode()
                seen(path, body, monotonic())
                if path.startswith("/slow"):
                    await asyncio.sleep(SLOW_SECONDS)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=2_048)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0
