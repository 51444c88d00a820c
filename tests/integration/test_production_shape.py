"""The main job on real parts: Kafka and TimescaleDB, each service its own process."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.topics import INBOX
from tests.conftest import DATA
from tests.shape import ROOT, Shape
from tests.waiting import until

METR_LA = DATA / "series" / "metr_la_week_speed_mph.csv.gz"
METRO = DATA / "series" / "metro_interstate_traffic_volume.csv.gz"
BEIJING = DATA / "series" / "beijing_air_12stations_2013_2017.csv.gz"
SENSOR = "shape-gas-1"
DEAR = 2.0  # seconds between two looks into hundreds of chunks: they take from what is waited for


def poster(shape: Shape) -> httpx.Client:
    headers = {"Authorization": f"Bearer {shape.credentials['api_key']}"}
    return httpx.Client(base_url=shape.url("gateway"), headers=headers, timeout=20)


def count(shape: Shape, where: str) -> int:
    with psycopg.connect(shape.database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM ingest.readings WHERE {where}").fetchone()
        return int(row[0]) if row else 0


def quarantined(shape: Shape, code: str, sensor: str) -> int:
    query = "SELECT count(*) FROM ingest.quarantine WHERE code = %s AND item::text LIKE %s"
    with psycopg.connect(shape.database_url) as connection:
        row = connection.execute(query, (code, f"%{sensor}%")).fetchone()
        return int(row[0]) if row else 0


async def test_a_reading_produced_to_kafka_opens_an_incident(shape: Shape) -> None:
    with poster(shape) as client:
        sensor = {"metrics": ["gas.concentration"], "location": {"lon": 112.48, "lat": 23.08}}
        assert client.put(f"/v1/sensors/{SENSOR}", json=sensor).is_success
    reading = {
        "sensor_id": SENSOR,
        "metric": "gas.concentration",
        "observed_at": datetime.now(UTC).isoformat(),
        "value": 61.5,
    }
    producer = AIOKafkaProducer(bootstrap_servers=shape.kafka_bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(
        INBOX,
        json.dumps(reading).encode(),
        key=SENSOR.encode(),
        headers=[("yiwang-key", shape.credentials["api_key"].encode())],
    )
    await producer.stop()
    assert until(lambda: count(shape, f"sensor_id = '{SENSOR}'") == 1, 30)
    assert until(lambda: SENSOR in incidents(shape), 30)


STARTED = datetime.now(UTC)


def incidents(shape: Shape) -> set[str]:
    headers = {"Authorization": f"Bearer {shape.credentials['screen_token']}"}
    # Other tests have left readings in the same Kafka: their incidents open in the same moment.
    wanted = {"priority": "1", "opened_from": STARTED.isoformat(), "limit": "500"}
    answer = httpx.get(f"{shape.url('alerts')}/v1/incidents", headers=headers, params=wanted)
    return {subject for item in answer.json()["items"] for subject in item["subjects"]}


def replay(shape: Shape, file: Path, mapping: str, *more: str) -> dict[str, object]:
    """Runs the simulator's replay as a person would; returns its closing JSON line."""
    if not file.exists():
        pytest.skip(f"recorded data is not here: {file.name}")
    command = [
        sys.executable, "-m", "services.simulator", "replay", str(file),
        "--mapping", str(ROOT / "services" / "simulator" / "mappings" / f"{mapping}.yaml"),
        "--speed", "max", "--url", shape.url("gateway"), "--key", shape.credentials["api_key"],
        *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return summary


def test_metr_la_ends_with_exactly_417312_rows_twice(shape: Shape) -> None:
    mine = "metric = 'traffic.speed' AND observed_at < '2012-06-01'"
    for _ in range(2):
        replay(shape, METR_LA, "metr_la_week")
        assert until(lambda: count(shape, mine) == 417_312, 120, DEAR), count(shape, mine)
    assert quarantined(shape, "conflict", "metr-") == 0  # other tests' readings conflict


def test_metro_interstate_repeats_conflicts_and_impossible_values(shape: Shape) -> None:
    summary = replay(shape, METRO, "metro_interstate")
    flow = "metric = 'traffic.flow' AND observed_at < '2019-01-01'"
    assert until(lambda: count(shape, flow) == 40_575, 120, DEAR), count(shape, flow)
    rejected = summary["rejected"]
    assert isinstance(rejected, dict)
    assert rejected["out_of_range"] == 11  # temp = 0 K ten times, rain 9831 mm once
    assert until(lambda: quarantined(shape, "conflict", "metro") > 0, 60)


def test_beijing_missing_values_are_neither_rows_nor_errors(shape: Shape) -> None:
    summary = replay(shape, BEIJING, "beijing_air", "--until", "2013-05-01T00:00:00+08:00")
    assert summary["missing"]
    where = "metric IN ('air.pm25', 'air.no2') AND observed_at < '2014-01-01'"
    assert until(lambda: count(shape, where) > 0, 60)
    assert not summary["rejected"]
