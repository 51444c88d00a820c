"""Every process starts as compose file and manifests start it, by this clone's Python and in
containers of the image, and one origin serves them."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from deploy.local.city import SERVICES
from examples.live import LiveClient
from tests import manifests
from tests.contained import Contained, as_compose_says, as_kubernetes_says
from tests.front import nginx
from tests.image import Image
from tests.manifests import Declared
from tests.scratch import fresh_database
from tests.shape import ROOT, Shape
from tests.waiting import eventually

# The first one may have to build the image, and a root for it.
pytestmark = pytest.mark.timeout(900)

SECONDS = 60.0
SENSOR = "front-1"
WAYS = {
    "compose": (manifests.of_compose, as_compose_says),
    "kubernetes": (manifests.of_kubernetes, as_kubernetes_says),
}


@pytest.fixture(params=["here", "contained"], scope="module")
def image(request: pytest.FixtureRequest) -> Image | None:
    """None: no container, this clone's Python."""
    if request.param == "here":
        return None
    found: Image = request.getfixturevalue("container_image")
    return found


@pytest.fixture(params=WAYS, scope="module")
def started(
    request: pytest.FixtureRequest,
    image: Image | None,
    tmp_path_factory: pytest.TempPathFactory,
    database_server: str,
    kafka_bootstrap: str,
) -> Iterator[Shape]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with fresh_database(database_server, kafka_bootstrap) as url:
        yield from _as_declared(folder, url, kafka_bootstrap, request.param, image)


def _as_declared(
    folder: Path, url: str, bootstrap: str, way: str, image: Image | None
) -> Iterator[Shape]:
    manifests.prepare(folder, url)
    wanted, options = WAYS[way]
    shape: Shape = (
        Declared(folder, url, bootstrap, wanted=wanted())
        if image is None
        else Contained(folder, url, bootstrap, image=image, wanted=wanted(), options=options)
    )
    setup = subprocess.run(
        shape.command("setup"), cwd=ROOT, env=shape.environment("setup"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert setup.returncode == 0, setup.stderr
    try:
        for process in SERVICES:
            shape.start(process)
        shape.wait_ready()
        yield shape
    finally:
        for process in list(shape.running):
            shape.end(process)


async def test_the_city_works_through_one_origin_sockets_included(
    started: Shape, tmp_path: Path
) -> None:
    credentials = started.credentials
    posting = {"Authorization": f"Bearer {credentials['api_key']}"}
    with (
        nginx(tmp_path / "front", started) as url,
        httpx.Client(base_url=url, headers=posting, timeout=20) as client,
    ):
        sensor = {"metrics": ["gas.concentration"], "location": {"lon": 112.48, "lat": 23.08}}
        assert client.put(f"/v1/sensors/{SENSOR}", json=sensor).is_success
        live = LiveClient([f"{url.replace('http', 'ws')}/v1/live"], credentials["screen_token"])
        running = asyncio.create_task(live.run())
        series = (SENSOR, "gas.concentration")

        async def known() -> bool:
            return series in live.picture.series

        assert await eventually(known, SECONDS)
        reading = {
            "sensor_id": SENSOR, "metric": "gas.concentration", "value": 61.5,
            "observed_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        assert client.post("/v1/readings", json=reading).status_code == 202

        async def shown() -> bool:
            value = live.picture.value[live.picture.series.index(series)]
            return value == 61.5 and bool(live.picture.incidents)

        assert await eventually(shown, SECONDS)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        _every_part_is_reached(client, credentials)


def _every_part_is_reached(client: httpx.Client, credentials: dict[str, object]) -> None:
    """A page, the alerts' and ops_center's own routes, a login; and what is not for the world."""
    assert "text/html" in client.get("/").headers["content-type"]
    login = client.post("/v1/session", json=credentials["admin"])
    token = {"Authorization": f"Bearer {login.json()['token']}"}
    for path in ("/v1/rules", "/v1/incidents", "/v1/keys", "/v1/users", "/v1/quarantine"):
        answer = client.get(path, headers=token)
        assert answer.status_code == 200, (path, answer.text)
    assert client.get("/metrics").status_code == client.get("/readyz").status_code == 404
    assert client.get("/livez").json() == {"status": "ok"}
    large = client.post("/v1/readings", content=b"x" * 9_000_000)
    assert large.status_code == 413


def test_every_process_ends_in_time_when_it_is_told_to(started: Shape) -> None:
    processes = dict(started.running)
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    for name, process in processes.items():
        assert process.wait(90) == 0, started.log(name)[-1500:]
