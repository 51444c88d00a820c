"""A city of a test's own on servers that other tests have used: nothing of theirs is in it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import TOPICS
from tests.conftest import drop_database, scratch_database
from tests.shape import Shape, production

SECONDS = 30.0


@contextmanager
def fresh_city(folder: Path, database_server: str, kafka_bootstrap: str) -> Iterator[Shape]:
    """`production` on a new database and an empty log."""
    with (
        fresh_database(database_server, kafka_bootstrap) as url,
        production(folder, url, kafka_bootstrap) as shape,
    ):
        yield shape


@contextmanager
def fresh_database(database_server: str, kafka_bootstrap: str) -> Iterator[str]:
    """The URL of a new database, with nothing in the log: the services would read again all that
    a new database lacks of it, which is everything that other tests have ever sent."""
    with ThreadPoolExecutor(1) as elsewhere:  # the caller may have a running loop
        elsewhere.submit(asyncio.run, _empty(kafka_bootstrap)).result()
    name, url = scratch_database(database_server)
    try:
        yield url
    finally:
        drop_database(database_server, name)


async def _empty(bootstrap: str) -> None:
    """Drop the product's topics; the product makes them again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    ours = {topic.name for topic in TOPICS}
    try:
        async with asyncio.timeout(SECONDS):
            while found := sorted(ours & set(await admin.list_topics())):
                await admin.delete_topics(found)
    finally:
        await admin.close()
