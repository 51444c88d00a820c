"""A lean load client: raw sockets, requests encoded beforehand, one connection per worker."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

from shared.clock import monotonic

CLIENT = "Python asyncio streams, requests encoded beforehand"


def request(path: str, key: str, body: bytes) -> bytes:
    """A whole HTTP/1.1 POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_all(
    port: int, requests: Sequence[bytes], connections: int
) -> tuple[Counter[int], list[float]]:
    """Send each once, `connections` at a time; a 503 is sent again. (status → n, seconds each)."""
    queue = deque(requests)
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    workers = [_worker(port, queue, statuses, seconds) for _ in range(connections)]
    await asyncio.gather(*workers)
    return statuses, seconds


async def _worker(
    port: int, queue: "deque[bytes]", statuses: Counter[int], seconds: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while queue:
        message = queue.popleft()
        started = monotonic()
        writer.write(message)
        status = await read_status(reader)
        seconds.append(monotonic() - started)
        statuses[status] += 1
        if status == 503:
            queue.append(message)
            await asyncio.sleep(0.05)
    writer.close()


async def read_status(reader: asyncio.StreamReader) -> int:
    """Read one answer; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for text in head.split(b"\r\n")[1:]:
        if text.lower().startswith(b"content-length:"):
            length = int(text.split(b":")[1])
    if length:
        await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
