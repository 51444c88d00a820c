"""The MQTT subscriber on a real broker: acknowledged means durable."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.app import build_mqtt
from shared.contracts.reading import decode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import EventLog
from shared.runtime import Context
from shared.settings import Settings
from shared.store.embedded import free_port
from tests.integration.cities import SENSOR, City, city
from tests.integration.mosquitto import Broker
from tests.integration.people import actors
from tests.integration.set_aside import do, listed, written
from tests.waiting import eventually

TOPIC = f"city/{SENSOR}/traffic.speed"
ROOT = Path(__file__).parents[2]
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)  # a test's own choice


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path / "mosquitto").start()
    yield started
    started.end()


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        await actors(engine)
        made.client.headers["Authorization"] = "Bearer t-admin"
        yield made


@asynccontextmanager
async def subscribed(home: City, broker: Broker, **more: Any) -> AsyncIterator[None]:
    """The subscriber in this process, connected."""
    settings = Settings(mqtt_url=broker.url, mqtt_key="t-key", **more)
    context = Context(settings, home.context.database_url, home.context.engine,
                      home.context.log, home.context.clock)  # fmt: skip
    service = await build_mqtt(context)
    stop = asyncio.Event()
    job = asyncio.ensure_future(service.jobs["ingest-mqtt"](stop))

    async def ready() -> bool:
        return job.done() or await service.checks["mqtt"]() is None

    assert await eventually(ready, 10) and not job.done()
    yield
    stop.set()
    await asyncio.wait_for(job, 10)


def payload(minute: int, value: object) -> str:
    return json.dumps({"observed_at": f"2026-05-01T07:{minute:02d}:00Z", "value": value})


async def quarantined(home: City, count: int) -> list[dict[str, Any]]:
    async def enough() -> bool:
        return len(await listed(home)) >= count

    assert await eventually(enough, 10)
    return await listed(home)


async def taken(home: City, count: int) -> list[Any]:
    async def enough() -> bool:
        return len(await logged(home.context.log)) >= count

    assert await eventually(enough, 10)
    return await logged(home.context.log)


async def logged(log: EventLog) -> list[Any]:
    async with log.read(READINGS, {}) as reader:
        records = await reader.batch(100_000, 0)
    return [item for record in records for item in decode_batch(record.value).items]


@pytest.mark.parametrize(
    "more", [{}, {"mqtt_version": "3.1.1"}, {"mqtt_group": "ingest"}], ids=["5", "3.1.1", "shared"]
)
async def test_what_devices_send_is_stored(
    home: City, broker: Broker, more: dict[str, Any]
) -> None:
    async with subscribed(home, broker, **more), broker.client() as device:
        await device.publish(TOPIC, payload(1, 41), qos=1)
        await device.publish(TOPIC, "42.5", qos=1)
        await device.publish(TOPIC, payload(2, 43), qos=0)
        await device.publish(
            "city/any/thing",
            json.dumps({"sensor_id": SENSOR, "metric": "traffic.speed",
                        "observed_at": "2026-05-01T07:03:00Z", "value": 44}), qos=1,
        )  # fmt: skip
        found = await taken(home, 4)
    assert sorted(item.value for item in found) == [41, 42.5, 43, 44]
    assert len(await written(home)) == 4


async def test_what_is_refused_waits_in_quarantine(home: City, broker: Broker) -> None:
    async with subscribed(home, broker), broker.client() as device:
        for topic, body in (
            ("city/bus-9/traffic.speed", payload(1, 30)), (TOPIC, "ON"), (TOPIC, payload(2, 900)),
            (TOPIC, b"\xff\x00"), (TOPIC, json.dumps({"id": "bus-9", "type": "Bus", "speed": 30,
                                                      "dateObserved": "2026-05-01T07:09:00Z"})),
        ):  # fmt: skip
            await device.publish(topic, body, qos=1)
        items = await quarantined(home, 5)
    codes = sorted(item["code"] for item in items)
    assert codes == ["invalid_type", "invalid_type", "out_of_range", "unknown_metric",
                     "unknown_sensor"]  # fmt: skip
    assert {(item["source"], item["format"]) for item in items} == {("key", "mqtt")}
    mapping = {"sensors": {"bus-9": SENSOR}, "metrics": {"speed": {"metric": "traffic.speed"}}}
    for door in ("mqtt", "ngsi"):
        await home.client.put(f"/v1/doors/{door}/mapping", json=mapping)
    assert (await do(home, "replay", filter={"format": "mqtt"}))["done"] == 2
    assert await written(home) == [(30,), (30,)]


async def test_an_old_value_without_a_time_is_no_news(home: City, broker: Broker) -> None:
    async with broker.client() as device:
        await device.publish(TOPIC, "13", qos=1, retain=True)
        await device.publish("city/x/y", payload(1, 1), qos=1, retain=True)
    async with subscribed(home, broker):
        (item,) = await quarantined(home, 1)
    assert item["code"] == "unknown_sensor"
    assert await logged(home.context.log) == []


class Process:
    """`python -m services.ingest mqtt`."""

    def __init__(self, folder: Path, database_url: str, broker: Broker) -> None:
        self.port = free_port()
        self._log = folder / "subscriber.log"
        own = {"DATABASE_URL": database_url, "DATA_DIR": str(folder), "PORT": str(self.port),
               "MQTT_URL": broker.url, "MQTT_KEY": "t-key"}  # fmt: skip
        self._environment = os.environ | {f"YIWANG_{name}": value for name, value in own.items()}
        self._environment.pop("YIWANG_KAFKA_BOOTSTRAP", None)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.ingest", "mqtt"],
                cwd=ROOT, env=self._environment, stdout=sink, stderr=sink,
            )  # fmt: skip
        assert await eventually(self.ready, 60), self._log.read_text()[-3000:]

    async def ready(self) -> bool:
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2)
                return answer.status_code == 200
        return False

    def end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(90)


async def test_nothing_acknowledged_is_lost(
    home: City, broker: Broker, tmp_path: Path, database_url: str
) -> None:
    """Killed subscriber, restarted broker, and a device that repeats what was not acknowledged."""
    process = Process(tmp_path, database_url, broker)
    sent = 0

    async def send(count: int) -> None:
        nonlocal sent
        while count:
            with suppress(aiomqtt.MqttError):
                async with broker.client() as device:
                    while count:
                        moment = (START + timedelta(seconds=sent)).isoformat()
                        body = json.dumps({"observed_at": moment, "value": 40})
                        await device.publish(TOPIC, body, qos=1)
                        sent, count = sent + 1, count - 1

    async def all_there() -> bool:
        return len({item.observed_us for item in await logged(home.context.log)}) == sent

    try:
        await process.start()
        sending = asyncio.create_task(send(400))
        await taken(home, 20)
        process.end(signal.SIGKILL)
        await sending
        await process.start()
        sending = asyncio.create_task(send(200))
        await taken(home, 450)
        broker.end()
        broker.start()
        await sending
        assert await eventually(all_there, 60), (sent, len(await logged(home.context.log)))
    finally:
        process.end(signal.SIGTERM)
    assert sent == 600
    async with home.context.engine.connect() as connection:
        rows = await connection.execute(text("SELECT count(*) FROM ingest.quarantine"))
        assert rows.scalar_one() == 0
