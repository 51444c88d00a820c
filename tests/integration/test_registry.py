"""The registry over HTTP: metrics, sensors and areas, and who learns of their changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.registry.follower import Follower
from services.ingest.registry.lookup import Registry
from services.ingest.registry.repository import Repository
from services.ingest.registry.seed import seed
from services.ingest.registry.sensor import Sensor
from shared.contracts.topics import SENSORS
from shared.eventlog.log import EventLog
from tests.integration.cities import NOW, SENSOR, City, city, reading
from tests.waiting import eventually

RIVER = {
    "domain": "environment",
    "unit": "m",
    "name_zh": "河道水位",
    "name_en": "River level",
    "minimum": -5,
    "maximum": 80,
    "interval_seconds": 60,
    "deadband": 0.02,
}
HERE = {"lon": 112.482, "lat": 23.107}


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


async def gauge(home: City, **more: Any) -> dict[str, Any]:
    body = {"metrics": ["water.level"], "location": HERE} | more
    answer = await home.client.put("/v1/sensors/gauge-1", json=body)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def level(value: float) -> dict[str, Any]:
    return reading(sensor_id="gauge-1", metric="water.level", value=value)


async def test_an_edited_range_counts_at_once_and_survives_a_start(
    home: City, engine: AsyncEngine
) -> None:
    await gauge(home)
    assert (await home.client.post("/v1/readings", json=level(60))).status_code == 422
    answer = await home.client.put("/v1/metrics/water.level", json=RIVER)
    assert answer.status_code == 200 and answer.json()["origin"] == "edited"
    assert (await home.client.post("/v1/readings", json=level(60))).status_code == 202
    await seed(engine, home.context.settings, home.context.clock)
    listed = (await home.client.get("/v1/metrics")).json()["items"]
    (kept,) = [item for item in listed if item["metric"] == "water.level"]
    assert (kept["maximum"], kept["deadband"]) == (80, 0.02)


async def test_another_replica_learns_of_a_metric(
    home: City, engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> None:
    await gauge(home)
    async with city(engine, event_log, database_url, tmp_path) as other:
        stop = asyncio.Event()
        following = asyncio.ensure_future(other.service.jobs["ingest-registry"](stop))
        await home.client.put("/v1/metrics/water.level", json=RIVER)
        headers = dict(home.client.headers)

        async def taken() -> bool:
            answer = await other.client.post("/v1/readings", json=level(60), headers=headers)
            return answer.status_code == 202

        assert await eventually(taken, 10)
        stop.set()
        await following


@pytest.mark.parametrize(
    "change",
    [
        {"minimum": 90},
        {"normal_low": 5, "normal_high": 1},
        {"normal_high": 81},
        {"interval_seconds": 0},
        {"deadband": -1},
        {"domain": "magic"},
        {"name_zh": ""},
        {"colour": "red"},
    ],
)
async def test_a_wrong_metric_is_refused(home: City, change: dict[str, Any]) -> None:
    answer = await home.client.put("/v1/metrics/water.level", json=RIVER | change)
    assert answer.status_code == 422


async def test_the_unit_of_a_metric_in_use_stays(home: City) -> None:
    answer = await home.client.put("/v1/metrics/water.level", json=RIVER | {"unit": "cm"})
    assert (answer.status_code, answer.json()["code"]) == (409, "unit_in_use")
    new = await home.client.put("/v1/metrics/water.level_cm", json=RIVER | {"unit": "cm"})
    assert new.status_code == 200
    assert (await gauge(home, metrics=["water.level_cm"]))["metrics"] == ["water.level_cm"]


async def test_a_retired_sensor_refuses_readings_until_it_is_revived(home: City) -> None:
    await gauge(home)
    retired = await home.client.delete("/v1/sensors/gauge-1")
    assert retired.json()["retired"] is True
    refused = await home.client.post("/v1/readings", json=level(3))
    assert refused.status_code == 422
    assert "retired" in refused.json()["rejected"][0]["detail"]
    listed = await home.client.get("/v1/sensors", params={"retired": "true"})
    assert [item["sensor_id"] for item in listed.json()["items"]] == ["gauge-1"]
    revived = await home.client.patch("/v1/sensors/gauge-1", json={"retired": False})
    assert revived.json()["location"] == HERE
    assert (await home.client.post("/v1/readings", json=level(3))).status_code == 202
    assert (await home.client.delete("/v1/sensors/nobody")).status_code == 404
    wrong = await home.client.patch("/v1/sensors/gauge-1", json={"metrics": []})
    assert wrong.json()["errors"][0]["pointer"] == "/metrics"


async def test_a_chinese_maps_coordinates_are_kept_as_wgs84(home: City) -> None:
    from eviltransform import wgs2bd, wgs2gcj

    for crs, shift in (("gcj02", wgs2gcj), ("bd09", wgs2bd)):
        lat, lon = shift(HERE["lat"], HERE["lon"])
        body = {"metrics": ["water.level"], "location": {"lon": lon, "lat": lat}}
        answer = await home.client.put("/v1/sensors/g", json=body, params={"crs": crs})
        found = answer.json()["location"]
        assert (found["lon"], found["lat"]) == pytest.approx((HERE["lon"], HERE["lat"]), abs=2e-7)
        bulk = await home.client.post(
            "/v1/sensors", json=[{"sensor_id": "g2"} | body], params={"crs": crs}
        )
        assert bulk.json()["accepted"] == 1
        assert (await home.client.get("/v1/sensors/g2")).json()["location"] == found


async def test_sensors_are_narrowed(home: City) -> None:
    await gauge(home)
    await home.client.put("/v1/sensors/adrift", json={"metrics": ["water.level"]})

    async def ids(**query: str) -> set[str]:
        answer = await home.client.get("/v1/sensors", params={"limit": "1000", **query})
        assert answer.status_code == 200, answer.text
        return {item["sensor_id"] for item in answer.json()["items"]}

    assert await ids(unplaced="true") == {"adrift"}
    near = await ids(bbox="112.48,23.1,112.49,23.11")
    assert "gauge-1" in near and len(near) < 100
    assert SENSOR in await ids(domain="traffic", area_id="441202")
    assert "gauge-1" not in await ids(domain="traffic")
    for wrong in ("1,2,3", "a,b,c,d", "2,0,1,1", "nan,0,1,1"):
        answer = await home.client.get("/v1/sensors", params={"bbox": wrong})
        assert answer.status_code == 422


async def test_a_new_log_is_told_the_whole_registry(home: City) -> None:
    async with home.context.log.read(SENSORS, {}) as reader:
        records = await reader.batch(5_000, 5)
    keys = {record.key for record in records}
    assert {SENSOR, "metric/water.level"} <= keys and len(keys) > 1_900


async def test_another_city_leaves_old_sensors_unplaced(
    home: City, engine: AsyncEngine, tmp_path: Path
) -> None:
    settings = home.context.settings.model_copy(update={"city": 440100})
    assert await seed(engine, settings, lambda: NOW) == 0
    areas = (await home.client.get("/v1/areas", params={"tree": "true"})).json()["items"]
    assert [area["area_id"] for area in areas] == ["440100"]
    assert len(areas[0]["children"]) == 11
    found = await home.client.get("/v1/sensors", params={"unplaced": "false"})
    assert found.json()["items"] == []


async def test_what_the_log_did_not_tell_is_learned_from_the_database(
    home: City, engine: AsyncEngine, event_log: EventLog
) -> None:
    registry = Registry(partitions=4)
    repository = Repository(engine)
    follower = Follower(event_log, repository, registry)
    await follower.load()
    quiet = Sensor(sensor_id="quiet", metrics=("water.level",), updated_at=NOW)
    await repository.save([quiet], [])
    metric = registry.metric("water.level")
    assert metric is not None
    later = {"maximum": 80.0, "updated_at": NOW + timedelta(seconds=1)}
    await repository.save_metric(metric.model_copy(update=later))
    assert "quiet" not in registry.sensors
    await follower.look()
    assert registry.sensors["quiet"].channels["water.level"].maximum == 80


def square(west: float, south: float, size: float, **properties: Any) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


async def import_areas(home: City, *features: Any, dry_run: bool = False) -> Any:
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return await home.client.post(
        "/v1/areas/import", content=body, params={"dry_run": str(dry_run).lower()}
    )


async def test_towns_are_imported_and_sensors_move(home: City) -> None:
    await gauge(home)
    town = square(112.478, 23.1, 0.01, area_id="441202001", name_zh="城东街道")
    dry = (await import_areas(home, town, dry_run=True)).json()
    assert (dry["created"], dry["refused"]) == (1, 0) and dry["sensors_moved"] >= 1
    assert (await home.client.get("/v1/areas", params={"level": "town"})).json()["items"] == []
    done = (await import_areas(home, town)).json()
    assert done["sensors_moved"] == dry["sensors_moved"]
    found = (await home.client.get("/v1/sensors/gauge-1")).json()
    assert (found["area_id"], found["town_id"]) == ("441202", "441202001")
    again = (await import_areas(home, town)).json()
    assert (again["unchanged"], again["sensors_moved"]) == (1, 0)
    other = square(112.46, 23.1, 0.01, area_id="441202002", name_zh="城西街道")
    swapped = (await import_areas(home, other)).json()
    assert (swapped["created"], swapped["removed"]) == (1, 1)
    assert (await home.client.get("/v1/sensors/gauge-1")).json()["town_id"] is None


@pytest.mark.parametrize(
    ("feature", "column"),
    [
        (square(112.478, 23.1, 0.01, name_zh="x"), "area_id"),
        (square(112.478, 23.1, 0.01, area_id="441202", name_zh="x"), "area_id"),
        (square(112.478, 23.1, 0.01, area_id="t"), "name_zh"),
        (square(112.478, 23.1, 0.01, area_id="t", name_zh="x", parent_id="9"), "parent_id"),
        (square(113.5, 20.1, 0.01, area_id="t", name_zh="x"), "geometry"),
        (square(112.478, 23.1, 3, area_id="t", name_zh="x"), "geometry"),
        (square(0, 0, 0.01, area_id="t", name_zh="x") | {"geometry": {"type": "x"}}, "geometry"),
        (square(0, 0, 0.01, area_id="t", name_zh="x") | {"geometry": None}, "geometry"),
        ("no feature", "properties"),
    ],
)
async def test_a_wrong_town_is_refused_with_its_reason(
    home: City, feature: Any, column: str
) -> None:
    good = square(112.46, 23.1, 0.01, area_id="good", name_zh="好")
    dry = (await import_areas(home, good, feature, dry_run=True)).json()
    assert [(row["verdict"], row["column"]) for row in dry["rows"]] == [
        ("create", None),
        ("refused", column),
    ]
    assert (await import_areas(home, good, feature)).status_code == 422
    assert (await home.client.get("/v1/areas", params={"level": "town"})).json()["items"] == []


async def test_overlapping_towns_and_repeated_ids_are_refused(home: City) -> None:
    one = square(112.46, 23.1, 0.01, area_id="one", name_zh="一")
    over = square(112.465, 23.1, 0.01, area_id="two", name_zh="二")
    dry = (await import_areas(home, one, over, one, dry_run=True)).json()
    assert [row["column"] for row in dry["rows"]] == [None, "geometry", "area_id"]
