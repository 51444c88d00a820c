"""The product serves HTTPS itself: pages, API, the live socket, and the simulator beside it."""

import json
import ssl
from collections.abc import Iterator

import httpx
import pytest
import websockets

from shared.pause import until
from tests import certificates
from tests.product import Product


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = certificates.make(tmp_path_factory.mktemp("certificates"))
    files = {"TLS_CERT_FILE": str(made.certificate), "TLS_KEY_FILE": str(made.key)}
    settings = files | {"SIMULATOR": "on"}
    running = Product(tmp_path_factory.mktemp("city"), settings, authority=made.authority)
    yield running.start()
    running.stop()


def test_cookies_are_secure_and_browsers_stay_with_https(product: Product) -> None:
    login = product.credentials["admin"]
    with product.client() as client:
        answer = client.post("/v1/session", json=login)
    assert answer.status_code == 200
    assert "; Secure" in answer.headers["set-cookie"]
    assert "; HttpOnly" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


def test_the_simulator_posts(product: Product) -> None:
    with product.client() as client:
        assert until(lambda: bool(client.get("/v1/sensors").json()["items"]), 60)


def test_nobody_is_answered_in_the_clear_or_by_old_tls(product: Product) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{product.port}/livez", timeout=10)
    old = product.trust
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{product.url}/livez", timeout=10, verify=old)


async def test_the_live_socket_is_encrypted_too(product: Product) -> None:
    token = product.credentials["screen_token"]
    url = f"wss://127.0.0.1:{product.port}/v1/live?token={token}"
    async with websockets.connect(url, ssl=product.trust, max_size=None) as socket:
        await socket.send('{"type":"hello"}')
        kinds = [json.loads(await socket.recv())["type"] for _ in range(2)]
    assert kinds == ["hello", "snapshot"]
