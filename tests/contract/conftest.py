"""Both event logs behind one fixture, so that one suite runs on each."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import topics
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog
from shared.eventlog.postgres import PostgresLog


@pytest.fixture(params=["postgres", "kafka"])
async def log(
    request: pytest.FixtureRequest, engine: AsyncEngine, database_url: str
) -> AsyncIterator[EventLog]:
    """An event log with topics of this test's own."""
    if request.param == "postgres":
        opened: EventLog = await PostgresLog(database_url).open()
    else:
        opened = await KafkaLog(request.getfixturevalue("kafka_bootstrap")).open()
    yield opened
    await opened.close()


@pytest.fixture
def topic() -> str:
    """A topic with several partitions. The suite starts from its ends, so leftovers do no harm."""
    return topics.READINGS
