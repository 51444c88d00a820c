"""The documents that the reference is made from, as every service together answers them."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx

from deploy.migrations.upgrade import upgrade
from services.alerts import app as alerts
from services.ingest import app as ingest
from services.ops_center import app as ops_center
from shared.eventlog.open import open_log
from shared.runtime import Context, make_app
from shared.settings import Settings
from shared.store import embedded
from shared.store.engine import make_engine

Document = dict[str, Any]


def documents() -> tuple[Document, Document]:
    """OpenAPI and AsyncAPI. Takes an embedded database for some seconds."""
    with tempfile.TemporaryDirectory(prefix="yiwang-reference-") as folder:
        server = embedded.start(Path(folder) / "postgres")
        try:
            upgrade(server.url)
            return asyncio.run(_ask(Settings(data_dir=Path(folder)), server.url))
        finally:
            embedded.stop(server)


async def _ask(settings: Settings, url: str) -> tuple[Document, Document]:
    log = await open_log(settings, url)
    engine = make_engine(url, pool_size=4)
    try:
        context = Context(settings, url, engine, log)
        services = [await one.build(context) for one in (ingest, alerts, ops_center)]
        transport = httpx.ASGITransport(make_app(context, services))
        async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
            found = [(await client.get(f"/{name}.json")).json() for name in ("openapi", "asyncapi")]
        for service in services:
            for close in service.closers:
                await close()
    finally:
        await engine.dispose()
        await log.close()
    return found[0], found[1]
