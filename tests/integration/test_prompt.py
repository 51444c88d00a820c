"""The prompt way of `POST /v1/readings`, over sockets: it answers as the ordinary way does, and
leaves to it whatever is not plain."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import system_clock
from tests.product import Product
from tests.waiting import until

PLAIN = {"Content-Type": "application/json"}
ORDINARY = {"Content-Type": "application/json; charset=utf-8"}  # not plain: never the prompt way
BEGUN = system_clock().replace(microsecond=0)
VARIABLE = re.compile(
    rb'"receipt":"[^"]+"|date: [^\r]+|r=\d+;t=\d+|content-length: \d+|\d+ s ahead|retry-after: \d+'
    rb'|"retry_after_seconds":\d+'
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city")).start()
    with made.client() as client:
        body = {"metrics": ["water.level"]}
        assert client.put("/v1/sensors/gauge-1", json=body).status_code == 200
    yield made
    made.stop()


def reading(value: object, second: int = 0, sensor: str = "gauge-1") -> dict[str, object]:
    moment = BEGUN - timedelta(seconds=second)
    return {"sensor_id": sensor, "metric": "water.level", "value": value,
            "observed_at": moment.isoformat()}  # fmt: skip


def request(product: Product, body: bytes, headers: dict[str, str], key: str = "") -> bytes:
    token = key or product.credentials["api_key"]
    lines = {"Host": "city", "Authorization": f"Bearer {token}", "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
    return b"POST /v1/readings HTTP/1.1\r\n" + head.encode() + b"\r\n" + body


def connected(product: Product) -> socket.socket:
    return socket.create_connection(("127.0.0.1", product.port), timeout=20)


def answers(made: socket.socket, number: int) -> list[bytes]:
    """The next answers on a connection, whole."""
    data = b""
    found: list[bytes] = []
    while len(found) < number:
        head, gap, rest = data.partition(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", head) if gap else None
        if size is not None and len(rest) >= int(size[1]):
            found.append(head + gap + rest[: int(size[1])])
            data = rest[int(size[1]) :]
            continue
        part = made.recv(65536)
        assert part, (found, data)
        data += part
    assert not data
    return found


def asked(product: Product, *requests: bytes) -> list[bytes]:
    with connected(product) as made:
        made.sendall(b"".join(requests))
        return answers(made, len(requests))


BODIES = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda items, alone: json.dumps(items[0] if alone and items else items).encode(),
        st.lists(
            st.builds(
                reading,
                st.one_of(st.floats(0, 5), st.sampled_from([99999.0, "4", None, True, [1]])),
                st.integers(0, 10_000),
                st.sampled_from(["gauge-1", "gauge-1", "nobody", "", "ä"]),
            ),
            max_size=4,
        ),
        st.booleans(),
    ),
)


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(body=BODIES)
def test_both_ways_answer_alike(product: Product, body: bytes) -> None:
    plain, ordinary = (
        asked(product, request(product, body, headers))[0] for headers in (PLAIN, ORDINARY)
    )
    assert _shape(plain) == _shape(ordinary)


def _shape(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Status line, headers in any order, body; without what differs from time to time."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *headers = VARIABLE.sub(b"", head).split(b"\r\n")
    return line, sorted(headers), VARIABLE.sub(b"", body)


def test_requests_that_come_at_once_are_answered_in_their_order(product: Product) -> None:
    bodies = [json.dumps([reading(1.0, n), *[reading(1.0, n, "nobody")] * n]).encode()
              for n in range(8)]  # fmt: skip
    ways = [PLAIN, ORDINARY, PLAIN, PLAIN, ORDINARY, ORDINARY, PLAIN, PLAIN]
    found = asked(product, *(request(product, *each) for each in zip(bodies, ways, strict=True)))
    assert [answer.count(b"unknown_sensor") for answer in found] == list(range(8))


@pytest.mark.parametrize("cut", [1, 25, 60, -30, -1])
def test_a_request_in_two_pieces_is_one_request(product: Product, cut: int) -> None:
    whole = request(product, json.dumps(reading(2.0, 20)).encode(), PLAIN)
    with connected(product) as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sendall(whole[:cut])
        # The first piece has been read once another connection's request is answered.
        assert asked(product, whole)[0].startswith(b"HTTP/1.1 202")
        made.sendall(whole[cut:])
        assert answers(made, 1)[0].startswith(b"HTTP/1.1 202")


def test_a_key_that_is_not_known_or_may_not_post_is_refused(product: Product) -> None:
    body = json.dumps(reading(1.0)).encode()
    [unknown] = asked(product, request(product, body, PLAIN, key="made-up-key-of-some-length"))
    assert unknown.startswith(b"HTTP/1.1 401") and b"problem+json" in unknown
    screen = product.credentials["screen_token"]
    for _ in range(2):  # the second time it is remembered
        [refused] = asked(product, request(product, body, PLAIN, key=screen))
        assert refused.startswith(b"HTTP/1.1 403")


def test_over_quota_is_refused_alike_and_slowly_for_who_insists(product: Product) -> None:
    with httpx.Client(base_url=product.url, timeout=20) as client:
        token = client.post("/v1/session", json=product.credentials["admin"]).json()["token"]
        wanted = {"name": "small", "quota": {"readings_per_second": 0.01, "readings_burst": 1}}
        made = client.post("/v1/keys", json=wanted, headers={"Authorization": f"Bearer {token}"})
    key, body = made.json()["token"], json.dumps(reading(3.5)).encode()
    plain, ordinary = (request(product, body, headers, key) for headers in (PLAIN, ORDINARY))
    assert asked(product, ordinary)[0].startswith(b"HTTP/1.1 202")
    for _ in range(15):  # 30 in a second are more than are answered at once
        [prompt], [slow] = asked(product, plain), asked(product, ordinary)
        assert prompt.startswith(b"HTTP/1.1 429") and b"retry-after: " in prompt
        assert _shape(prompt) == _shape(slow)


def test_who_does_not_read_his_answers_is_not_answered_without_bound(product: Product) -> None:
    """His requests are stored, until his connection takes no more answers; others go on."""
    one = request(product, json.dumps(reading(3.0, 30)).encode(), PLAIN)
    with connected(product) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(2)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 2**28:
                sent += deaf.send(one * 100)
        assert asked(product, one)[0].startswith(b"HTTP/1.1 202")


def test_every_202_is_a_row_when_the_product_is_told_to_stop(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    product = Product(tmp_path_factory.mktemp("stopped")).start()
    with product.client() as client:
        client.put("/v1/sensors/gauge-1", json={"metrics": ["water.level"]})
    accepted = 0
    with connected(product) as made:
        made.settimeout(20)
        for number in range(200):
            if number == 100:
                assert product.process is not None
                product.process.terminate()
            try:
                body = json.dumps(reading(4.0, number)).encode()
                made.sendall(request(product, body, PLAIN))
                accepted += answers(made, 1)[0].startswith(b"HTTP/1.1 202")
            except (OSError, AssertionError):  # the connection has been closed
                break
    product.stop()
    assert accepted >= 100
    product.start()
    try:
        assert until(lambda: _rows(product) >= accepted, 30)
        assert _rows(product) <= accepted + 1
    finally:
        product.stop()


def _rows(product: Product) -> int:
    with psycopg.connect(product.database_url()) as connection:
        row = connection.execute("SELECT count(*) FROM ingest.readings WHERE value = 4").fetchone()
    return 0 if row is None else int(row[0])
