"""What moved with an incident and what was like it, over HTTP, from real rows."""

import math
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.related import relations
from services.alerts.related.relations import Relations
from shared.clock import system_clock
from shared.errors import Overloaded
from shared.store.tables import dependencies, incidents, metrics, readings, sensors, timeline
from tests.integration.test_alerts_http import House
from tests.integration.test_forecast_http import metric

NOW = system_clock()
OPENED = NOW - timedelta(hours=3)
MINUTES = 5
AREA = "441202"


def sensor(sensor_id: str, *measures: str, lon: float = 112.4, **more: Any) -> dict[str, Any]:
    return {"sensor_id": sensor_id, "name": f"name of {sensor_id}", "metrics": list(measures),
            "lon": lon, "lat": 23.0, "area_id": AREA, "retired": False, **more}  # fmt: skip


def incident(title: str, opened_at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": uuid4(), "title": title, "state": "open", "alert_state": "active", "grade": 3,
        "priority": 2, "area_id": AREA, "subjects": ["g"], "rule_id": "high", "rule_version": 1,
        "metric": "water.level", "value": 9.0, "threshold": 8.0, "opened_at": opened_at,
        "updated_at": opened_at, "observed_at": opened_at, "version": 1, "category": "river",
        **more,
    }  # fmt: skip


def rows(sensor_id: str, code: str, values: dict[datetime, float]) -> list[dict[str, Any]]:
    return [
        {"sensor_id": sensor_id, "metric": code, "observed_at": at, "value": value, "quality": 0}
        for at, value in values.items()
    ]


def a_rise(minutes_late: int, size: float, seed: int) -> dict[datetime, float]:
    """From a day and a half ago until now; what comes, comes an hour before the opening."""
    noise, begin = Random(seed), OPENED - timedelta(hours=33)
    found = {}
    for row in range(36 * 60 // MINUTES):
        at = begin + timedelta(minutes=row * MINUTES)
        away = (at - OPENED).total_seconds() / 60 + 60 - minutes_late
        risen = size / (1 + math.exp(-away / 8)) if away > -300 else 0.0
        found[at] = 5 + risen + noise.gauss(0, 0.02 * abs(size))
    return found


async def a_city(engine: AsyncEngine, **of: Any) -> dict[str, Any]:
    """A river gauge that has risen, and others. The incident."""
    one = incident("now", OPENED, **of)
    async with engine.begin() as connection:
        kinds = ["water.level", "weather.rain", "noise.level", "water.flow"]
        await connection.execute(insert(metrics), [metric(kind) for kind in kinds])
        await connection.execute(insert(sensors), [
            sensor("g", "water.level"), sensor("rain", "weather.rain", lon=112.41),
            sensor("noise", "noise.level", lon=112.42), sensor("flat", "water.level", lon=112.43),
            sensor("mute", "water.level", lon=112.44),
            sensor("pump", "water.flow", area_id="441203"),
            sensor("far", "weather.rain", area_id="441203"),
        ])  # fmt: skip
        edge = {"upstream": "pump", "downstream": "g", "created_by": "admin"}
        await connection.execute(insert(dependencies).values(edge))
        noise = Random(5)
        told = [
            *rows("g", "water.level", a_rise(0, 4, 1)),
            *rows("rain", "weather.rain", a_rise(-30, 40, 2)),
            *rows("pump", "water.flow", a_rise(20, -3, 3)),
            *rows("far", "weather.rain", a_rise(-30, 40, 4)),
            *rows("noise", "noise.level", {at: noise.gauss(50, 3) for at in a_rise(0, 1, 1)}),
            *rows("flat", "water.level", dict.fromkeys(a_rise(0, 1, 1), 2.0)),
        ]
        await connection.execute(insert(readings), told)
        await connection.execute(insert(incidents), [one])
    return one


async def asked(house: House, one: dict[str, Any]) -> Any:
    status, found = await house.call("GET", f"/v1/incidents/{one['id']}/related", who="viewer")
    assert status == 200
    return found


async def test_what_moved_with_it_is_told_with_its_lag_its_tie_and_since_when(
    house: House, engine: AsyncEngine
) -> None:
    one = await a_city(engine)
    found = await asked(house, one)
    moved = {series["sensor_id"]: series for series in found["series"]}
    assert set(moved) == {"rain", "pump"}
    assert found["compared"] == 5 and found["nothing"] is None
    assert moved["rain"]["tie"] == "area" and moved["pump"]["tie"] == "upstream"
    assert moved["rain"]["r"] > 0.9 and moved["pump"]["r"] < -0.9
    assert abs(moved["rain"]["lag_seconds"] + 1_800) <= 600
    assert abs(moved["pump"]["lag_seconds"] - 1_200) <= 600
    assert moved["rain"]["name"] == "name of rain" and moved["rain"]["against"] == "yesterday"
    own, rain = (datetime.fromisoformat(one["since"]) for one in (found["own"], moved["rain"]))
    assert OPENED - timedelta(hours=2) < rain < own < OPENED
    steps = len(found["own"]["values"])
    assert steps in (95, 96) and all(len(each["values"]) == steps for each in found["series"])
    assert all(value is None or math.isfinite(value) for value in found["own"]["values"])


async def test_past_incidents_that_were_like_it_come_with_how_they_ended(
    house: House, engine: AsyncEngine
) -> None:
    one = await a_city(engine)
    ago = [OPENED - timedelta(days=days) for days in range(1, 9)]
    alike = [
        incident("same sensor", ago[3], state="closed", alert_state="cleared"),
        incident("same rule elsewhere", ago[0], subjects=["x"], area_id="441203"),
        incident("same kind here", ago[1], subjects=["y"], rule_id="other"),
        incident("another thing", ago[2], subjects=["z"], rule_id="other", category="noise"),
        incident("merged away", ago[4], merged_into=one["id"]),
        incident("a flood", ago[5], kind="flood"),
        incident("later", OPENED + timedelta(minutes=5)),
    ]
    ends = [
        ("incident.cleared", 1, ""),
        ("incident.resolved", 2, "开闸放水"),
        ("incident.closed", 3, ""),
    ]
    async with engine.begin() as connection:
        for each in alike:
            await connection.execute(insert(incidents).values(each))
        for version, (kind, hours, note) in enumerate(ends):
            at = ago[3] + timedelta(hours=hours)
            await connection.execute(insert(timeline).values(
                event_id=uuid4(), incident_id=alike[0]["id"], version=version, type=kind, at=at,
                actor="x", note=note, event_at=at, after={},
            ))  # fmt: skip
    found = (await asked(house, one))["incidents"]
    assert [each["title"] for each in found] == [
        "same sensor", "same rule elsewhere", "same kind here",
    ]  # fmt: skip
    first = found[0]
    assert (first["note"], first["took_seconds"], first["state"]) == ("开闸放水", 7_200, "closed")
    assert first["alike"] == ["sensor", "rule", "area", "category", "domain"]
    assert (found[1]["took_seconds"], found[1]["note"]) == (None, "")


@pytest.mark.parametrize(
    ("of", "nothing"),
    [
        ({"metric": None}, "no_series"),
        ({"subjects": ["441202"]}, "no_series"),
        ({"subjects": []}, "no_series"),
        ({"subjects": ["mute"]}, "too_little"),
        ({"observed_at": OPENED - timedelta(days=400)}, "too_little"),
        ({"observed_at": NOW + timedelta(days=1)}, "too_little"),
    ],
)
async def test_where_nothing_can_be_compared_it_says_why(
    house: House, engine: AsyncEngine, of: dict[str, Any], nothing: str
) -> None:
    found = await asked(house, await a_city(engine, **of))
    assert (found["nothing"], found["series"]) == (nothing, [])


@pytest.mark.parametrize("values", [[1e308, -1e308], [0.0], [5.0, 5_000.0]])
async def test_odd_series_are_no_error(
    house: House, engine: AsyncEngine, values: list[float]
) -> None:
    one = await a_city(engine)
    odd = {at: values[row % len(values)] for row, at in enumerate(a_rise(0, 1, 1))}
    async with engine.begin() as connection:
        await connection.execute(insert(readings), rows("mute", "water.level", odd))
    assert "mute" not in {each["sensor_id"] for each in (await asked(house, one))["series"]}


async def test_who_asks_for_what_there_is_not_is_told_so(house: House, engine: AsyncEngine) -> None:
    status, problem = await house.call("GET", f"/v1/incidents/{uuid4()}/related", who="viewer")
    assert (status, problem["code"]) == (404, "not_found")
    status, problem = await house.call("GET", "/v1/incidents/odd/related", who="viewer")
    assert (status, problem["code"]) == (422, "invalid_request")


async def test_questions_at_once_are_bounded(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "MOST_AT_ONCE", 0)
    with pytest.raises(Overloaded):
        await Relations(engine, system_clock).of(uuid4())
