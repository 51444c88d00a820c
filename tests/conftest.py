"""Fixtures on real parts: a PostgreSQL (named by the environment, else the embedded one)."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import uvloop
from hypothesis import settings
from sqlalchemy import text, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.migrations.upgrade import upgrade
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog
from shared.eventlog.postgres import PostgresLog
from shared.store import embedded
from shared.store.engine import make_engine
from shared.store.tables import metadata, rollup_watermark

settings.register_profile("untimed", deadline=None)  # how busy a machine is proves nothing
settings.load_profile("untimed")

DATA = Path(__file__).parents[2] / "shared" / "data"  # recorded data; not part of this repository


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """The product's loop."""
    policy: asyncio.AbstractEventLoopPolicy = uvloop.EventLoopPolicy()
    return policy


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server on which scratch databases may be made."""
    named = os.environ.get("YIWANG_TEST_DATABASE_URL")
    if named:
        yield named
        return
    server = embedded.start(tmp_path_factory.mktemp("postgres"))
    yield server.url
    embedded.stop(server)


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real broker: the one that is named, else one started from its Maven artifacts."""
    named = os.environ.get("YIWANG_TEST_KAFKA_BOOTSTRAP", "").split()
    if named:
        lane = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        yield named[int(lane)]  # the topics' names are the product's: no two lanes share a broker
        return
    from deploy.local import parts

    reason = parts.available()["kafka"]
    if reason is not None:
        pytest.skip(f"NO KAFKA: {reason}")
    started = parts.start(tmp_path_factory.mktemp("kafka"), kafka=True, database=False)
    yield started.kafka_bootstrap
    started.stop()


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> AsyncIterator[KafkaLog]:
    """The log on that broker."""
    log = await KafkaLog(kafka_bootstrap).open()
    yield log
    await log.close()


def scratch_database(server_url: str) -> tuple[str, str]:
    """A new, empty database: (its name, its URL)."""
    name = f"yiwang_test_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = make_url(server_url).set(database=name)
    return name, url.render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Remove a scratch database and whoever still uses it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def database_url(database_server: str) -> Iterator[str]:
    """A scratch database with the newest schema."""
    name, url = scratch_database(database_server)
    upgrade(url)
    yield url
    drop_database(database_server, name)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the scratch database, every table emptied."""
    engine = make_engine(database_url)
    emptied = [each for each in metadata.sorted_tables if each is not rollup_watermark]
    tables = ", ".join(f'"{table.schema}"."{table.name}"' for table in emptied)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        await connection.execute(update(rollup_watermark).values(closed_to=None))
    yield engine
    await engine.dispose()


@pytest.fixture
async def event_log(engine: AsyncEngine, database_url: str) -> AsyncIterator[EventLog]:
    """The embedded event log on the scratch database, empty."""
    log = await PostgresLog(database_url).open()
    yield log
    await log.close()
