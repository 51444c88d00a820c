"""One trace from the sender's own span to the paint, over processes, Kafka and the database."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from examples import live
from examples.live import LiveClient
from shared.contracts.topics import INBOX
from tests.collector import Collector, Told, collecting
from tests.product import Product
from tests.scratch import fresh_city
from tests.shape import Shape
from tests.waiting import eventually

SECONDS = 60.0
SENSOR = "traced-1"
WAY = {"gateway: POST", "writer: store", "alerts: judge", "ops_center: picture",
       "ops_center: send", "wall: paint"}  # fmt: skip


@pytest.fixture(autouse=True)
def every_paint_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAINTED_SECONDS", 0.0)


def reading() -> dict[str, object]:
    return {
        "sensor_id": SENSOR, "metric": "gas.concentration", "value": 5.5,
        "observed_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip


def register(client: httpx.Client) -> None:
    sensor = {"metrics": ["gas.concentration"], "location": {"lon": 112.48, "lat": 23.08}}
    assert client.put(f"/v1/sensors/{SENSOR}", json=sensor).is_success


def holds_together(spans: dict[str, Told], first: str, parent: str) -> None:
    """Everything is below the first span, which is below the sender's; nothing ends early."""
    assert spans[first].parent == parent
    for name, span in spans.items():
        assert span.start <= span.end
        assert name == first or span.parent == spans[first].own
    assert spans["ops_center: picture"].end == spans["ops_center: send"].start
    assert spans["ops_center: send"].end == spans["wall: paint"].start


async def watched(address: str, token: str) -> "asyncio.Task[None]":
    """A wall that says what it has painted, once it has its snapshot."""
    client = LiveClient([f"{address.replace('http', 'ws')}/v1/live"], token)
    running = asyncio.create_task(client.run())

    async def shown() -> bool:
        return (SENSOR, "gas.concentration") in client.picture.series

    assert await eventually(shown, SECONDS)
    return running


async def ended(running: "asyncio.Task[None]") -> None:
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def arrived(collector: Collector, trace: str, way: set[str]) -> dict[str, Told]:
    async def whole() -> bool:
        return collector.of(trace).keys() >= way

    assert await eventually(whole, SECONDS), collector.of(trace)
    return collector.of(trace)


async def posted(client: httpx.Client, collector: Collector, count: int) -> None:
    """A sender that has a trace of its own, in each way that a POST may take."""
    trace, span = token_hex(16), token_hex(8)
    context = {"traceparent": f"00-{trace}-{span}-01"}
    items = [reading() for _ in range(count)]
    answer = client.post("/v1/readings", json=items, headers=context)
    assert answer.status_code == 202, answer.text
    holds_together(await arrived(collector, trace, WAY), "gateway: POST", span)


async def test_a_trace_leads_from_the_sender_to_the_paint(tmp_path: Path) -> None:
    with collecting() as collector:
        product = Product(tmp_path, {"TRACES_URL": collector.url, "TRACES_RATIO": "1"}).start()
        try:
            with product.client() as client:
                register(client)
                wall = await watched(product.url, product.credentials["screen_token"])
                await posted(client, collector, 1)  # the prompt way
                await posted(client, collector, 1_500)  # records of its own
                await ended(wall)
        finally:
            product.stop()


async def test_without_a_collector_nothing_changes_but_the_log(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/v1/traces"
    product = Product(tmp_path, {"TRACES_URL": url, "TRACES_RATIO": "1"}).start()
    try:
        with product.client() as client:
            register(client)
            for _ in range(20):
                assert client.post("/v1/readings", json=reading()).status_code == 202
    finally:
        assert product.stop() == 0


async def test_it_leads_through_kafka_and_every_process(
    tmp_path: Path, database_server: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("YIWANG_TRACES_URL", collector.url)
        monkeypatch.setenv("YIWANG_TRACES_RATIO", "1")
        with fresh_city(tmp_path / "shape", database_server, kafka_bootstrap) as shape:
            await _through_kafka(shape, collector)


async def _through_kafka(shape: Shape, collector: Collector) -> None:
    headers = {"Authorization": f"Bearer {shape.credentials['api_key']}"}
    with httpx.Client(base_url=shape.url("gateway"), headers=headers, timeout=20) as client:
        register(client)
        wall = await watched(shape.url("ops_center"), shape.credentials["screen_token"])
        await posted(client, collector, 1)
    trace, span = token_hex(16), token_hex(8)
    producer = AIOKafkaProducer(bootstrap_servers=shape.kafka_bootstrap)
    await producer.start()
    context = ("traceparent", f"00-{trace}-{span}-01".encode())
    body = json.dumps(reading()).encode()
    await producer.send_and_wait(INBOX, body, headers=[context])
    await producer.stop()
    way = WAY - {"gateway: POST"} | {"normaliser: inbox"}
    holds_together(await arrived(collector, trace, way), "normaliser: inbox", span)
    await ended(wall)
