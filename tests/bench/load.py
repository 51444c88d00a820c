"""A lean load client: raw sockets, requests encoded beforehand, one connection per worker."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.clock import monotonic

CLIENT = "Python asyncio streams, requests encoded beforehand"
OVERFLOW = (429, 503)  # refused for now; the sender keeps it and sends it again
PAUSE_SECONDS = 0.05


@dataclass
class Tally:
    """Status → answers, seconds until each answer, CPU seconds of this client."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        """One answer."""
        self.statuses[status] += 1
        self.seconds.append(seconds)


def request(path: str, key: str, body: bytes) -> bytes:
    """A whole HTTP/1.1 POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_all(port: int, requests: Sequence[bytes], connections: int) -> Tally:
    """Send each once, `connections` at a time; what is refused for now is sent again."""
    queue, tally, before = deque(requests), Tally(), time.process_time()
    await asyncio.gather(*(_empty(port, queue, tally) for _ in range(connections)))
    tally.cpu_seconds = time.process_time() - before
    return tally


async def send_for(
    seconds: float, port: int, make: Callable[[int], bytes], connections: int
) -> Tally:
    """Send what `make` gives for 0, 1, 2…, `connections` at a time, for so many seconds."""
    tally, before, end = Tally(), time.process_time(), monotonic() + seconds
    numbers = iter(range(1_000_000_000))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while monotonic() < end:
            tally.add(*await _exchange(reader, writer, make(next(numbers))))
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    tally.cpu_seconds = time.process_time() - before
    return tally


async def send_each(
    seconds: float, port: int, make: Callable[[int], bytes], connections: int
) -> tuple[Tally, int]:
    """As `send_for`, but what is refused for now is sent again; also how many were taken."""
    tally, before, end = Tally(), time.process_time(), monotonic() + seconds
    sent = 0

    async def work() -> None:
        nonlocal sent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while monotonic() < end:
            message, sent = make(sent), sent + 1
            status = OVERFLOW[0]
            while status in OVERFLOW:
                status, took = await _exchange(reader, writer, message)
                tally.add(status, took)
                if status in OVERFLOW:
                    await asyncio.sleep(PAUSE_SECONDS)
            assert status == 202, status
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    tally.cpu_seconds = time.process_time() - before
    return tally, sent


async def _empty(port: int, queue: "deque[bytes]", tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while queue:
        message = queue.popleft()
        status, seconds = await _exchange(reader, writer, message)
        tally.add(status, seconds)
        if status in OVERFLOW:
            queue.append(message)
            await asyncio.sleep(PAUSE_SECONDS)
    writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes
) -> tuple[int, float]:
    started = monotonic()
    writer.write(message)
    status = await read_status(reader)
    return status, monotonic() - started


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
