"""The authenticator on a real database: asked once for many, and while the database is away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventlog.log import EventLog
from shared.web.authenticator import token_hash
from tests.integration.administrators import log_in_everybody, make, post
from tests.integration.cities import City, city
from tests.waiting import eventually


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    await log_in_everybody(engine)
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


async def test_many_requests_ask_the_database_once(home: City, engine: AsyncEngine) -> None:
    made = await make(home)
    authenticator = home.context.authenticator
    asked = 0
    query = authenticator._query

    async def counted(digest: bytes) -> Any:
        nonlocal asked
        asked += 1
        return await query(digest)

    authenticator._query = counted  # type: ignore[method-assign]
    found = await asyncio.gather(*(authenticator.identify(made["token"]) for _ in range(64)))
    assert {identity.name for identity in found if identity} == {"posting"}
    assert asked == 1


async def test_who_is_known_stays_known_while_the_database_is_away(
    home: City, engine: AsyncEngine, database_server: str
) -> None:
    made = await make(home)
    identify = home.context.authenticator.identify
    assert await identify(made["token"]) is not None
    database = str(engine.url.database)
    with psycopg.connect(database_server, autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (database,),
            )

            async def refused() -> bool:
                try:
                    return await identify("stranger") is not None
                except DBAPIError:
                    return True

            assert await eventually(refused, 10)
            known = home.context.authenticator._known[token_hash(made["token"])]
            asked_long_ago = known._replace(fresh_at=known.fresh_at - 100)
            home.context.authenticator._known[token_hash(made["token"])] = asked_long_ago
            assert await identify(made["token"]) is not None
        finally:
            server.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
    assert (await post(home, made["token"])).status_code in (202, 503)
