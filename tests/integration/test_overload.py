"""The writer stands still: the gateway refuses at its bound, and recovers by itself; both logs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local import parts
from shared.contracts.topics import INBOX
from shared.errors import Overloaded
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog, Outgoing
from tests.integration.cities import City, city, reading
from tests.waiting import eventually

BOUND = 8


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of this module's own: nobody else's records lie in `city.readings`."""
    reason = parts.available()["kafka"]
    if reason is not None:
        pytest.skip(f"NO KAFKA: {reason}")
    started = parts.start(tmp_path_factory.mktemp("kafka"), kafka=True, database=False)
    yield str(started.kafka_bootstrap)
    started.stop()


@pytest.fixture(params=["embedded", "kafka"])
async def log(
    request: pytest.FixtureRequest, engine: AsyncEngine, event_log: EventLog
) -> AsyncIterator[EventLog]:
    if request.param == "embedded":
        yield event_log
        return
    kafka = await KafkaLog(request.getfixturevalue("own_broker")).open()
    yield kafka
    await kafka.close()


@pytest.fixture
async def home(
    log: EventLog, engine: AsyncEngine, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, log, database_url, tmp_path, backlog_max_records=BOUND) as made:
        yield made


@asynccontextmanager
async def running(home: City, name: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    job = asyncio.ensure_future(home.service.jobs[name](stop))
    yield
    stop.set()
    await job


async def test_a_writer_that_stands_still_closes_the_border_until_it_has_caught_up(
    home: City,
) -> None:
    accepted = 0
    values = iter(range(1, 10_000))

    async def status() -> int:
        nonlocal accepted
        number = next(values)
        item = reading(number % 60, observed_at=f"2026-05-01T07:00:00.{number:06d}Z")
        answer = await home.client.post("/v1/readings", json=item)
        accepted += answer.status_code == 202
        if answer.status_code == 503:
            assert 0 < int(answer.headers["retry-after"]) <= 60
            assert answer.json()["code"] == "overloaded"
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    async def closed() -> bool:
        return await status() == 503

    async def open_again() -> bool:
        return await status() == 202

    async with running(home, "ingest-backlog"):
        async with running(home, "ingest-writer"):
            assert await open_again()

            async def stored() -> bool:
                return await home.rows("SELECT count(*) FROM ingest.readings") == [(accepted,)]

            assert await eventually(stored, 20)
        assert await eventually(closed, 20)
        assert accepted >= BOUND
        assert REGISTRY.get_sample_value("yiwang_ingest_refusing") == 1
        async with running(home, "ingest-writer"):
            assert await eventually(open_again, 20)
            assert REGISTRY.get_sample_value("yiwang_ingest_refusing") == 0
            assert await eventually(stored, 20)


async def test_what_lies_in_the_inbox_waits_there(home: City) -> None:
    """The normaliser takes nothing while the border is closed, and loses nothing."""
    for number in range(BOUND + 1):
        await home.client.post("/v1/readings", json=reading(number))
    async with running(home, "ingest-backlog"):

        async def closed() -> bool:
            return (await home.client.post("/v1/readings", json=reading())).status_code == 503

        assert await eventually(closed, 20)
        with pytest.raises(Overloaded):
            await home.service.jobs["ingest-normaliser"](asyncio.Event())
    assert await home.context.log.publish([Outgoing(INBOX, "k", b"{}")])
