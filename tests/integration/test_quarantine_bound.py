"""The quarantine's bound, its news, and what lies there from before."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.migrations.upgrade import upgrade
from services.ingest.quarantine.announcer import Announcer
from services.ingest.quarantine.aside import as_json
from services.ingest.quarantine.bound import Keeper
from services.ingest.quarantine.repository import Quarantine
from services.ingest.quarantine.selection import Bound, Selection
from shared.contracts.reading import ItemCode
from shared.contracts.topics import QUARANTINE
from shared.eventlog.log import EventLog
from shared.store.engine import make_engine
from shared.store.tables import quarantine as table
from tests.conftest import drop_database, scratch_database
from tests.integration.cities import NOW, City, city, reading
from tests.integration.people import actors
from tests.integration.set_aside import LIFE, aside, do, fill, listed


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        admin = (await actors(engine))["admin"]
        made.client.headers["Authorization"] = f"Bearer {admin}"
        yield made


async def test_the_bound_drops_the_discarded_first_and_counts(home: City) -> None:
    await fill(home, *(aside(n, reading(n % 60, 999)) for n in range(10)),
               aside(50, reading(5), ItemCode.CONFLICT, "trams"))  # fmt: skip
    newest = [item["id"] for item in await listed(home, source="buses")][:2]
    await do(home, "discard", filter={"ids": newest}, note="noise")
    engine = home.context.engine
    store = Quarantine(engine)
    keeper = Keeper(engine, store, Bound(max_rows=5, max_days=9), lambda: NOW - timedelta(days=365))
    assert await keeper.sweep() == 5
    assert [item["offset"] for item in await listed(home, source="buses")] == [7, 6, 5, 4, 3]
    assert len(await listed(home, source="trams")) == 1
    assert sorted((c.source, c.state, c.items) for c in await store.dropped()) == [
        ("buses", "discarded", 2), ("buses", "waiting", 3),
    ]  # fmt: skip
    summary = (await home.client.get("/v1/quarantine/summary")).json()
    assert sum(group["items"] for group in summary["dropped"]) == 5
    assert await keeper.sweep() == 0


async def test_the_bound_drops_what_is_too_old(home: City) -> None:
    await fill(home, aside(1, reading(1, 999)), aside(2, reading(2, 999)))
    async with home.context.engine.begin() as connection:
        old = update(table).where(table.c.offset == 1)
        await connection.execute(old.values(quarantined_at=NOW - timedelta(days=10)))
    store = Quarantine(home.context.engine)
    keeper = Keeper(home.context.engine, store, Bound(max_rows=5, max_days=9), lambda: NOW)
    assert await keeper.sweep() == 1
    assert [item["offset"] for item in await listed(home)] == [2]


async def test_each_new_item_is_announced_once(home: City) -> None:
    announcer = Announcer(home.context.engine, home.context.log)
    await fill(home, aside(1, reading(1, 999)), aside(2, as_json(b"a\0b")))
    assert await announcer.announce() == 2
    assert await announcer.announce() == 0
    async with home.context.log.read(QUARANTINE, {}) as reader:
        records = list(await reader.batch(10, 5))
    news = [json.loads(record.value) for record in records]
    assert [item["code"] for item in news] == ["out_of_range"] * 2
    assert news[0]["item"]["value"] == 999 and records[0].key == "buses"


OLD_ITEM = """
INSERT INTO ingest.quarantine
  (topic, partition, "offset", index, incarnation, source, code, detail, item)
VALUES ('city.inbox', 0, 1, 0, 'a-life', 'old', 'conflict', 'why', '{"value": 7}')
"""


async def test_what_lies_there_from_the_first_version_waits(database_server: str) -> None:
    name, url = scratch_database(database_server)
    engine = make_engine(url)
    try:
        upgrade(url, "0001")
        with psycopg.connect(url) as connection:
            connection.execute(OLD_ITEM)
        upgrade(url)
        (row,) = await Quarantine(engine).page(Selection(source="old"), None, 10)
        assert (row["format"], row["state"], row["mended"]) == ("reading", "waiting", None)
        assert row["announced"] is True
    finally:
        await engine.dispose()
        drop_database(database_server, name)


async def test_what_lies_there_from_an_earlier_version_can_be_replayed(
    home: City, engine: AsyncEngine
) -> None:
    row = {"topic": "city.inbox", "partition": 0, "offset": 1, "index": 0, "incarnation": LIFE,
           "source": "old", "code": "conflict", "detail": "", "item": reading(1, 7)}  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(table).values(**row))
        found = (await connection.execute(select(table.c.format, table.c.state))).one()
    assert tuple(found) == ("reading", "waiting")
    assert (await do(home, "replay", filter={"source": "old"}))["done"] == 1
