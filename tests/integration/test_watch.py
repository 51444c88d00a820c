"""The platform watched by its own rules: what is really broken opens an incident, and closes it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shared.store.embedded import free_port
from tests import manifests
from tests.e2e.receiver import Receiver
from tests.e2e.screens import post_reading, steward
from tests.product import Product
from tests.shape import ROOT, Shape
from tests.waiting import until

SOON_SECONDS = 180.0


def test_a_webhook_endpoint_that_is_dead_opens_an_incident_that_its_mending_clears(
    tmp_path: Path,
) -> None:
    settings = {"WATCH": "on", "WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}
    product, port = Product(tmp_path, settings).start(), free_port()
    try:
        admin = steward(product)
        admin.add_endpoint(f"http://127.0.0.1:{port}/hooks")
        admin.register(product, "watch-gas")
        post_reading(product, "watch-gas", 60.0)  # something to deliver
        rule = "platform-endpoint-failing"
        assert until(lambda: alert_of(admin.client, rule) == ["active"], SOON_SECONDS)
        opened = of_rule(admin.client, rule)[0]
        assert (opened["subjects"], opened["category"]) == (["platform"], "platform")
        assert opened["area_id"] is None
        with Receiver(port):
            assert until(lambda: alert_of(admin.client, rule) == ["cleared"], SOON_SECONDS)
        # Nothing fed on itself: all that was wrong is that endpoint, once.
        items = admin.client.get("/v1/incidents").json()["items"]
        assert sorted(one["rule_id"] for one in items) == ["gas-leak", rule]
    finally:
        product.stop()


def test_a_writer_that_is_stopped_opens_an_incident_that_its_start_clears(shape: Shape) -> None:
    with watch(shape), httpx.Client(base_url=shape.url("alerts"), timeout=20) as people:
        token = people.post("/v1/session", json=shape.credentials["admin"])
        if token.status_code == httpx.codes.NOT_FOUND:  # sessions are ops_center's
            token = httpx.post(
                f"{shape.url('ops_center')}/v1/session", json=shape.credentials["admin"]
            )
        people.headers["Authorization"] = f"Bearer {token.json()['token']}"
        rule = "platform-process-down"
        assert until(lambda: stored(shape, "platform.writer") == 1, SOON_SECONDS)
        shape.end("writer")
        assert until(lambda: alert_of(people, rule) == ["active"], SOON_SECONDS)
        assert of_rule(people, rule)[0]["subjects"] == ["platform.writer"]
        shape.start("writer")
        assert until(lambda: alert_of(people, rule) == ["cleared"], SOON_SECONDS)


@contextmanager
def watch(shape: Shape) -> Iterator[None]:
    """As Kubernetes starts it, with this machine's addresses, and more often."""
    words = " ".join(manifests.container("../watch/watch")["args"])
    for name in shape.running:
        words = words.replace(f"http://{name.replace('_', '-')}:8000", shape.url(name))
    assert ":8000" not in words
    command = [sys.executable, "-m", *words.split(), "--every", "2"]
    running = subprocess.Popen(command, cwd=ROOT, env=shape.environment("watch"))
    try:
        yield
    finally:
        running.terminate()
        running.wait(90)


def stored(shape: Shape, sensor_id: str) -> float | None:
    """The newest `platform.ready` of a process."""
    headers = {"Authorization": f"Bearer {shape.credentials['api_key']}"}
    asked = {"sensor_id": sensor_id, "metric": "platform.ready"}
    answer = httpx.get(f"{shape.url('ops_center')}/v1/history", params=asked, headers=headers)
    items = answer.json().get("items", []) if answer.is_success else []
    return items[-1]["mean"] if items else None


def of_rule(client: httpx.Client, rule: str) -> list[dict[str, Any]]:
    """Every incident of a rule."""
    items = client.get("/v1/incidents").raise_for_status().json()["items"]
    return [one for one in items if one["rule_id"] == rule]


def alert_of(client: httpx.Client, rule: str) -> list[str]:
    """Whether what a rule has opened stands still."""
    return [one["alert_state"] for one in of_rule(client, rule)]
