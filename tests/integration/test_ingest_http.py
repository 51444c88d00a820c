"""The gateway, the registry and receipts over HTTP, on a real database and event log."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.reading import decode_batch
from shared.contracts.topics import READINGS, SENSORS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Record
from shared.store.tables import api_keys
from shared.web.authenticator import token_hash
from tests.integration.cities import SENSOR, City, city, reading
from tests.waiting import eventually


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(
        engine, event_log, database_url, tmp_path, max_body_bytes=20_000, max_batch_items=50
    ) as made:
        yield made


async def logged(home: City) -> list[Record]:
    async with home.context.log.read(READINGS, {}) as reader:
        return list(await reader.batch(1000, 0))


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status and body["title"] and body["detail"]
    return body


async def test_accepted_means_in_the_log(home: City) -> None:
    answer = await home.client.post("/v1/readings", json=[reading(n) for n in range(5)])
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (5, [])
    (record,) = await logged(home)
    batch = decode_batch(record.value)
    assert [item.index for item in batch.items] == [0, 1, 2, 3, 4]
    assert (batch.source, record.key) == ("first", SENSOR)


async def test_each_item_has_its_verdict(home: City) -> None:
    items = [reading(1), reading(2, 999), reading(3), reading(4, sensor_id="who")]
    answer = await home.client.post("/v1/readings", json=items)
    assert answer.status_code == 202
    assert [(r["index"], r["pointer"], r["code"]) for r in answer.json()["rejected"]] == [
        (1, "/1/value", "out_of_range"),
        (3, "/3/sensor_id", "unknown_sensor"),
    ]
    assert answer.json()["accepted"] == 2


async def test_nothing_accepted_is_422_without_receipt(home: City) -> None:
    answer = await home.client.post("/v1/readings", json=reading(1, 999))
    assert answer.status_code == 422
    assert answer.json()["receipt"] is None
    assert answer.json()["rejected"][0]["pointer"] == "/value"
    assert await logged(home) == []


async def test_wrong_requests_are_problems(home: City) -> None:
    post = home.client.post
    as_json = {"Content-Type": "application/json"}
    malformed = problem(await post("/v1/readings", content=b'[{"a" 1}]', headers=as_json), 400)
    assert malformed["position"] == 6
    problem(await post("/v1/readings", json=[]), 422)
    problem(await post("/v1/readings", json=[reading()] * 51), 413)
    problem(await post("/v1/readings", content=b"[" + b" " * 30_000, headers=as_json), 413)
    problem(await post("/v1/readings", content=b"a=1"), 415)
    for kind in ("text/plain", "application/json; charset=gbk", "application/jsonx"):
        problem(await post("/v1/readings", content=b"{}", headers={"Content-Type": kind}), 415)
    brotli = as_json | {"Content-Encoding": "br"}
    problem(await post("/v1/readings", content=b"{}", headers=brotli), 415)
    charset = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    body = json.dumps(reading())
    assert (await post("/v1/readings", content=body, headers=charset)).status_code == 202


async def test_a_body_without_length_stops_at_the_bound(home: City) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10_000_000:
            sent += 5_000
            yield b" " * 5_000

    headers = {"Content-Type": "application/json"}
    problem(await home.client.post("/v1/readings", content=endless(), headers=headers), 413)
    assert sent <= 50_000


async def add_key(engine: AsyncEngine, token: str, scopes: list[str]) -> dict[str, str]:
    async with engine.begin() as connection:
        values = {"key_id": token, "name": token, "prefix": token, "scopes": scopes}
        await connection.execute(insert(api_keys).values(token_sha256=token_hash(token), **values))
    return {"Authorization": f"Bearer {token}"}


async def test_keys_open_what_their_scopes_name(home: City, engine: AsyncEngine) -> None:
    post = home.client.post
    for wrong in (b"", b"Bearer nobody", b"Basic eA==", b"Bearer \xff\xfe", b"Bearer "):
        headers = {b"Authorization": wrong}
        answer = await post("/v1/readings", json=reading(), headers=headers)
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    reader = await add_key(engine, "reader", [])
    problem(await post("/v1/readings", json=reading(), headers=reader), 403)
    problem(await home.client.put("/v1/sensors/x", json={"metrics": ["noise.level"]},
                                  headers=reader), 403)  # fmt: skip
    poster = await add_key(engine, "poster", ["post"])
    items = [reading(1, replace=True), reading(2, observed_at="2020-01-01T00:00:00Z"), reading(3)]
    answer = await post("/v1/readings", json=items, headers=poster)
    assert [r["code"] for r in answer.json()["rejected"]] == ["forbidden", "too_old"]
    assert (await post("/v1/readings", json=items)).json()["accepted"] == 3


async def test_a_log_that_is_down_is_503_with_retry_after(
    home: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(records: object) -> list[Any]:
        raise Unavailable("event log: down")

    monkeypatch.setattr(home.context.log, "publish", down)
    answer = await home.client.post("/v1/readings", json=reading())
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_receipt_tells_what_became_of_the_batch(home: City) -> None:
    posted = await home.client.post("/v1/readings", json=[reading(1, 40), reading(2, 41)])
    receipt = posted.json()["receipt"]
    first = await home.client.get(f"/v1/receipts/{receipt}")
    assert first.json() == {"status": "pending", "quarantined": []}
    stop = asyncio.Event()
    writing = asyncio.ensure_future(home.service.jobs["ingest-writer"](stop))
    contradicting = await home.client.post("/v1/readings", json=[reading(3), reading(2, 99)])

    async def stored(token: str) -> bool:
        found = await home.client.get(f"/v1/receipts/{token}")
        return bool(found.json()["status"] == "stored")

    assert await eventually(lambda: stored(receipt), 10)
    assert await eventually(lambda: stored(contradicting.json()["receipt"]), 10)
    answer = await home.client.get(f"/v1/receipts/{contradicting.json()['receipt']}")
    assert answer.json()["quarantined"] == [{"index": 1, "code": "conflict"}]
    stop.set()
    await writing
    for garbage in ("x", "AAAA", receipt[:-2] + "AA", "%00", "é"):
        problem(await home.client.get(f"/v1/receipts/{garbage}"), 404)


async def test_a_receipt_of_a_lost_log_is_expired(
    home: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = (await home.client.post("/v1/readings", json=reading())).json()["receipt"]
    monkeypatch.setattr(home.context.log, "_incarnation", "another life")
    answer = await home.client.get(f"/v1/receipts/{receipt}")
    assert answer.json()["status"] == "expired"


async def test_a_sensor_can_post_as_soon_as_it_is_registered(home: City) -> None:
    body = {"name": "新表", "metrics": ["water.level"], "location": {"lon": 112.482, "lat": 23.107}}
    told = await home.context.log.ends(SENSORS)
    made = await home.client.put("/v1/sensors/gauge-1", json=body)
    assert made.status_code == 200
    assert (made.json()["area_id"], made.json()["name"]) == ("441202", "新表")
    posted = reading(sensor_id="gauge-1", metric="water.level", value=3)
    assert (await home.client.post("/v1/readings", json=posted)).status_code == 202
    assert (await home.client.get("/v1/sensors/gauge-1")).json() == made.json()
    async with home.context.log.read(SENSORS, told) as reader:
        (record,) = await reader.batch(10, 5)
    assert (record.key, json.loads(record.value)) == ("gauge-1", made.json())
    cells = (await home.client.get("/v1/areas")).json()["items"]
    assert made.json()["cell_id"] in {area["area_id"] for area in cells}


async def test_another_replica_learns_of_a_sensor(
    home: City, engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> None:
    async with city(engine, event_log, database_url, tmp_path) as other:
        stop = asyncio.Event()
        following = asyncio.ensure_future(other.service.jobs["ingest-registry"](stop))
        await home.client.put("/v1/sensors/gauge-1", json={"metrics": ["water.level"]})
        body = reading(sensor_id="gauge-1", metric="water.level", value=3)

        async def known() -> bool:
            answer = await home.client.post("/v1/readings", json=body)
            return (
                await other.client.post(
                    "/v1/readings", json=body, headers=dict(home.client.headers)
                )
            ).status_code == answer.status_code

        assert await eventually(known, 10)
        stop.set()
        await following


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"metrics": ["nope"]}, "/metrics/0"),
        ({"metrics": ["noise.level", "NO"]}, "/metrics/1"),
        ({"metrics": []}, "/metrics"),
        ({}, "/metrics"),
        ({"metrics": ["noise.level"], "colour": "red"}, "/colour"),
        ({"metrics": ["noise.level"], "location": {"lon": 181, "lat": 0}}, "/location/lon"),
        ({"metrics": ["noise.level"], "location": {"lon": "1", "lat": 0}}, "/location/lon"),
        ({"metrics": ["noise.level"], "location": {"lon": 1}}, "/location/lat"),
        ({"metrics": ["noise.level"], "name": 5}, "/name"),
        ({"metrics": ["noise.level"], "name": "a\0b"}, "/name"),
        ({"metrics": ["noise.level"], "name": "x" * 201}, "/name"),
        ({"metrics": ["noise.level"], "sensor_id": "other"}, "/sensor_id"),
    ],
)
async def test_a_wrong_sensor_is_refused_with_its_place(
    home: City, body: dict[str, Any], pointer: str
) -> None:
    answer = problem(await home.client.put("/v1/sensors/new", json=body), 422)
    assert answer["errors"][0]["pointer"] == pointer
    assert (await home.client.get("/v1/sensors/new")).status_code == 404
    bulk = await home.client.post(
        "/v1/sensors",
        json=[{"sensor_id": "new"} | body, {"sensor_id": "ok", "metrics": ["noise.level"]}],
    )
    if pointer != "/sensor_id":
        assert bulk.json()["accepted"] == 1
        assert [r["pointer"] for r in bulk.json()["rejected"]] == [f"/0{pointer}"]


async def test_sensors_are_listed_in_pages_and_filtered(home: City) -> None:
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor:
        query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
        page = (await home.client.get("/v1/sensors", params=query)).json()
        seen += [sensor["sensor_id"] for sensor in page["items"]]
        cursor, pages = page["next"], pages + 1
    assert len(seen) == len(set(seen)) and seen == sorted(seen) and 1900 < len(seen) < 2100

    async def count(**query: str) -> int:
        answer = await home.client.get("/v1/sensors", params={"limit": "1000", **query})
        return len(answer.json()["items"])

    assert await count(q="tr-441202-000") == 9
    assert await count(q="100%") == 0
    assert (
        await count(metric="weather.rain", area_id="441200")
        > await count(metric="weather.rain", area_id="441202")
        > 0
    )
    problem(await home.client.get("/v1/sensors", params={"cursor": "!"}), 422)
    problem(await home.client.get("/v1/sensors", params={"limit": "0"}), 422)
    problem(await home.client.get("/v1/sensors", params={"q": "a\0"}), 422)


async def test_catalogue_areas_and_quarantine_are_listed(home: City) -> None:
    metrics = (await home.client.get("/v1/metrics")).json()["items"]
    assert {"metric": "water.level", "unit": "m"}.items() <= {
        item["metric"]: item for item in metrics
    }["water.level"].items()
    areas = (await home.client.get("/v1/areas", params={"polygons": "true"})).json()["items"]
    assert [a["name_zh"] for a in areas[:2]] == ["肇庆市", "端州区"]
    assert areas[0]["polygon"]["type"] == "Polygon"
    quarantine = await home.client.get("/v1/quarantine", params={"code": "conflict"})
    assert quarantine.json() == {"items": [], "next": None}
    bare = httpx.Headers({"Authorization": ""})
    for path in ("/v1/metrics", "/v1/areas", "/v1/quarantine", "/v1/sensors", "/v1/receipts/x"):
        problem(await home.client.get(path, headers=bare), 401)


async def test_the_documentation_shows_the_hot_route(home: City) -> None:
    document = (await home.client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/readings"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert "observed_at" in schema["oneOf"][0]["properties"]
    assert "202" in operation["responses"]
    json.dumps(document)
