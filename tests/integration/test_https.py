"""HTTPS: served by the product itself (pages, API, the live socket, with the simulator beside it),
and by the front door before it."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import websockets

from deploy.local.city import CADDYFILE
from shared.store.embedded import free_port
from tests import certificates
from tests.product import Product
from tests.waiting import until


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


@contextmanager
def front_door(product: Product, made: certificates.Certificate, folder: Path) -> Iterator[str]:
    """The reverse proxy, as `make city` starts it with a certificate; its address."""
    caddy, port = Path(sys.executable).parent / "caddy", free_port()
    if not caddy.exists():
        pytest.skip("NO CADDY: it comes with `make city`")
    own = f"127.0.0.1:{product.port}"
    variables = {
        "FRONT_HOST": "127.0.0.1", "FRONT_PORT": str(port), "GATEWAY": own, "ALERTS": own,
        "OPS_CENTER": own, "FRONT_TLS": f"tls {made.certificate} {made.key}",
    }  # fmt: skip
    environment = {f"YIWANG_{name}": value for name, value in variables.items()}
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = [str(caddy), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    with (folder / "caddy.log").open("wb") as sink:
        proxy = subprocess.Popen(command, env=os.environ | environment | home, stderr=sink)
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        proxy.terminate()
        proxy.wait(90)


def test_behind_the_front_door_cookies_are_secure_and_addresses_the_client_s(
    tmp_path: Path,
) -> None:
    made = certificates.make(tmp_path / "certificates")
    product = Product(tmp_path / "city").start()
    try:
        with front_door(product, made, tmp_path) as url:
            trust = ssl.create_default_context(cafile=made.authority)
            login = product.credentials["admin"]
            with httpx.Client(base_url=url, verify=trust, timeout=20) as client:

                def answers() -> bool:
                    try:
                        return client.get("/livez").status_code == 200
                    except httpx.HTTPError:
                        return False

                assert until(answers, 30)
                forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
                answer = client.post("/v1/session", json=login, headers=forged)
                assert answer.status_code == 200
                assert "; Secure" in answer.headers["set-cookie"]
                assert "strict-transport-security" in answer.headers
                sessions = client.get("/v1/sessions").raise_for_status().json()
                assert "203.0.113.9" not in json.dumps(sessions)
    finally:
        product.stop()
