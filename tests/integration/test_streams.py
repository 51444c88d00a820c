"""NDJSON as it really comes: over a socket, slowly, broken off, over quota."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.clock import system_clock
from tests.product import Product
from tests.waiting import until


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city")).start()
    with made.client() as client:
        body = {"metrics": ["water.level"]}
        assert client.put("/v1/sensors/gauge-1", json=body).status_code == 200
    yield made
    made.stop()


def line(value: float, moment: datetime) -> bytes:
    reading = {"sensor_id": "gauge-1", "metric": "water.level", "value": value,
               "observed_at": moment.astimezone(UTC).isoformat()}  # fmt: skip
    return json.dumps(reading).encode() + b"\n"


def stored(product: Product, value: float) -> int:
    with psycopg.connect(product.database_url()) as connection:
        row = connection.execute(
            "SELECT count(*) FROM ingest.readings WHERE sensor_id = 'gauge-1' AND value = %s",
            [value],
        ).fetchone()
    return 0 if row is None else int(row[0])


def begun(product: Product, data: bytes) -> socket.socket:
    """A request whose body is under way."""
    head = (
        "POST /v1/readings HTTP/1.1\r\nHost: city\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/x-ndjson\r\n"
        f"Authorization: Bearer {product.credentials['api_key']}\r\n\r\n"
    )
    made = socket.create_connection(("127.0.0.1", product.port), timeout=20)
    made.sendall(head.encode() + b"%x\r\n%s\r\n" % (len(data), data))
    return made


def test_a_stream_that_pauses_is_stored_before_its_end(product: Product) -> None:
    now = system_clock()
    with begun(product, line(1.25, now)) as made:
        assert until(lambda: stored(product, 1.25) == 1, 20)
        more = line(1.5, now + timedelta(seconds=1))
        made.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(more), more))
        answer = b""
        while b"rejected" not in answer and (part := made.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 202") and b'"accepted":2' in answer


def test_a_sender_that_hangs_up_leaves_what_was_durable_and_may_repeat(product: Product) -> None:
    now = system_clock()
    whole, half = line(2.25, now), line(2.5, now + timedelta(seconds=1))
    with begun(product, whole + half[:-20]):
        assert until(lambda: stored(product, 2.25) == 1, 20)
    with product.client() as client:
        headers = {"Content-Type": "application/x-ndjson"}
        answer = client.post("/v1/readings", content=whole + half, headers=headers)
        assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert until(lambda: stored(product, 2.5) == 1, 20)
    assert stored(product, 2.25) == 1


def test_a_stream_over_its_quota_waits_instead_of_being_refused(product: Product) -> None:
    with psycopg.connect(product.database_url(), autocommit=True) as connection:
        connection.execute(
            "UPDATE ingest.api_keys SET readings_per_second = 2000, readings_burst = 100"
        )
    with product.client() as client:

        def limited() -> bool:
            answer = client.get("/v1/metrics")
            posted = client.post("/v1/readings", json={})
            return answer.status_code == 200 and "q=100" in posted.headers["ratelimit-policy"]

        assert until(limited, 20)
        now = system_clock()
        body = b"".join(line(3.5, now - timedelta(seconds=n)) for n in range(300))
        headers = {"Content-Type": "application/x-ndjson"}
        answer = client.post("/v1/readings", content=body, headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 300)
