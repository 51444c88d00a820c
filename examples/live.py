"""A small client of the live socket: one picture, kept up to date for as long as you like.

    python examples/live.py ws://127.0.0.1:8000/v1/live TOKEN

needs `websockets`, nothing else. It resumes where it stopped whenever the connection ends, at
whichever replica answers, and takes a new snapshot when it is told to. The protocol:
docs/live.md.
"""

import asyncio
import gzip
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

PROTOCOL = 1
PAUSES = (0.0, 1.0, 2.0, 4.0, 5.0)  # seconds between attempts, ±30 %
SILENCE_SECONDS = 15.0  # the server speaks every 5 s
PAINTED_SECONDS = 1.0
REFUSED = {4400, 4401, 4403}  # a bad frame, no rights, another site: trying again is no use

Frame = dict[str, Any]


class Refused(Exception):
    """The server does not let this client in."""


@dataclass
class Picture:
    """What the city looks like. The columns are parallel: one place per series.

    `value`: None before the first reading; `observed_at`: epoch milliseconds; `state`: never,
    normal, stale, bad or p1 … p4; `incidents`: those that are not closed, by id.
    """

    series: list[tuple[str, str]] = field(default_factory=list)  # sensor, metric
    value: list[float | None] = field(default_factory=list)
    observed_at: list[int | None] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    incidents: dict[str, Frame] = field(default_factory=dict)
    neighbours: Frame | None = None  # other cities' warnings that hold
    resume: str | None = None
    _closed: dict[str, int] = field(default_factory=dict)  # at which version

    def apply(self, frame: Frame) -> None:
        """Take one frame of the server."""
        match frame["type"]:
            case "hello" | "neighbours":
                self.neighbours = frame.get("neighbours")
            case "snapshot":
                self._replace(frame)
            case "delta":
                for place, *newest in zip(
                    frame["series"], frame["value"], frame["observed_at"], frame["state"],
                    strict=True,
                ):  # fmt: skip
                    self.value[place], self.observed_at[place], self.state[place] = newest
            case "incident":
                self._step(frame["event"]["data"])
            case "resync":
                self.resume = None  # a snapshot follows
        self.resume = frame.get("resume", self.resume)

    def _replace(self, frame: Frame) -> None:
        ids, columns = frame["sensors"]["id"], frame["series"]
        places = zip(columns["sensor"], columns["metric"], strict=True)
        self.series = [(ids[sensor], metric) for sensor, metric in places]
        self.value, self.state = columns["value"], columns["state"]
        self.observed_at = columns["observed_at"]
        self.incidents = {one["id"]: one for one in frame["incidents"]}
        self._closed = {}

    def _step(self, incident: Frame) -> None:
        """A step may come twice: what is not newer changes nothing."""
        name, version = incident["id"], incident["version"]
        known = self.incidents.get(name, {}).get("version", self._closed.get(name, 0))
        if version <= known:
            return
        if incident["state"] == "closed":
            self.incidents.pop(name, None)
            self._closed[name] = version
        else:
            self.incidents[name] = incident


@dataclass
class LiveClient:
    """Keeps `picture` up to date. `addresses`: of one or more replicas, tried in turn.

    `on_frame` is called with every frame after it has been applied; what it draws counts as
    painted when it returns.
    """

    addresses: list[str]
    token: str
    on_frame: Callable[[Picture, Frame], None] = lambda _picture, _frame: None
    filter: Frame | None = None
    picture: Picture = field(default_factory=Picture)
    _attempt: int = 0
    _turn: int = 0
    _painted: float = 0.0

    async def run(self) -> None:
        """Until cancelled. Raises `Refused`."""
        while True:
            try:
                await self.once()
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in REFUSED:
                    raise Refused(closed.rcvd.reason) from None
            except (OSError, InvalidHandshake, TimeoutError):
                pass
            pause = PAUSES[min(self._attempt, len(PAUSES) - 1)]
            self._attempt += 1
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))

    async def once(self) -> None:
        """One connection, until it ends. Raises what ends it."""
        address = self.addresses[self._turn % len(self.addresses)]
        self._turn += 1
        headers = {"Authorization": f"Bearer {self.token}"}
        async with connect(address, additional_headers=headers, max_size=None) as socket:
            await self._say(
                socket, type="hello", resume=self.picture.resume, filter=self.filter,
                accept=["gzip"],
            )  # fmt: skip
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await socket.recv()
                await self._take(socket, message)

    async def _take(self, socket: ClientConnection, message: str | bytes) -> None:
        frame = json.loads(message if isinstance(message, str) else gzip.decompress(message))
        if frame["type"] == "hello" and frame["protocol"] != PROTOCOL:
            raise Refused(f"the server speaks protocol {frame['protocol']}")
        self.picture.apply(frame)
        self.on_frame(self.picture, frame)
        if frame["type"] == "pulse":
            self._attempt = 0  # not at hello: whoever is dropped at once must not hammer
        if frame["type"] == "delta" and time.monotonic() - self._painted > PAINTED_SECONDS:
            self._painted = time.monotonic()
            await self._say(socket, type="painted", sent_at=frame["sent_at"])

    async def _say(self, socket: ClientConnection, **frame: Any) -> None:
        await socket.send(json.dumps(frame))


def show(picture: Picture, frame: Frame) -> None:
    """One line per event worth one."""
    match frame["type"]:
        case "snapshot":
            print(f"{len(picture.series)} series, {len(picture.incidents)} open incidents")
        case "incident":
            data = frame["event"]["data"]
            print(f"P{data['priority']} {data['state']:<12} {data['title']}")
        case "pulse":
            abnormal = sum(state not in ("normal", "never") for state in picture.state)
            print(f"{abnormal} abnormal; log → picture {frame['lag_ms']} ms")


if __name__ == "__main__":
    asyncio.run(LiveClient([sys.argv[1]], sys.argv[2], show).run())
