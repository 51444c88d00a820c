"""A log that says nothing: readings are refused at once and as told, and taken again by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local import parts
from shared.eventlog.kafka import KafkaLog
from shared.store.embedded import free_port
from tests.chaos.relay import Mode, Relay
from tests.integration.cities import City, city, reading
from tests.waiting import eventually

REASON = parts.available()["kafka"]
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"NO KAFKA: {REASON}")


@dataclass
class Ways:
    """Ports: where the broker listens, and where its clients are told to come to."""

    listening: int
    told: int


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    found = Ways(free_port(), free_port())
    folder = tmp_path_factory.mktemp("kafka")
    started = parts.start(folder, {found.listening: found.told}, database=False)
    yield found
    started.stop()


@pytest.fixture
async def relay(ways: Ways) -> AsyncIterator[Relay]:
    made = Relay(ways.told, ways.listening)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def home(
    relay: Relay, engine: AsyncEngine, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    log = await KafkaLog(f"127.0.0.1:{relay.port}").open()
    async with city(engine, log, database_url, tmp_path) as made:
        yield made
    await log.close()


@pytest.mark.parametrize("mode", [Mode.STALL, Mode.CUT])
async def test_a_silent_log_is_told_of_at_once_and_heard_again(
    home: City, relay: Relay, mode: Mode
) -> None:
    numbers = cycle(range(1, 60))

    async def post() -> httpx.Response:
        return await home.client.post("/v1/readings", json=reading(next(numbers)))

    async def refused() -> bool:
        answer = await post()
        if answer.status_code == 503 and "does not answer" in answer.json()["detail"]:
            assert int(answer.headers["retry-after"]) > 0
            return True
        return False

    async def taken() -> bool:
        return (await post()).status_code == 202

    stop = asyncio.Event()
    job = asyncio.ensure_future(home.service.jobs["ingest-backlog"](stop))
    assert await taken()
    await relay.set(mode)
    waits = asyncio.create_task(post())  # it is on its way already: nobody can say what of it is
    assert await eventually(refused, 30)
    many = await asyncio.gather(*(post() for _ in range(20)))
    assert {answer.status_code for answer in many} == {503}
    await relay.set(Mode.PASS)
    assert await eventually(taken, 60)
    assert (await waits).status_code in (202, 503)
    stop.set()
    await job
