"""Fixtures of the integration tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventlog.log import EventLog
from tests.image import Image, built, reason_it_cannot_be_built
from tests.integration.alerting import Receiver
from tests.integration.neighbouring import Platform, befriend
from tests.integration.test_alerts_http import House, running
from tests.scratch import fresh_city
from tests.shape import Shape


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    """Receivers of this test: closed at its end."""
    made: list[Receiver] = []
    yield made
    for receiver in made:
        receiver.close()


@pytest.fixture(scope="session")
def container_image() -> Image:
    """The image of this tree, built by the engine of this machine."""
    reason = reason_it_cannot_be_built()
    if reason is not None:
        pytest.skip(f"NO CONTAINER ENGINE: {reason}")
    return built()


@pytest.fixture
async def house(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    """Alerts as they run, with a database of its own schema."""
    async with running(engine, event_log, database_url, tmp_path) as house:
        yield house


@pytest.fixture
async def guangzhou(house: House) -> Platform:
    """A neighbour that the house knows."""
    return await befriend(house)


@pytest.fixture(scope="module")
def shape(
    tmp_path_factory: pytest.TempPathFactory, database_server: str, kafka_bootstrap: str
) -> Iterator[Shape]:
    """The production shape, for all tests of a file."""
    folder = tmp_path_factory.mktemp("shape")
    with fresh_city(folder, database_server, kafka_bootstrap) as running_shape:
        yield running_shape
