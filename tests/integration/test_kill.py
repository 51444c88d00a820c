"""Law 1 and 2 under `kill -9`: no reading that got a 202 is missing, none is double."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.product import Product
from tests.waiting import until

SENSORS = [f"kill-{number:02}" for number in range(20)]
Key = tuple[str, datetime]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    running = Product(tmp_path / "data").start()
    with running.client() as client:
        sensors = [{"sensor_id": name, "metrics": ["traffic.speed"]} for name in SENSORS]
        assert client.post("/v1/sensors", json=sensors).is_success
    yield running
    running.stop()


class Poster(threading.Thread):
    """Posts batches of 50 one after the other; repeats each until it is acknowledged."""

    def __init__(self, product: Product, batches: int) -> None:
        super().__init__()
        self.product = product
        self.batches = batches
        self.acknowledged: set[Key] = set()
        self.start_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=20)

    def has_reached(self, goal: int) -> bool:
        return len(self.acknowledged) >= goal or not self.is_alive()

    def run(self) -> None:
        with self.product.client() as client:
            for number in range(self.batches):
                keys = [self._key(number * 50 + item) for item in range(50)]
                while not self._post(client, keys):
                    time.sleep(0.05)
                self.acknowledged.update(keys)

    def _key(self, number: int) -> Key:
        sensor = SENSORS[number % len(SENSORS)]
        return sensor, self.start_at + timedelta(seconds=number // len(SENSORS))

    def _post(self, client: httpx.Client, keys: list[Key]) -> bool:
        items = [
            {
                "sensor_id": sensor,
                "metric": "traffic.speed",
                "observed_at": moment.isoformat(),
                "value": 40 + moment.second / 10,
            }
            for sensor, moment in keys
        ]
        try:
            answer = client.post("/v1/readings", json=items)
        except httpx.HTTPError:
            return False
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202


def stored(product: Product) -> list[Key]:
    with psycopg.connect(product.database_url()) as connection:
        query = "SELECT sensor_id, observed_at FROM ingest.readings WHERE sensor_id LIKE 'kill-%'"
        return [(row[0], row[1]) for row in connection.execute(query)]


def kill_database(product: Product) -> None:
    pid = int((product.data_dir / "postgres/data/postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("with_database", [False, True], ids=["process", "process-and-database"])
def test_kill_9_loses_nothing_and_doubles_nothing(product: Product, with_database: bool) -> None:
    poster = Poster(product, batches=400)
    poster.start()
    chance = random.Random(441200)
    for _ in range(3):
        seen = len(poster.acknowledged)
        target = seen + chance.randint(1_000, 4_000)
        until(partial(poster.has_reached, target), 60)
        product.kill()
        if with_database:
            kill_database(product)
        product.start()
    poster.join(120)
    assert len(poster.acknowledged) == 400 * 50
    assert until(lambda: len(stored(product)) >= len(poster.acknowledged), 60)
    rows = stored(product)
    assert len(rows) == len(set(rows))
    assert set(rows) == poster.acknowledged


def test_a_second_city_on_the_same_data_is_refused(product: Product) -> None:
    second = Product(product.data_dir)
    with pytest.raises(AssertionError, match="in use by process"):
        second.start()


def test_it_drains_on_sigterm_and_finds_its_data_again(product: Product) -> None:
    started = time.monotonic()
    assert product.stop() == 0
    assert time.monotonic() - started < 10
    pid_file = product.data_dir / "postgres/data/postmaster.pid"
    assert not pid_file.exists()
    product.start()
    with product.client() as client:
        assert client.get(f"/v1/sensors/{SENSORS[0]}").status_code == 200
