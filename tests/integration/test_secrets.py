"""Everything the product prints in a run, at its most talkative: no secret is in it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.store.embedded import free_port
from tests.product import Product
from tests.waiting import until

GIVEN = {
    "OIDC_CLIENT_SECRET": "oidc-5ecret-9f31", "MQTT_KEY": "yw_key_mqtt-5ecret-77aa",
    "SMTP_URL": "smtp://robot:smtp-5ecret-ab12@127.0.0.1:1",
    "MQTT_URL": "mqtt://robot:mqtt-5ecret-cd34@127.0.0.1:1",
}  # fmt: skip
WORDS = ("oidc-5ecret-9f31", "mqtt-5ecret-77aa", "smtp-5ecret-ab12", "mqtt-5ecret-cd34")
WRONG = "a-wr0ng-passw0rd-55"
NEW = "n3w-passw0rd-of-somebody"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Its second start: the first one shows the first credentials, once, to whoever starts it."""
    made = Product(tmp_path_factory.mktemp("city")).start()
    made.stop()
    made.log.rename(made.log.with_suffix(".first"))
    secret = made.data_dir / "oidc"
    secret.write_text(f"{GIVEN['OIDC_CLIENT_SECRET']}\n")
    files = {name: value for name, value in GIVEN.items() if name != "OIDC_CLIENT_SECRET"}
    oidc = {
        "OIDC_CLIENT_SECRET_FILE": str(secret), "OIDC_ISSUER": f"http://127.0.0.1:{free_port()}",
        "OIDC_ROLES": "a=admin", "PUBLIC_URL": made.url, "LOG_LEVEL": "DEBUG",
        "WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8", "MAIL_FROM": "city@example.org",
    }  # fmt: skip
    made.settings = files | oidc
    yield made.start()
    made.stop()


def everything_asked(product: Product) -> set[str]:
    """Use what secrets there are, and make some; the secrets."""
    known = product.credentials
    made = {known["api_key"], known["screen_token"], known["admin"]["password"], WRONG, NEW}
    with httpx.Client(base_url=product.url, timeout=30) as client:
        for password in (WRONG, known["admin"]["password"]):
            login = {"username": known["admin"]["username"], "password": password}
            answer = client.post("/v1/session", json=login)
        token = answer.json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        made.add(token)
        for path, body in (
            ("/v1/keys", {"name": "k", "scopes": ["post"]}),
            ("/v1/screens", {"name": "s"}),
            ("/v1/endpoints", {"url": "http://127.0.0.1:1/h?key=ur1-5ecret", "events": ["*"]}),
            ("/v1/users", {"username": "zhang", "role": "operator", "password": NEW}),
        ):
            made |= secrets_of(client.post(path, json=body).json())
        endpoint = client.get("/v1/endpoints").json()["items"][0]["endpoint_id"]
        made |= secrets_of(client.post(f"/v1/endpoints/{endpoint}/rotate").json())
        client.post(f"/v1/endpoints/{endpoint}/test")
        client.get("/v1/oidc/login")
        client.get("/v1/oidc/callback", params={"code": "c0de-5ecret", "state": "st4te-5ecret"})
        client.get("/v1/links/l1nk-5ecret-token")
        client.get("/v1/sensors", headers={"Authorization": "Bearer yw_key_gu3ssed-5ecret"})
        client.get("/v1/screen", headers={"Cookie": "yiwang_session=c00kie-5ecret"})
        client.post("/v1/readings", content=b"{" * 50, headers={"Content-Type": "x/y"})
        made |= {"ur1-5ecret", "c0de-5ecret", "st4te-5ecret", "l1nk-5ecret", "gu3ssed-5ecret"}
        made |= {"c00kie-5ecret", (product.data_dir / "postgres" / "password").read_text().strip()}
    return made


def secrets_of(value: Any, name: str = "") -> set[str]:
    """Whatever an answer calls a key, a secret, a token or a password."""
    if isinstance(value, dict):
        return {one for key, inner in value.items() for one in secrets_of(inner, key)}
    secret = name in ("key", "api_key", "secret", "token", "password")
    return {value} if secret and isinstance(value, str) else set()


def test_nothing_that_is_printed_shows_a_secret(product: Product) -> None:
    secrets = everything_asked(product) | set(WORDS)
    assert len(secrets) >= 18
    with product.client() as client:
        public = "".join(client.get(path).text for path in ("/metrics", "/readyz", "/openapi.json"))

    def waited() -> bool:  # the subscriber and the webhook have failed, and said so
        printed = product.log.read_text()
        return "MQTT" in printed or "mqtt" in printed

    assert until(waited, 30)
    product.stop()
    printed = product.log.read_text()
    assert len(printed.splitlines()) > 10
    hidden = [base64.b64encode(one.encode()).decode() for one in secrets]
    shown = [one for one in (*secrets, *hidden) if one in printed + public]
    assert not shown, [line for line in printed.splitlines() for one in shown if one in line][:5]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://city:db-5ecret-1234@127.0.0.1:1/x"),
        ("KAFKA_PASSWORD", "kafka-5ecret-5678"),
    ],
)
def test_a_start_that_fails_shows_none(tmp_path: Path, name: str, value: str) -> None:
    kafka = {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "KAFKA_SECURITY": "sasl_tls", "KAFKA_USERNAME": "x"}
    product = Product(tmp_path, {name: value, "LOG_LEVEL": "DEBUG", **kafka, "PORT": "0x1"})
    with pytest.raises(AssertionError):
        product.start(30)
    product.stop()
    printed = product.log.read_text()
    assert "YIWANG" in printed or "port" in printed
    assert "5ecret" not in printed
