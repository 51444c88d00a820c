"""The other doors over HTTP, as context brokers and SensorThings clients use them."""

from collections.abc import AsyncIterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.reading import decode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import EventLog
from shared.store.tables import api_keys
from tests.integration.cities import SENSOR, City, city
from tests.integration.people import actors
from tests.integration.set_aside import do, listed, written

WHEN = "2026-05-01T07:30:00Z"


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path, max_batch_items=50) as made:
        yield made


@pytest.fixture
async def admin(home: City, engine: AsyncEngine) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await actors(engine))['admin']}"}


def notification(**attributes: Any) -> dict[str, Any]:
    entity = {"id": SENSOR, "type": "TrafficFlowObserved", "dateObserved": WHEN, **attributes}
    return {"subscriptionId": "1", "data": [entity]}


async def test_a_notification_is_stored(home: City) -> None:
    body = notification(averageVehicleSpeed=52.6, laneDirection="forward")
    for path in ("ngsi-v2", "ngsi-ld"):
        answer = await home.client.post(f"/v1/doors/{path}", json=body)
        assert answer.status_code == 202, answer.text
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, [])
        assert answer.json()["ignored"] == ["/data/0/laneDirection"]
    assert await written(home) == [(52.6,)]
    receipt = await home.client.get(f"/v1/receipts/{answer.json()['receipt']}")
    assert receipt.json()["status"] == "stored"


async def test_what_a_broker_sends_in_vain_lies_in_quarantine(
    home: City, admin: dict[str, str]
) -> None:
    body = notification(averageVehicleSpeed=999, speedOfBuses=30)
    for _ in range(2):  # brokers repeat themselves
        answer = await home.client.post("/v1/doors/ngsi-ld", json=body)
        assert answer.status_code == 202
        assert [(r["pointer"], r["code"]) for r in answer.json()["rejected"]] == [
            ("/data/0/averageVehicleSpeed", "out_of_range"),
            ("/data/0/speedOfBuses", "unknown_metric"),
        ]
    items = {item["code"]: item for item in await listed(home)}
    assert {code: item["format"] for code, item in items.items()} == {
        "out_of_range": "ngsi-ld", "unknown_metric": "ngsi-ld",
    }  # fmt: skip
    assert len(await listed(home)) == 2
    assert items["unknown_metric"]["item"]["speedOfBuses"] == 30
    assert items["out_of_range"]["reading"]["value"] == 999
    assert len(await listed(home, sensor_id=SENSOR, metric="traffic.speed")) == 1
    home.client.headers.update(admin)
    mapping = {"metrics": {"TrafficFlowObserved.speedOfBuses": {"metric": "traffic.speed"}}}
    assert (await home.client.put("/v1/doors/ngsi/mapping", json=mapping)).status_code == 200
    replayed = await do(home, "replay", filter={"code": "unknown_metric"})
    assert replayed["done"] == 1
    mended = await do(home, "mend", filter={"code": "out_of_range"}, rule={"multiply": 0.1})
    assert mended["samples"][0]["after"]["value"] == 99.9
    assert await written(home) == [(30,)]


async def test_observations_singly_and_in_arrays(home: City, admin: dict[str, str]) -> None:
    mapping = {"channels": {"42": {"sensor_id": SENSOR, "metric": "traffic.speed"}}}
    put = await home.client.put("/v1/doors/sensorthings/mapping", json=mapping, headers=admin)
    assert put.status_code == 200
    one = {"phenomenonTime": "2026-05-01T07:01:00Z", "result": 41, "Datastream": {"@iot.id": 42}}
    named = {"phenomenonTime": "2026-05-01T07:02:00Z", "result": 42}
    rows = {"Datastream": {"@iot.id": 42}, "components": ["phenomenonTime", "result"],
            "dataArray": [["2026-05-01T07:03:00Z", 43], ["2026-05-01T07:04:00Z", 4300]],
    }  # fmt: skip
    for path, body in (
        ("", one), ("/Observations", one), ("/Datastreams(42)/Observations", named),
        ("/CreateObservations", [rows]),
    ):  # fmt: skip
        answer = await home.client.post(f"/v1/doors/sensorthings{path}", json=body)
        assert (answer.status_code, answer.json()["accepted"]) == (201, 1), answer.text
    assert answer.json()["rejected"][0]["pointer"] == "/0/dataArray/1/1"
    assert await written(home) == [(41,), (42,), (43,)]
    (item,) = await listed(home)
    assert item["item"]["dataArray"] == [["2026-05-01T07:04:00Z", 4300]]


async def test_wrong_requests_are_problems(home: City) -> None:
    async def post(content: bytes) -> httpx.Response:
        return await home.client.post("/v1/doors/ngsi-ld", content=content)

    for body, status in ((b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400), (b"", 400)):
        answer = await post(body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    many = [notification(averageVehicleSpeed=n)["data"][0] for n in range(51)]
    assert (await home.client.post("/v1/doors/ngsi-v2", json=many)).status_code == 413
    wrong = await home.client.post("/v1/doors/mqtt", json={})
    assert wrong.status_code in (404, 405)


async def test_doors_charge_the_keys_quota(home: City, engine: AsyncEngine) -> None:
    tokens = await actors(engine)
    async with engine.begin() as connection:
        poor = update(api_keys).where(api_keys.c.name == "key")
        await connection.execute(poor.values(readings_per_second=1, readings_burst=2))
    headers = {"Authorization": f"Bearer {tokens['key']}"}
    body = notification(averageVehicleSpeed=40)
    statuses = [
        (await home.client.post("/v1/doors/ngsi-ld", json=body, headers=headers)).status_code
        for _ in range(6)
    ]
    assert statuses[0] == 202 and 429 in statuses
    async with home.context.log.read(READINGS, {}) as reader:
        batches = [decode_batch(record.value) for record in await reader.batch(100, 1)]
    assert sum(len(batch.items) for batch in batches) == statuses.count(202)


async def test_routes_ask_for_their_role(home: City, engine: AsyncEngine) -> None:
    body = notification(averageVehicleSpeed=40)
    routes: list[tuple[str, str, Any, set[str]]] = [
        ("POST", "/ngsi-ld", body, {"key", "admin"}),
        ("POST", "/ngsi-v2", body, {"key", "admin"}),
        ("POST", "/sensorthings", {}, {"key", "admin"}),
        ("POST", "/sensorthings/Datastreams(1)/Observations", {}, {"key", "admin"}),
        ("GET", "/ngsi/mapping", None, {"operator", "dispatcher", "admin"}),
        ("PUT", "/ngsi/mapping", {}, {"admin"}),
    ]
    for who, token in (await actors(engine)).items():
        headers = {"Authorization": f"Bearer {token}"}
        for method, path, content, allowed in routes:
            answer = await home.client.request(
                method, f"/v1/doors{path}", json=content, headers=headers
            )
            assert (answer.status_code < 300) is (who in allowed), (who, path, answer.text)
            assert who in allowed or answer.status_code in (401, 403)
    admin = {"Authorization": "Bearer t-admin"}
    for mapping in ({"metrics": {"a": "b"}}, {"sensors": {"a": "b c"}}, {"colour": 1}):
        answer = await home.client.put("/v1/doors/ngsi/mapping", json=mapping, headers=admin)
        assert answer.status_code == 422
    assert (await home.client.get("/v1/doors/other/mapping", headers=admin)).status_code == 422


async def test_the_front_door_knows_every_route(home: City) -> None:
    caddyfile = Path(__file__).parents[2] / "deploy" / "local" / "Caddyfile"
    line = next(row for row in caddyfile.read_text().splitlines() if "@ingest path" in row)
    known = line.split()[2:]
    paths = (await home.client.get("/openapi.json")).json()["paths"]
    ours = [path for path in paths if path.startswith("/v1/")]
    assert len(ours) > 10
    assert [path for path in ours if not any(fnmatch(path, pattern) for pattern in known)] == []
