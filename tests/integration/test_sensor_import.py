"""Sensors from CSV and GeoJSON files, and back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventlog.log import EventLog
from tests.integration.cities import City, city

HEADER = "sensor_id,name,metrics,lon,lat,retired\r\n"


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


async def post(home: City, content: bytes, kind: str = "text/csv", **query: str) -> httpx.Response:
    headers = {"Content-Type": kind}
    return await home.client.post(
        "/v1/sensors/import", content=content, headers=headers, params=query
    )


async def test_each_row_has_its_verdict_and_a_dry_run_changes_nothing(home: City) -> None:
    sheet = (
        HEADER
        + 'g-1,"一号,水位",water.level;weather.rain,112.482,23.107,否\r\n'
        + "g-2,,water.colour,112.5,23.1,\r\n"
        + "g-3,,water.level,112.5,,\r\n"
        + "g-4,,water.level,900,23,\r\n"
        + "g 5,,water.level,,,\r\n"
        + "g-1,,water.level,,,\r\n"
        + "g-6,,water.level,,\r\n"
        + "g-7,,water.level,,,maybe\r\n"
        + "g-8,,,,,\r\n"
        + "g-9,漂,water.level,1,1,\r\n"
    ).encode()
    dry = (await post(home, sheet, dry_run="true")).json()
    assert [(r["row"], r["verdict"], r["column"]) for r in dry["rows"]] == [
        (2, "create", None),
        (3, "refused", "metrics"),
        (4, "refused", "lat"),
        (5, "refused", "lon"),
        (6, "refused", "sensor_id"),
        (7, "refused", "sensor_id"),
        (8, "refused", None),
        (9, "refused", "retired"),
        (10, "refused", "metrics"),
        (11, "create", None),
    ]
    assert (dry["created"], dry["refused"], dry["unplaced"]) == (2, 8, 1)
    assert (await home.client.get("/v1/sensors/g-1")).status_code == 404
    assert (await post(home, sheet, atomic="true")).status_code == 422
    assert (await home.client.get("/v1/sensors/g-1")).status_code == 404
    done = (await post(home, sheet)).json()
    assert done["rows"] == dry["rows"]
    found = (await home.client.get("/v1/sensors/g-1")).json()
    assert (found["name"], found["area_id"]) == ("一号,水位", "441202")
    again = (await post(home, sheet)).json()
    assert (again["created"], again["unchanged"]) == (0, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_departments_sheets_are_read(home: City, encoding: str) -> None:
    sheet = (
        "设备编号,设备名称,监测指标,经度,纬度\n"
        "g-1,西江水位,water.level、weather.rain,112.482,23.107\n"
    )
    assert (await post(home, sheet.encode(encoding))).json()["created"] == 1
    found = (await home.client.get("/v1/sensors/g-1")).json()
    assert (found["name"], found["metrics"]) == ("西江水位", ["water.level", "weather.rain"])


async def test_columns_that_are_absent_leave_a_sensor_as_it_is(home: City) -> None:
    await post(home, (HEADER + "g-1,名,water.level,112.482,23.107,\n").encode())
    changed = await post(home, b"sensor_id,retired\ng-1,true\n")
    assert changed.json()["updated"] == 1
    found = (await home.client.get("/v1/sensors/g-1")).json()
    assert (found["name"], found["retired"], found["area_id"]) == ("名", True, "441202")


@pytest.mark.parametrize(
    "sheet",
    [
        b"",
        b"sensor_id,colour\n",
        b"name\nx\n",
        b"sensor_id,lon\n",
        b"id,sensor_id\n",
        b'sensor_id\n"a\n',
        b"\x81\xff\xff",
    ],
)
async def test_a_sheet_that_cannot_be_read_is_told(home: City, sheet: bytes) -> None:
    answer = await post(home, sheet)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_other_kinds_are_refused(home: City) -> None:
    assert (await post(home, b"[]", "application/json")).status_code == 415
    assert (await post(home, b"[]", "application/geo+json")).status_code == 422


def feature(lon: float, lat: float, **properties: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "geometry": point, "properties": properties}


async def test_geojson_is_imported_in_its_coordinates(home: City) -> None:
    from eviltransform import wgs2bd

    lat, lon = wgs2bd(23.107, 112.482)
    features = [
        feature(lon, lat, sensor_id="g-1", metrics=["water.level"]),
        feature(lon, lat, sensor_id="g-2", metrics=["water.level"], colour=1),
        {"type": "Feature", "geometry": {"type": "LineString"}, "properties": {}},
        5,
    ]
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    report = (await post(home, body, "application/geo+json", crs="bd09")).json()
    assert [(r["verdict"], r["column"]) for r in report["rows"]] == [
        ("create", None),
        ("refused", "colour"),
        ("refused", "geometry"),
        ("refused", "properties"),
    ]
    place = (await home.client.get("/v1/sensors/g-1")).json()["location"]
    assert (place["lon"], place["lat"]) == pytest.approx((112.482, 23.107), abs=2e-7)


@pytest.mark.parametrize("kind", ["text/csv", "application/geo+json"])
async def test_an_export_comes_back_unchanged(home: City, kind: str) -> None:
    await post(home, (HEADER + 'g-1,"a ""b"", c",water.level,,,true\n').encode())
    exported = await home.client.get("/v1/sensors/export", headers={"Accept": kind})
    assert exported.headers["content-type"].startswith(kind)
    report = (await post(home, exported.content, kind)).json()
    assert report["unchanged"] == len(report["rows"]) > 1_900
    nothing = await home.client.get("/v1/sensors/export?q=zzz", headers={"Accept": kind})
    assert (await post(home, nothing.content, kind)).json()["rows"] == []


async def test_twenty_thousand_sensors_are_imported_at_once(home: City) -> None:
    lines = [f"many-{n},传感器 {n},water.level,112.{n % 900:03d},23.1,\n" for n in range(20_000)]
    report = (await post(home, (HEADER + "".join(lines)).encode())).json()
    assert (report["created"], report["refused"]) == (20_000, 0)
    (count,) = await home.rows("SELECT count(*) FROM ingest.sensors WHERE sensor_id LIKE 'many-%'")
    assert count == (20_000,)
