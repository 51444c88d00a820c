"""The product under load: embedded, or in production's shape on real parts."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import parts
from tests.conftest import drop_database, scratch_database
from tests.product import Product
from tests.shape import production


@dataclass(frozen=True)
class Target:
    """Where to post, where to look. `wall`: base address of ops_center."""

    port: int
    wall: str
    database_url: str
    api_key: str
    screen_token: str

    @property
    def url(self) -> str:
        """Base address of the gateway."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def embedded() -> Iterator[Target]:
    """`python -m services`: one process, the embedded database and event log."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        product = Product(Path(folder) / "data").start()
        try:
            known = product.credentials
            yield Target(
                product.port,
                product.url,
                product.database_url(),
                known["api_key"],
                known["screen_token"],
            )
        finally:
            product.stop()


@contextmanager
def kafka() -> Iterator[Target]:
    """Real Kafka and TimescaleDB, each service its own process."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder, _parts(folder) as addresses:
        bootstrap, server = addresses
        name, url = scratch_database(server)
        try:
            with production(Path(folder) / "data", url, bootstrap) as shape:
                known = shape.credentials
                yield Target(
                    shape.ports["gateway"],
                    shape.url("ops_center"),
                    url,
                    known["api_key"],
                    known["screen_token"],
                )
        finally:
            drop_database(server, name)


@contextmanager
def _parts(folder: str) -> Iterator[tuple[str, str]]:
    named = (
        os.environ.get("YIWANG_TEST_KAFKA_BOOTSTRAP"),
        os.environ.get("YIWANG_TEST_DATABASE_URL"),
    )
    if named[0] and named[1]:
        yield named[0], named[1]
        return
    with parts.running(Path(folder) / "parts") as started:
        yield started.kafka_bootstrap, started.database_url
