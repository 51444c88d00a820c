"""The catalogue: what there is, for whom, how good it is, and as DCAT-AP."""

import asyncio
import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyshacl
import pytest
import rdflib
from sqlalchemy import text

from services.ops_center.catalogue.repository import Shelf
from shared.clock import system_clock
from tests.integration.ops_center import past
from tests.integration.ops_center.conftest import Centre

SHAPES = Path(__file__).with_name("dcat_ap.ttl")
OFFICIAL = os.environ.get("YIWANG_TEST_DCAT_SHAPES", "")  # files, separated by colons
SPEED, AIR = "traffic.speed", "air.pm25"
HOUR = timedelta(hours=1)
SAID = {
    "owner_zh": "交警支队", "owner_en": "Traffic police", "description_zh": "路段平均车速。",
    "description_en": "Mean speed of road sections.", "licence": "ODbL-1.0",
}  # fmt: skip


@pytest.fixture(autouse=True)
async def air(idle_centre: Centre) -> None:
    """A public metric beside the others."""
    async with idle_centre.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO ingest.metrics"
                " (metric, domain, unit, name_zh, name_en, interval_seconds) VALUES"
                " (:metric, 'environment', 'µg/m³', '细颗粒物', 'PM2.5', 60)"
            ),
            {"metric": AIR},
        )
        await connection.execute(
            text(
                "INSERT INTO ingest.sensors (sensor_id, name, metrics, lon, lat, area_id)"
                " VALUES ('air-1', '', ARRAY[:metric], 112.4567, 23.0567, '441202')"
            ),
            {"metric": AIR},
        )


async def get(centre: Centre, path: str, token: str | None = None, **params: Any) -> Any:
    async with centre.http(token) as http:
        return await http.get(path, params=params)


async def admin(centre: Centre) -> str:
    name, password = centre.login
    async with centre.http() as http:
        answer = await http.post("/v1/session", json={"username": name, "password": password})
    return str(answer.json()["token"])


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["dataset"] for one in answer.json()["items"]]


async def test_everybody_sees_what_is_public_and_others_what_they_may_know(centre: Centre) -> None:
    assert ids(await get(centre, "/v1/catalogue")) == ["areas", f"readings.{AIR}", "warnings"]
    assert ids(await get(centre, "/v1/catalogue", "yw_screen_of_long_ago")) == ids(
        await get(centre, "/v1/catalogue")
    )
    known = ids(await get(centre, "/v1/catalogue", centre.screen_token))
    assert {"incidents", "sensors", f"readings.{SPEED}"} <= set(known)
    hidden = await get(centre, f"/v1/catalogue/readings.{SPEED}")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
    found = await get(centre, "/v1/catalogue", centre.screen_token, q="pm2.5 environment")
    assert ids(found) == [f"readings.{AIR}"]
    found = await get(centre, "/v1/catalogue", centre.screen_token, q="细颗粒物")
    assert ids(found) == [f"readings.{AIR}"]
    detail = (await get(centre, f"/v1/catalogue/readings.{AIR}")).json()
    columns = {one["name"]: one for one in detail["schema"]}
    assert columns["value"]["unit"] == "µg/m³"
    assert (columns["value"]["level"], columns["lon"]["level"]) == ("public", "internal")
    assert (detail["open"], detail["level_zh"], detail["licence"]) == (True, "公开", "CC-BY-4.0")


async def test_public_data_is_fetched_without_logging_in(centre: Centre) -> None:
    now = system_clock().replace(microsecond=0)
    rows: list[past.Reading] = [
        {"sensor_id": "air-1", "metric": AIR, "observed_at": now - timedelta(minutes=n),
         "value": 30.0 + n, "quality": 0}
        for n in range(5)
    ]  # fmt: skip
    await past.store(centre.engine, rows)
    answer = await get(centre, f"/v1/catalogue/readings.{AIR}/data", format="geojson")
    (feature,) = answer.json()["features"]
    assert feature["properties"]["value"] == 30.0
    assert feature["geometry"]["coordinates"] != [112.4567, 23.0567], "its cell, not its place"
    since = (now - HOUR).isoformat()
    answer = await get(
        centre, f"/v1/catalogue/readings.{AIR}/data", **{"from": since, "format": "csv"}
    )
    assert len(list(csv.DictReader(io.StringIO(answer.text)))) == 5
    for path, params, status in (
        (f"readings.{SPEED}/data", {}, 404),
        ("areas/data", {}, 404),
        (f"readings.{AIR}/data", {"from": "2020-01-01T00:00:00Z"}, 422),
        (f"readings.{AIR}/data", {"format": "xlsx"}, 422),
    ):
        assert (await get(centre, f"/v1/catalogue/{path}", **params)).status_code == status


async def test_quality_is_measured_for_every_hour_that_is_rolled_up(centre: Centre) -> None:
    end = system_clock().replace(minute=0, second=0, microsecond=0)
    first = end - HOUR
    rows: list[past.Reading] = [
        {"sensor_id": "air-1", "metric": AIR, "observed_at": first + timedelta(minutes=n),
         "value": 30.0, "quality": 2 if n < 3 else 0}
        for n in range(30)
    ]  # fmt: skip
    await past.store(centre.engine, rows)
    widths = {60: end, 900: end, 3_600: end, 86_400: end}
    await past.roll_up(centre.engine, widths)
    shelf = Shelf(centre.engine, system_clock)
    await asyncio.gather(shelf.measure(), shelf.measure())
    assert await shelf.measure() == 0, "each hour once"
    trend = await shelf.trend(f"readings.{AIR}")
    assert [one.at for one in trend] == [end - n * HOUR for n in range(len(trend), 0, -1)], (
        "hour after hour"
    )
    assert len(trend) >= 23
    last = trend[-1]
    assert last.completeness == pytest.approx(0.5)
    assert last.timeliness == 0.0, "silent for half an hour"
    assert last.validity == pytest.approx(0.9)
    assert last.newest_at == first + timedelta(minutes=29)
    assert (trend[0].completeness, trend[0].validity) == (0.0, None)
    detail = (await get(centre, f"/v1/catalogue/readings.{AIR}")).json()
    assert detail["trend"][-1]["completeness"] == pytest.approx(0.5)


async def test_an_administrator_says_whose_a_dataset_is(centre: Centre) -> None:
    path = f"/v1/catalogue/readings.{SPEED}"
    token = await admin(centre)
    async with centre.http(token) as http:
        assert (await http.put(path, json=SAID)).status_code == 204
        assert (await http.put("/v1/catalogue/nothing", json=SAID)).status_code == 404
        assert (await http.put(path, json=SAID | {"licence": "mine"})).status_code == 422
        assert (await http.put(path, json={"owner_zh": "x"})).status_code == 422
        found = (await http.get(path)).json()
        assert {name: found[name] for name in SAID} == SAID
        actions = (await http.get("/v1/audit", params={"subject": f"readings.{SPEED}"})).json()
        assert [one["action"] for one in actions["items"]] == ["dataset.described"]
    async with centre.http(centre.screen_token) as http:
        assert (await http.put(path, json=SAID)).status_code == 403


async def test_dcat_is_valid_against_the_shapes(centre: Centre) -> None:
    now = datetime.now(UTC)
    async with centre.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO ops.dataset_quality VALUES (:d, :at, 1, 60, 1, 0.5, NULL, :at)"),
            {"d": f"readings.{AIR}", "at": now},
        )
    for token, count in ((None, 3), (centre.screen_token, 6)):
        answer = await get(centre, "/v1/catalogue/dcat", token)
        assert answer.headers["content-type"] == "application/ld+json"
        graph = rdflib.Graph().parse(data=answer.text, format="json-ld")
        dcat = rdflib.Namespace("http://www.w3.org/ns/dcat#")
        datasets = set(graph.subjects(rdflib.RDF.type, dcat.Dataset))
        assert len(datasets) >= count
        for shapes in (str(SHAPES), *filter(None, OFFICIAL.split(":"))):
            valid, _, report = pyshacl.validate(graph, shacl_graph=shapes)
            assert valid, f"{shapes}: {report}"


async def test_the_shapes_refuse_what_is_not_dcat_ap(centre: Centre) -> None:
    made = (await get(centre, "/v1/catalogue/dcat")).json()
    for missing in ("dct:title", "dct:publisher", "dct:accessRights"):
        broken = json.loads(json.dumps(made))
        broken["dcat:dataset"][0].pop(missing)
        graph = rdflib.Graph().parse(data=json.dumps(broken), format="json-ld")
        valid, _, report = pyshacl.validate(graph, shacl_graph=str(SHAPES))
        assert not valid
        assert missing.removeprefix("dct:") in report
