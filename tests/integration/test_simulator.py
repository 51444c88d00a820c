"""The simulator against the real product and a real Kafka."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer

from services.simulator.kafka_sender import KafkaSender
from services.simulator.records import Reading
from shared.contracts.topics import INBOX
from shared.eventlog.kafka import KafkaLog
from tests.product import ROOT, Product
from tests.waiting import until

SENSORS, ROWS = 60, 1000
MAPPING = """
title: Made up
source: this test
time: {column: at, zone: "+08:00"}
sensor: {header: true, prefix: made-}
columns: {"*": {metric: noise.level}}
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("simulated")).start()
    yield running
    running.stop()


def command(product: Product, *arguments: str) -> list[str]:
    return [
        sys.executable, "-m", "services.simulator", *arguments,
        "--url", product.url, "--key", product.credentials["api_key"],
    ]  # fmt: skip


def recorded(folder: Path) -> Path:
    """A wide file of `SENSORS` times `ROWS` readings, and its mapping."""
    (folder / "made.yaml").write_text(MAPPING)
    begin = datetime(2024, 5, 1)  # noqa: DTZ001
    with (folder / "made.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["at", *range(SENSORS)])
        for row in range(ROWS):
            at = begin + timedelta(minutes=row)
            writer.writerow([at, *(40 + (row * 7 + n) % 30 for n in range(SENSORS))])
    return folder / "made.csv"


def rows(product: Product, where: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(product.database_url()) as connection:
        query = f"SELECT sensor_id, metric, observed_at FROM ingest.readings WHERE {where}"
        return connection.execute(query).fetchall()


def test_a_killed_server_only_pauses_a_replay(product: Product, tmp_path: Path) -> None:
    file, receipts = recorded(tmp_path), tmp_path / "receipts"
    arguments = command(
        product, "replay", str(file), "--mapping", str(tmp_path / "made.yaml"), "--batch", "100",
        "--receipts", str(receipts), "--resume-file", str(tmp_path / "resume"),
    )  # fmt: skip
    with (tmp_path / "out").open("w") as out:
        replay = subprocess.Popen(arguments, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    some = 20
    assert until(lambda: receipts.exists() and receipts.read_bytes().count(b"\n") > some, 60)
    product.kill()
    product.start()
    assert replay.wait(120) == 0, (tmp_path / "out").read_text()
    summary = json.loads((tmp_path / "out").read_text().splitlines()[-1])
    assert summary["complete"] and not summary["rejected"]
    assert summary["retries"] > 0
    everything = "sensor_id LIKE 'made-%'"
    assert until(lambda: len(rows(product, everything)) >= SENSORS * ROWS, 60)
    stored = {(s, m, at.astimezone(UTC).isoformat()) for s, m, at in rows(product, everything)}
    assert len(stored) == len(rows(product, everything)) == SENSORS * ROWS
    lines = [json.loads(line) for line in receipts.read_text().splitlines()]
    assert {tuple(item) for line in lines for item in line["items"]} == stored


def test_a_gas_leak_of_the_simulated_city_becomes_an_incident(product: Product) -> None:
    arguments = command(
        product, "city", "--scenario", "gas-leak", "--at", "30", "--duration", "120",
        "--speed", "1000", "--run-for", "180",
    )  # fmt: skip
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    def subjects() -> set[str]:
        with product.client() as client:
            items = client.get("/v1/incidents").json()["items"]
        return {subject for item in items for subject in item["subjects"] if not item["historical"]}

    assert until(lambda: any(name.startswith("sim-gs-") for name in subjects()), 30), subjects()
    assert not [name for name in subjects() if not name.startswith("sim-gs-")]


def test_a_signal_ends_the_city_cleanly(product: Product, tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("w") as sink:
        city = subprocess.Popen(command(product, "city"), cwd=ROOT, stdout=sink, stderr=sink)
    assert until(lambda: "registered" in said.read_text(), 30)
    city.send_signal(signal.SIGTERM)
    assert city.wait(90) == 0
    assert "simulated until" in said.read_text()


async def test_the_inbox_gets_a_record_for_each_sensor_with_the_key(kafka_bootstrap: str) -> None:
    await (await KafkaLog(kafka_bootstrap).open()).close()  # makes the topics
    sender = KafkaSender(kafka_bootstrap, "yw_key_test")
    at = datetime(2026, 5, 1, tzinfo=UTC)
    batch = [
        Reading(f"kafka-{n % 2}", "noise.level", at + timedelta(seconds=n), 50.0 + n)
        for n in range(6)
    ]
    answer = await sender.send(batch)
    assert answer.accepted == 6 and answer.receipt
    consumer = AIOKafkaConsumer(
        INBOX, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[bytes, list[Any]] = {}
    while len(found) < 2:
        record = await consumer.getone()
        if record.key is not None and record.key.startswith(b"kafka-"):
            assert dict(record.headers)["yiwang-key"] == b"yw_key_test"
            found[record.key] = json.loads(record.value)
    await consumer.stop()
    await sender.close()
    assert [item["value"] for item in found[b"kafka-0"]] == [50, 52, 54]
    assert found[b"kafka-1"][0] == {
        "sensor_id": "kafka-1", "metric": "noise.level",
        "observed_at": "2026-05-01T00:00:01Z", "value": 51.0,
    }  # fmt: skip
