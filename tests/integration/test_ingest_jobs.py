"""The writer and the normaliser as they run: loops on a real log and database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.topics import INBOX, READINGS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Outgoing
from tests.integration.cities import SENSOR, City, city, reading
from tests.waiting import eventually


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


@asynccontextmanager
async def running(home: City, *names: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(home.service.jobs[f"ingest-{name}"](stop)) for name in names]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)


async def count(home: City, table: str = "ingest.readings") -> int:
    return int((await home.rows(f"SELECT count(*) FROM {table}"))[0][0])


async def has(home: City, rows: int, table: str = "ingest.readings") -> None:
    async def reached() -> bool:
        return await count(home, table) >= rows

    assert await eventually(reached, 15), await count(home, table)
    assert await count(home, table) == rows


async def produce(home: City, value: Any, **headers: str) -> None:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    pairs = tuple((name.replace("_", "-"), text.encode()) for name, text in headers.items())
    await home.context.log.publish([Outgoing(INBOX, SENSOR, raw, pairs)])


async def test_posted_readings_are_stored_and_committed(home: City) -> None:
    async with running(home, "writer"):
        for start in range(0, 60, 20):
            items = [reading(minute) for minute in range(start, start + 20)]
            assert (await home.client.post("/v1/readings", json=items)).status_code == 202
        await has(home, 60)

        async def committed() -> bool:
            return await home.context.log.lag(READINGS, "writer") == 0

        assert await eventually(committed, 5)


async def test_conflicts_of_two_records_of_the_inbox_are_both_kept(home: City) -> None:
    await produce(home, [reading(1, 40.0), reading(2, 40.0)])
    await produce(home, reading(1, 41.0))
    await produce(home, reading(2, 42.0))  # taken up together with the one before
    async with running(home, "normaliser", "writer"):
        await has(home, 2, "ingest.quarantine")


async def test_a_restarted_writer_goes_on_where_it_was(home: City) -> None:
    async with running(home, "writer"):
        await home.client.post("/v1/readings", json=reading(1))
        await has(home, 1)
    await home.client.post("/v1/readings", json=[reading(1), reading(2)])
    async with running(home, "writer"):
        await has(home, 2)
    assert await count(home, "ingest.quarantine") == 0


async def test_a_lost_log_commit_is_harmless(home: City) -> None:
    """The rows are committed, the log is not: a kill -9 just between the two."""
    async with running(home, "writer"):
        await home.client.post("/v1/readings", json=[reading(1), reading(1, 41, replace=True)])
        await has(home, 1, "ingest.corrections")
    async with await psycopg.AsyncConnection.connect(
        home.context.database_url, autocommit=True
    ) as connection:
        await connection.execute("UPDATE eventlog.groups SET next_offset = 0")
    await home.client.post("/v1/readings", json=reading(2))
    async with running(home, "writer"):
        await has(home, 2)
    assert await count(home, "ingest.corrections") == 1
    assert await count(home, "ingest.quarantine") == 0


async def test_a_lost_connection_is_unavailable_and_loses_nothing(home: City) -> None:
    stop = asyncio.Event()
    writing = asyncio.ensure_future(home.service.jobs["ingest-writer"](stop))
    await home.client.post("/v1/readings", json=reading(1))
    await has(home, 1)
    async with await psycopg.AsyncConnection.connect(
        home.context.database_url, autocommit=True
    ) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'yiwang-writer'"
        )
    await home.client.post("/v1/readings", json=reading(2))
    with pytest.raises(Unavailable):
        await asyncio.wait_for(writing, 10)
    async with running(home, "writer"):
        await has(home, 2)


async def test_the_inbox_has_the_gateways_rules(home: City) -> None:
    token = home.client.headers["authorization"].removeprefix("Bearer ")
    async with running(home, "writer", "normaliser"):
        await produce(home, reading(1), yiwang_key=token)
        await produce(home, [reading(2), reading(3, 999), reading(4)], yiwang_key=token)
        await produce(home, reading(5))
        await produce(home, reading(6, replace=True))
        await produce(home, reading(7), yiwang_key="nobody")
        await produce(home, b"\x00\xff not JSON", yiwang_key=token)
        await produce(home, b'[{"sensor_id": "\\u0000\\ud800", "value": 1e999}]')
        await has(home, 4)
        await has(home, 5, "ingest.quarantine")
    items = (await home.client.get("/v1/quarantine", params={"limit": 2})).json()
    assert items["next"]
    found: list[dict[str, Any]] = items["items"]
    while items["next"]:
        query = {"limit": "2", "cursor": items["next"]}
        items = (await home.client.get("/v1/quarantine", params=query)).json()
        found += items["items"]
    by_code = {item["code"]: item for item in found if item["index"] >= 0}
    assert by_code["out_of_range"]["item"] == reading(3, 999)
    assert (by_code["out_of_range"]["index"], by_code["out_of_range"]["source"]) == (1, "first")
    assert by_code["forbidden"]["source"] == "inbox"
    whole = {item["code"]: item for item in found if item["index"] < 0}
    assert whole["forbidden"]["item"] == reading(7)
    assert "not JSON" in whole["malformed"]["item"]
    assert len(found) == 5


async def test_an_inbox_read_twice_is_stored_once(home: City) -> None:
    async with running(home, "normaliser", "writer"):
        await produce(home, [reading(1), reading(2, 999)])
        await has(home, 1)
        await has(home, 1, "ingest.quarantine")
    async with await psycopg.AsyncConnection.connect(
        home.context.database_url, autocommit=True
    ) as connection:
        await connection.execute(
            "UPDATE eventlog.groups SET next_offset = 0 WHERE \"group\" = 'normaliser'"
        )
    async with running(home, "normaliser", "writer"):
        await produce(home, reading(3))
        await has(home, 2)
    assert await count(home, "ingest.quarantine") == 1
