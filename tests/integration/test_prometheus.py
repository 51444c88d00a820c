"""The alerts that are shipped, in the real Prometheus, on the product as it runs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import httpx
import psycopg
import pytest

from tests.product import Product
from tests.prometheus import Prometheus, prometheus
from tests.waiting import until

SECONDS = 60.0


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city"), {"SIMULATOR": "on"}).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory, product: Product) -> Iterator[Prometheus]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, [f"127.0.0.1:{product.port}"]) as running:
        yield running


def test_what_is_served_is_as_prometheus_wants_it(product: Product) -> None:
    program = which("promtool")
    if program is None:
        pytest.skip("NO PROMTOOL: Debian's package `prometheus` is not installed")
    served = httpx.get(f"{product.url}/metrics").text
    done = subprocess.run(
        [program, "check", "metrics"], input=served, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "", "")


def test_a_city_that_is_well_is_quiet(watching: Prometheus) -> None:
    consumed = 'count(yiwang_consumed_to_timestamp_seconds{group=~"writer|alerts|picture"})'
    assert until(lambda: (watching.value(consumed) or 0) >= 12, SECONDS)
    assert until(lambda: all(rule["health"] == "ok" for rule in watching.rules()), SECONDS)
    assert watching.firing() == set()


def test_a_backup_that_nobody_receives_any_more_is_told(
    product: Product, watching: Prometheus
) -> None:
    with psycopg.connect(product.database_url(), autocommit=True) as connection:
        connection.execute("SELECT pg_create_physical_replication_slot('yiwang_backup', true)")
        assert until(lambda: "YiwangBackupStopped" in watching.firing(), SECONDS)
        connection.execute("SELECT pg_drop_replication_slot('yiwang_backup')")
    assert until(lambda: "YiwangBackupStopped" not in watching.firing(), SECONDS)


def test_a_process_that_is_gone_is_told(product: Product, watching: Prometheus) -> None:
    product.stop()
    assert until(lambda: "YiwangProcessDown" in watching.firing(), SECONDS)
