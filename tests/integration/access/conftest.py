"""The whole city of these tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventlog.log import EventLog
from tests.integration.access.city import City, city


@pytest.fixture
async def everything(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    """Every service behind one address."""
    async with city(engine, event_log, database_url, tmp_path) as found:
        yield found
