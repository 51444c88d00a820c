"""People report: an incident opens or is joined, and the caller's number goes nowhere."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import system_clock
from shared.contracts.topics import INCIDENTS
from shared.store.tables import api_keys, areas, deliveries, grants, incidents, sensors
from tests.integration.alerting import Receiver
from tests.integration.test_alerts_http import House
from tests.waiting import eventually

HERE = {"lon": 112.47, "lat": 23.05}
PHONE = "13800001111"


def square(west: float, south: float) -> dict[str, Any]:
    ring = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    corners = [[west + 0.5 * x, south + 0.5 * y] for x, y in ring]
    return {"type": "Polygon", "coordinates": [corners]}


@pytest.fixture
async def city(house: House, engine: AsyncEngine) -> House:
    """Two districts, a town in the first, and a gauge that watches floods."""
    rows: list[dict[str, Any]] = [
        {"area_id": "441200", "level": "city", "name_zh": "肇庆", "parent_id": None,
         "polygon": None},
        {"area_id": "441202", "level": "district", "name_zh": "端州区", "parent_id": "441200",
         "polygon": square(112.2, 22.8)},
        {"area_id": "441203", "level": "district", "name_zh": "鼎湖区", "parent_id": "441200",
         "polygon": square(112.7, 22.8)},
        {"area_id": "441202001", "level": "town", "name_zh": "城东街道", "parent_id": "441202",
         "polygon": square(112.2, 22.6)},
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(areas), [row | {"name_en": "x"} for row in rows])
        gauge = {"sensor_id": "gauge", "name": "g", "metrics": ["water.level"], "area_id": "441202"}
        await connection.execute(insert(sensors).values(gauge | HERE))
    return house


def said(**fields: Any) -> dict[str, Any]:
    report = {"category": "flooding", "text": "路面积水", "place": HERE, "reporter": "hotline"}
    return {name: value for name, value in (report | fields).items() if value is not None}


async def report(city: House, who: str = "operator", **fields: Any) -> tuple[int, Any]:
    return await city.call("POST", "/v1/reports", said(**fields), who)


async def test_a_report_opens_an_incident_where_it_is(city: House) -> None:
    status, answer = await report(city, photos=["https://a.example.org/1.jpg"], reference="H-1")
    incident = answer["incident"]
    assert (status, answer["outcome"]) == (201, "opened")
    assert incident["title"] == "积水内涝 · 城东街道"
    assert (incident["kind"], incident["area_id"], incident["category"]) == (
        "report", "441202", "flooding",
    )  # fmt: skip
    assert (incident["grade"], incident["priority"], incident["department"]) == (3, 2, "排水管理处")
    assert incident["step_due_at"] is not None
    status, again = await report(city, reference="H-1")
    assert (status, again["outcome"], again["report_id"]) == (200, "known", answer["report_id"])
    _, listed = await city.call("GET", f"/v1/incidents/{incident['id']}/reports")
    assert [item["photos"] for item in listed["items"]] == [["https://a.example.org/1.jpg"]]
    _, page = await city.call("GET", "/v1/incidents?kind=report&area_id=441200&category=flooding")
    assert [item["id"] for item in page["items"]] == [incident["id"]]


async def test_what_is_near_joins_and_what_is_not_opens(city: House) -> None:
    now = system_clock()
    _, first = await report(city)
    home = first["incident"]["id"]
    near, far = HERE | {"lat": 23.05 + 0.0017}, HERE | {"lat": 23.05 - 0.0019}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"place": near}, "joined"),
        ({"occurred_at": (now - timedelta(minutes=110)).isoformat()}, "joined"),
        ({"place": far}, "opened"),
        ({"category": "waste"}, "opened"),
        ({"place": None, "area_id": "441202"}, "opened"),
    ]
    for fields, outcome in [*cases, cases[-1]]:
        status, answer = await report(city, **fields)
        assert (answer["outcome"], status) == (outcome, 201 if outcome == "opened" else 200), fields
        assert (answer["incident"]["id"] == home) == (outcome == "joined")
    _, shown = await city.call("GET", f"/v1/incidents/{home}")
    assert (shown["members"], shown["version"]) == (3, 3)
    assert [step["type"] for step in shown["timeline"]] == [
        "incident.opened", "incident.reported", "incident.reported",
    ]  # fmt: skip
    await city.call("POST", f"/v1/incidents/{home}/close", {"note": "done"})
    _, after = await report(city)
    assert after["outcome"] == "opened"


async def test_a_report_joins_what_a_sensor_near_by_has_raised(
    city: House, engine: AsyncEngine
) -> None:
    [raised] = await city.opened()
    change = {"subjects": ["gauge"], "category": "flooding"}
    async with engine.begin() as connection:
        await connection.execute(update(incidents).values(**change))
    _, answer = await report(city)
    assert (answer["outcome"], answer["incident"]["id"]) == ("joined", raised["id"])
    assert answer["incident"]["members"] == raised["members"]
    _, elsewhere = await report(city, place={"lon": 112.8, "lat": 23.0})
    assert (elsewhere["outcome"], elsewhere["incident"]["area_id"]) == ("opened", "441203")


async def test_two_reports_at_once_open_one_incident(city: House) -> None:
    answers = await asyncio.gather(*(report(city) for _ in range(6)))
    outcomes = sorted(answer["outcome"] for _, answer in answers)
    assert outcomes == ["joined"] * 5 + ["opened"]
    assert len({answer["incident"]["id"] for _, answer in answers}) == 1


async def test_the_callers_number_goes_nowhere(
    city: House, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = Receiver()
    body = {"url": receiver.url, "events": ["*"]}
    await city.call("POST", "/v1/endpoints", body, "admin")
    words = f"请回电 {PHONE} 张"
    _, opened = await report(city, phone=PHONE, text=words)
    _, joined = await report(city, phone=PHONE, text=words)
    assert joined["outcome"] == "joined"
    assert await eventually(lambda: _true(len(receiver.seen) >= 2), 10)
    receiver.close()
    place = f"/v1/incidents/{opened['incident']['id']}"
    _, shown = await city.call("GET", place)
    _, page = await city.call("GET", "/v1/incidents")
    _, told = await city.call("GET", "/v1/deliveries")
    async with city.log.read(INCIDENTS, {}) as reader:
        events = [record.value.decode() for record in await reader.batch(10, 5)]
    async with engine.connect() as connection:
        bodies = list((await connection.execute(select(deliveries.c.body))).scalars())
        kept = await connection.execute(text("SELECT timeline::text FROM alerts.timeline"))
        bodies += list(kept.scalars())
    assert len(events) == 2 and len(bodies) == 4
    everything = [opened, joined, shown, page, told, events, bodies, receiver.seen]
    assert PHONE not in json.dumps(everything, default=str)
    assert PHONE not in caplog.text
    _, listed = await city.call("GET", f"{place}/reports")
    assert all("phone" not in item for item in listed["items"])
    one = f"/v1/reports/{opened['report_id']}"
    assert (await city.call("GET", one, who="operator"))[0] == 403
    _, untold = await city.call("GET", one, who="dispatcher")
    assert "phone" not in untold and PHONE not in json.dumps(untold)
    await granted_numbers(engine, "dispatcher-1")
    assert await eventually(lambda: _tells_number(city, one), 10)
    assert (await city.call("DELETE", f"{one}/phone", who="dispatcher"))[0] == 204
    assert (await city.call("GET", one, who="dispatcher"))[1]["phone"] is None


async def granted_numbers(engine: AsyncEngine, person: str) -> None:
    now = system_clock()
    values = {
        "grant_id": person, "kind": "person", "recipient": "12345", "purpose": "回访", "level": 1,
        "fields": ["reports.phone"], "requested_by": person, "requested_at": now,
        "approved": True, "ends_at": now + timedelta(hours=1),
    }  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(grants).values(values))


async def _tells_number(city: House, address: str) -> bool:
    _, told = await city.call("GET", address, who="dispatcher")
    assert told.get("phone") in (None, PHONE)
    return told.get("phone") == PHONE and PHONE in told["text"]


async def _true(said_so: bool) -> bool:
    return said_so


async def test_what_is_refused_says_why(city: House) -> None:
    later = system_clock() + timedelta(hours=1)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"category": "odd"}, "unknown_category"),
        ({"area_id": "441202"}, "invalid_request"),
        ({"place": None}, "invalid_request"),
        ({"place": None, "area_id": "9"}, "unknown_area"),
        ({"place": {"lon": 181, "lat": 0}}, "invalid_request"),
        ({"photos": ["http://a.example.org/1.jpg"]}, "invalid_request"),
        ({"photos": ["https://u:p@a.example.org/1.jpg"]}, "invalid_request"),
        ({"photos": ["https://a.example.org/1.jpg"] * 10}, "invalid_request"),
        ({"reporter": "ghost"}, "invalid_request"),
        ({"phone": "call me"}, "invalid_request"),
        ({"text": ""}, "invalid_request"),
        ({"text": "x" * 4_001}, "invalid_request"),
        ({"occurred_at": later.isoformat()}, "in_future"),
        ({"occurred_at": (later - timedelta(days=9)).isoformat()}, "too_old"),
        ({"occurred_at": "2026-11-23T08:00:00"}, "invalid_request"),
        ({"received_by": "me"}, "invalid_request"),
    ]
    for fields, code in cases:
        status, problem = await report(city, **fields)
        assert (status, problem["code"]) == (422, code), (fields, problem)
    assert (await city.call("GET", "/v1/incidents"))[1]["items"] == []


async def test_who_may_report(city: House, engine: AsyncEngine) -> None:
    everybody = ("screen", "key", "viewer", "operator", "dispatcher", "admin", "reporter")
    may = {"operator", "dispatcher", "admin", "reporter"}
    for who in everybody:
        status, _ = await report(city, who)
        assert (status != 403) == (who in may), who
    assert (await report(city, ""))[0] == 401
    _, answer = await report(city)
    for path, admitted in (
        (f"/v1/incidents/{answer['incident']['id']}/reports", {"operator", "dispatcher", "admin"}),
        (f"/v1/reports/{answer['report_id']}", {"dispatcher", "admin"}),
    ):
        for who in everybody:
            status, _ = await city.call("GET", path, who=who)
            assert (status == 200) == (who in admitted), (path, who)
    confined = update(api_keys).where(api_keys.c.key_id == "r").values(areas=["441203"])
    async with engine.begin() as connection:
        await connection.execute(confined)

    async def refused() -> bool:
        return (await report(city, "reporter"))[0] == 403

    assert await eventually(refused, 10)
    assert (await report(city, "reporter", place={"lon": 112.8, "lat": 23.0}))[0] == 201
