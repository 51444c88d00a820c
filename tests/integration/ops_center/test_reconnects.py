"""Screens that lose their connection at any moment, over two replicas: nothing is missed.

The number of reconnects: `YIWANG_TEST_RECONNECTS` (150; 1,000 take some minutes).
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.exceptions import ConnectionClosed

from examples.live import Frame, LiveClient, Picture
from services.ops_center import hub
from shared.contracts.incident import AlertState, IncidentState
from shared.contracts.topics import INCIDENTS
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog, Outgoing
from shared.store.embedded import free_port
from tests.integration.ops_center.conftest import Centre
from tests.integration.ops_center.test_live import speed
from tests.unit.ops_center.wall import event, incident
from tests.waiting import eventually

RECONNECTS = int(os.environ.get("YIWANG_TEST_RECONNECTS", "150"))
SENSORS = ("road-1", "road-2", "both-1")
STATES = (IncidentState.OPEN, IncidentState.HANDLING, IncidentState.CLOSED)
SECONDS = 20.0


@dataclass
class Traffic:
    """Readings and incidents, published without end; `steps`: every (incident, version) logged."""

    centre: Centre
    chance: random.Random
    steps: set[tuple[str, int]] = field(default_factory=set)
    versions: dict[int, int] = field(default_factory=dict)
    calm: asyncio.Event = field(default_factory=asyncio.Event)
    first: int = field(
        default_factory=lambda: random.getrandbits(40)
    )  # a Kafka may hold older ones

    async def run(self) -> None:
        """Until cancelled; nothing while it is calm."""
        while True:
            if self.calm.is_set():
                await asyncio.sleep(0.001)
                continue
            await self.step()

    async def step(self) -> None:
        """A reading, or a step of an incident."""
        if self.chance.random() < 0.6:
            await self.centre.post(
                speed(float(self.chance.randint(1, 99)), sensor=self.chance.choice(SENSORS))
            )
            return
        number = self.first + self.chance.randint(1, 8)
        version = self.versions[number] = self.versions.get(number, 0) + 1
        state = STATES[version % 3]
        alert = AlertState.CLEARED if state is IncidentState.CLOSED else AlertState.ACTIVE
        made = incident(number, version, state=state, alert_state=alert)
        self.steps.add((str(made.id), version))
        await self.centre.log.publish([Outgoing(INCIDENTS, str(made.id), event(made))])


@dataclass
class Watcher:
    """A client of the examples, and every step it was told of."""

    client: LiveClient
    steps: set[tuple[str, int]] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    patience: int | None = None  # frames after which it is cut off

    def __post_init__(self) -> None:
        self.client.on_frame = self.take

    def take(self, _: Picture, frame: Frame) -> None:
        self.kinds[frame["type"]] += 1
        if frame["type"] == "incident":
            data = frame["event"]["data"]
            self.steps.add((data["id"], data["version"]))
        if self.patience is not None:
            self.patience -= 1
            if self.patience <= 0:
                raise ConnectionResetError

    async def stay(self, seconds: float, frames: int | None) -> None:
        """One connection, cut off after some time or frames, whatever it is doing."""
        self.patience = frames
        with suppress(TimeoutError, ConnectionClosed, ConnectionResetError):
            async with asyncio.timeout(seconds):
                await self.client.once()
        self.patience = None


def shown(picture: Picture) -> dict[str, Any]:
    columns = zip(picture.series, picture.value, picture.observed_at, picture.state, strict=True)
    versions = {name: one["version"] for name, one in picture.incidents.items()}
    return {"series": {key: rest for key, *rest in columns}, "incidents": versions}


async def truth(centre: Centre) -> dict[str, Any]:
    """What a new screen of a replica is shown."""
    fresh = LiveClient([address(centre)], centre.screen_token)
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            reading = asyncio.ensure_future(fresh.once())
            while not fresh.picture.series:
                await asyncio.sleep(0.002)
    reading.cancel()
    return shown(fresh.picture)


def address(centre: Centre) -> str:
    return f"ws://127.0.0.1:{centre.port}/v1/live"


@pytest.fixture(params=["postgres", "kafka"])
async def replicas(
    request: pytest.FixtureRequest,
    idle_centre: Centre,
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[list[Centre]]:
    """Two, each with its own connection to one log; ticks are quick, so that more happens."""
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        centres = [idle_centre, replace(idle_centre, port=free_port())]
        if request.param == "kafka":
            bootstrap = request.getfixturevalue("kafka_bootstrap")
            logs: list[EventLog] = [await KafkaLog(bootstrap).open() for _ in centres]
            for log in logs:
                stack.push_async_callback(log.close)
            centres = [replace(one, log=log) for one, log in zip(centres, logs, strict=True)]
        for centre in centres:
            await stack.enter_async_context(centre.running())
        yield centres


@pytest.mark.timeout(900)
async def test_a_client_that_is_cut_off_at_random_shows_what_the_server_shows(
    replicas: list[Centre],
) -> None:
    chance = random.Random(20260501)
    traffic = Traffic(replicas[0], chance)
    watcher = Watcher(LiveClient([], replicas[0].screen_token))
    await check(traffic, watcher, replicas[0])
    async with asyncio.TaskGroup() as group:
        flowing = group.create_task(traffic.run())
        for number in range(RECONNECTS):
            watcher.client.addresses = [address(chance.choice(replicas))]
            frames = chance.choice([None, 1, 2, 3, 5, 8])
            await watcher.stay(chance.choice([0.01, 0.05, 0.2]) * chance.random(), frames)
            await check(traffic, watcher, replicas[number % 2])
        flowing.cancel()
    assert watcher.kinds["snapshot"] == 1  # every other time it was resumed
    assert watcher.kinds["resync"] == 0
    assert len(traffic.steps) > RECONNECTS / 10


async def check(traffic: Traffic, watcher: Watcher, replica: Centre) -> None:
    """Reconnect, let things come to rest, compare; then let them go on."""
    watcher.client.addresses = [address(replica)]
    connection = asyncio.ensure_future(watcher.client.once())
    traffic.calm.set()

    async def same() -> bool:
        seen = shown(watcher.client.picture)
        return (
            bool(seen["series"])
            and traffic.steps <= watcher.steps
            and (seen == await truth(replica))
        )

    assert await eventually(same, SECONDS), (
        traffic.steps - watcher.steps,
        shown(watcher.client.picture),
        await truth(replica),
    )
    traffic.calm.clear()
    connection.cancel()
    with suppress(asyncio.CancelledError, ConnectionClosed):
        await connection
