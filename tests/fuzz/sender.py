"""Sends malformed requests over raw connections, many at once, and counts what comes back."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from tests.fuzz.insides import insides_of
from tests.fuzz.payloads import Request

AT_ONCE = 16  # requests on their way on a connection
ANSWER_SECONDS = 60.0
PLANNED = (503,)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass
class Count:
    """`statuses`: status → answers; 0: the connection was ended without one. `faults`: examples of
    what must not be, by its kind."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    def answered(self, request: Request, status: int, body: bytes) -> None:
        """One answer to one request."""
        self.statuses[status] += 1
        if status >= 500 and status not in PLANNED:
            self.fault(f"status {status}", request, body)
        shown = insides_of(body) if status >= 400 else ""
        if shown:
            self.fault(f"shows {shown}", request, body)

    def fault(self, kind: str, request: Request, body: bytes = b"") -> None:
        """The first of a kind is kept."""
        self.faults.setdefault(kind, f"{request.data[:1500]!r}\n  → {body[:500]!r}")


class Sender:
    """One connection at a time; a broken one is replaced."""

    def __init__(self, port: int, count: Count) -> None:
        self._port = port
        self._count = count

    async def send(self, requests: Iterator[Request], number: int) -> None:
        """`number` of them."""
        while number > 0:
            batch = list(islice(requests, min(AT_ONCE, number)))
            number -= len(batch)
            self._count.sent += len(batch)
            await self._pipeline([one for one in batch if one.whole])
            for one in batch:
                if not one.whole:
                    await self._alone(one)

    async def _pipeline(self, batch: Sequence[Request]) -> None:
        """Rightly framed requests are all answered, in order; what a server may do is to close
        after an answer: then the others are sent again."""
        stuck = 0
        while batch and stuck < 2:
            answered = await self._exchange(batch)
            stuck = 0 if answered else stuck + 1
            batch = batch[answered:]
        if batch:
            self._count.statuses[0] += len(batch)
            self._count.fault("no answer", batch[0])

    async def _alone(self, request: Request) -> None:
        """Whoever frames wrongly may be hung up on, but not left hanging: we end our side."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(request.data)
                writer.write_eof()
                answers = 0
                while (answer := await _answer(reader)) is not None:
                    self._count.answered(request, *answer)
                    answers += 1
                self._count.statuses[0] += answers == 0
        except TimeoutError:
            self._count.fault("hangs", request)
        finally:
            writer.close()

    async def _exchange(self, batch: Sequence[Request]) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        answered = 0
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(b"".join(one.data for one in batch))
                for one in batch:
                    answer = await _answer(reader)
                    if answer is None:
                        break
                    self._count.answered(one, *answer)
                    answered += 1
        except TimeoutError:
            self._count.fault("hangs", batch[answered])
        finally:
            writer.close()
        return answered


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """(status, body); None: the connection has ended."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            return await _answer(reader)
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
    except (asyncio.IncompleteReadError, OSError):
        return None
    return int(head[9:12]), body
