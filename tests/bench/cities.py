"""The product under load: embedded, or in production's shape on real parts."""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import parts
from shared.contracts.topics import READINGS
from shared.eventlog.kafka import MAX_RECORD_BYTES
from shared.store.embedded import Embedded
from shared.store.embedded import stop as stop_database
from tests.bench import cpu
from tests.conftest import drop_database, scratch_database
from tests.product import Product
from tests.shape import Shape, production

NAMED = ("YIWANG_TEST_KAFKA_BOOTSTRAP", "YIWANG_TEST_DATABASE_URL")


@dataclass(frozen=True)
class Target:
    """Where to post, where to look. `wall`: base address of ops_center; `roots`: part → pid."""

    port: int
    wall: str
    database_url: str
    credentials: Mapping[str, Any]
    roots: Mapping[str, int]
    store: Callable[[], None] = lambda: None  # begin to store, where nobody does so yet

    @property
    def url(self) -> str:
        """Base address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_key(self) -> str:
        """The first posting key."""
        return str(self.credentials["api_key"])


def reason_kafka_cannot_run() -> str | None:
    """None if the production shape can be had: servers that are named, or parts of our own."""
    if all(os.environ.get(name) for name in NAMED):
        return None
    return "; ".join(why for why in parts.available().values() if why) or None


@contextmanager
def embedded(
    module: str = "services", settings: Mapping[str, str] | None = None
) -> Iterator[Target]:
    """`python -m services`: one process, the embedded database and event log. `settings`: see
    `Product`."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        product = Product(Path(folder) / "data", dict(settings or {}), module=module)
        try:
            product.start()
            assert product.process is not None
            url = product.database_url()
            roots = {"services": product.process.pid} | cpu.postmaster(url)
            yield Target(product.port, product.url, url, product.credentials, roots)
        finally:
            _stop(product)


@contextmanager
def kafka() -> Iterator[Target]:
    """Real Kafka and TimescaleDB, each service its own process."""
    with shaped() as (shape, servers):
        yield target_of(shape, servers)


@contextmanager
def border() -> Iterator[Target]:
    """Only what stands between a POST and its answer: the gateway and Kafka."""
    with shaped() as (shape, servers):
        for name in [name for name in shape.running if name != "gateway"]:
            shape.end(name)
        target = target_of(shape, servers)
        yield replace(target, store=lambda: shape.start("writer"))


@contextmanager
def shaped(partitions: int | None = None) -> Iterator[tuple[Shape, dict[str, int]]]:
    """The same, to be rearranged; and the servers' pids. `partitions` of `city.readings`: on a
    broker of our own."""
    with (
        tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder,
        _parts(folder, own=partitions is not None) as (bootstrap, server, broker),
    ):
        if partitions is not None:
            asyncio.run(make_readings(bootstrap, partitions))
        name, url = scratch_database(server)
        try:
            with production(Path(folder) / "data", url, bootstrap) as shape:
                yield shape, broker | cpu.postmaster(url)
        finally:
            drop_database(server, name)


def target_of(shape: Shape, servers: dict[str, int]) -> Target:
    """Where to post, as its processes are now."""
    return Target(
        shape.ports["gateway"],
        shape.url("ops_center"),
        shape.database_url,
        shape.credentials,
        {part: process.pid for part, process in shape.running.items()} | servers,
    )


async def make_readings(bootstrap: str, partitions: int, copies: int = 1) -> None:
    """The topic, before the product makes it by its own measure."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    configs = {
        "max.message.bytes": str(MAX_RECORD_BYTES),
        "message.timestamp.type": "LogAppendTime",
    }
    await admin.create_topics([NewTopic(READINGS, partitions, copies, topic_configs=configs)])
    await admin.close()


@contextmanager
def _parts(folder: str, own: bool = False) -> Iterator[tuple[str, str, dict[str, int]]]:
    """(Kafka's address, the database server's, {"kafka": pid} if it is ours)."""
    named = [os.environ.get(name) for name in NAMED]
    if named[0] and named[1] and not own:
        yield named[0], named[1], {}
        return
    home = Path(folder) / "parts"
    with parts.running(home) as started:
        broker = {"kafka": int(json.loads((home / "parts.json").read_text())["kafka"]["pid"])}
        yield started.kafka_bootstrap, started.database_url, broker


def _stop(product: Product) -> None:
    """End it, by force if it does not go, and the database that it may have left behind."""
    try:
        product.stop()
    except subprocess.TimeoutExpired:
        product.kill()
    left = product.data_dir / "postgres" / "data" / "postmaster.pid"
    if left.exists():
        stop_database(Embedded("", int(left.read_text().split()[0])))
