"""A small ingest on the scratch database: registry, first key, gateway in process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.app import build
from services.ingest.keys.first import ensure_first_key
from shared.eventlog.log import EventLog
from shared.runtime import Context, Service, make_app
from shared.settings import Settings

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
SENSOR = "tr-441202-0001"


@dataclass
class City:
    """`client` carries the first key; `service` has the jobs, not running."""

    context: Context
    service: Service
    client: httpx.AsyncClient

    async def rows(self, query: str) -> list[Any]:
        """What the database answers."""
        async with self.context.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]


def reading(minute: int = 0, value: float = 40.0, **more: Any) -> dict[str, Any]:
    """A good reading of the first sensor."""
    moment = f"2026-05-01T07:{minute:02d}:00Z"
    return {"sensor_id": SENSOR, "metric": "traffic.speed", "observed_at": moment,
            "value": value, **more}  # fmt: skip


@asynccontextmanager
async def city(
    engine: AsyncEngine, log: EventLog, database_url: str, folder: Path, **options: Any
) -> AsyncIterator[City]:
    """`options`: settings. The clock stands at `NOW`."""
    settings = Settings(data_dir=folder, **options)
    context = Context(settings, database_url, engine, log, lambda: NOW)
    service = await build(context)
    token = await ensure_first_key(engine)
    transport = httpx.ASGITransport(make_app(context, [service]))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://city", headers=headers
    ) as client:
        yield City(context, service, client)
