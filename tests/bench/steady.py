"""An open-loop client: requests leave when they are due, whatever became of those before.

As a process of its own it is the flooder of `fairness`: `python -m tests.bench.steady`, with its
orders as JSON on standard input and its tally as JSON on standard output.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import uvloop

from shared.clock import monotonic
from tests.bench import load

ROUND_SECONDS = 0.002  # what is due within it leaves together
WAIT_SECONDS = 30.0
UNDER_WAY_SECONDS = 1.0


@dataclass
class Sent:
    """Status → answers; seconds from when each 2xx was due until its answer; `unsent`: due, but
    every connection was busy."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    unsent: int = 0
    closed: int = 0  # connections that the server has ended

    def as_json(self) -> dict[str, Any]:
        """For the process that gave the orders."""
        return {"statuses": dict(self.statuses), "unsent": self.unsent, "closed": self.closed}


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Steady:
    """Sends `rate` requests a second over at most so many connections."""

    def __init__(self, port: int, make: Callable[[int], bytes], connections: int) -> None:
        self._port = port
        self._make = make
        self._room = connections
        self._idle: list[Connection] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = Sent()

    async def run(self, rate: float, seconds: float) -> Sent:
        """Until the last answer is in."""
        started, number = monotonic(), 0
        while number < rate * seconds:
            due = started + number / rate
            if due > monotonic():
                await asyncio.sleep(ROUND_SECONDS)
                continue
            self._send(number, due)
            number += 1
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=WAIT_SECONDS)
        for _, writer in self._idle:
            writer.close()
        return self.sent

    def _send(self, number: int, due: float) -> None:
        if not self._idle and self._room <= 0:
            self.sent.unsent += 1
            return
        task = asyncio.create_task(self._one(number, due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _one(self, number: int, due: float) -> None:
        try:
            status, again = await self._post(self._make(number))
        except (OSError, asyncio.IncompleteReadError):
            status, again = 0, False
        self.sent.statuses[status] += 1
        if 200 <= status < 300:
            self.sent.seconds.append(monotonic() - due)
        if not again:
            self._room += 1
            self.sent.closed += 1

    async def _post(self, message: bytes) -> tuple[int, bool]:
        """On a rested connection if there is one; anew if the server ends it just then."""
        rested = self._rested()
        if rested is not None:
            try:
                return await self._exchange(rested, message)
            except (OSError, asyncio.IncompleteReadError):
                self._room += 1
        return await self._exchange(await self._connect(), message)

    async def _connect(self) -> Connection:
        self._room -= 1
        return await asyncio.open_connection("127.0.0.1", self._port)

    def _rested(self) -> Connection | None:
        """A connection that the server has not closed meanwhile."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
            self._room += 1
        return None

    async def _exchange(self, connection: Connection, message: bytes) -> tuple[int, bool]:
        reader, writer = connection
        writer.write(message)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")),
            0,
        )
        if length:
            await reader.readexactly(length)
        again = b"connection: close" not in head
        if again:
            self._idle.append(connection)
        else:
            writer.close()
        return int(head.split(b" ", 2)[1]), again


def run(main: Coroutine[Any, Any, Sent]) -> Sent:
    """On the product's loop."""
    return uvloop.run(main)


async def flood(orders: dict[str, Any]) -> Sent:
    """The same body again and again; says so on standard output when it is well under way."""
    message = load.request("/v1/readings", orders["key"], orders["body"].encode())
    steady = Steady(orders["port"], lambda _: message, orders["connections"])
    flooding = asyncio.create_task(steady.run(orders["rate"], orders["seconds"]))
    await asyncio.sleep(UNDER_WAY_SECONDS)
    print("under way", flush=True)
    return await flooding


if __name__ == "__main__":
    print(json.dumps(run(flood(json.load(sys.stdin))).as_json()))
