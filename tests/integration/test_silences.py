"""Silences over HTTP, and what they do to deliveries: nothing is told, and nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import system_clock
from shared.store.tables import deliveries, silences
from tests.integration.test_alerts_http import House
from tests.integration.test_gathering import RAIN, take
from tests.unit.alerts.storms import told
from tests.waiting import eventually


def until(**span: float) -> str:
    return (system_clock() + timedelta(**span)).isoformat()


def body(**fields: Any) -> dict[str, Any]:
    return {"until": until(hours=1), "reason": "检修"} | fields


async def opened(house: House, name: str = "gas") -> dict[str, Any]:
    [incident] = await house.opened()
    return incident


async def told_of(engine: AsyncEngine) -> list[str]:
    query = select(deliveries.c.type).order_by(deliveries.c.created_at)
    async with engine.connect() as connection:
        return list((await connection.execute(query)).scalars())


async def shown(house: House, incident: str) -> dict[str, Any]:
    status, found = await house.call("GET", f"/v1/incidents/{incident}")
    assert status == 200
    return dict(found)


async def test_what_is_silenced_delivers_nothing_and_is_told_when_the_silence_ends(
    house: House, engine: AsyncEngine
) -> None:
    endpoint = {"url": "http://127.0.0.1:9/hook", "events": ["incident.opened"]}
    assert (await house.call("POST", "/v1/endpoints", endpoint, "admin"))[0] in (200, 201)
    asked = body(matchers={"rule": ["gas"], "subject": ["s1-0"]})
    status, made = await house.call("POST", "/v1/silences", asked)
    assert (status, made["state"], made["created_by"]) == (201, "active", "dispatcher-1")
    found = await opened(house)
    assert found["suppressed"]["by"] == "silence"
    assert await told_of(engine) == []
    async with engine.begin() as connection:  # its time is over
        past = update(silences).values(ends_at=system_clock() + timedelta(seconds=1))
        await connection.execute(past)

    async def heard() -> bool:
        return await told_of(engine) == ["incident.unsuppressed"]

    assert await eventually(heard, 15)
    after = await shown(house, found["id"])
    assert after["suppressed"] is None
    steps = [step["type"] for step in after["timeline"]]
    # Whoever opened it may have heard of the silence a moment later, before anybody was told.
    assert [step for step in steps if step != "incident.suppressed"] == [
        "incident.opened", "incident.unsuppressed",
    ]  # fmt: skip


async def test_a_silence_made_later_hides_what_stands_until_it_is_ended(house: House) -> None:
    found = await opened(house)
    asked = body(matchers={"rule": ["gas"], "subject": found["subjects"]})
    _, silence = await house.call("POST", "/v1/silences", asked)
    hidden = await shown(house, found["id"])
    assert hidden["suppressed"]["id"] == silence["silence_id"]
    assert hidden["timeline"][-1]["note"] == "dispatcher-1: 检修"
    place = f"/v1/silences/{silence['silence_id']}"
    status, ended = await house.call("DELETE", place)
    assert (status, ended["state"], ended["ended_by"]) == (200, "expired", "dispatcher-1")
    assert (await shown(house, found["id"]))["suppressed"] is None
    assert (await house.call("DELETE", place))[1]["ended_at"] == ended["ended_at"]
    _, page = await house.call("GET", "/v1/silences?state=expired")
    assert [one["silence_id"] for one in page["items"]] == [silence["silence_id"]]
    assert (await house.call("GET", "/v1/silences?state=active"))[1]["items"] == []


async def test_priority_1_is_silenced_by_name_only(house: House) -> None:
    found = await opened(house)
    status, problem = await house.call("POST", "/v1/silences", body(matchers={"priority": [1]}))
    assert (status, problem["code"]) == (422, "too_broad")
    assert "rule and its subject" in problem["detail"]
    assert (await house.call("POST", "/v1/silences", body(matchers={"rule": ["*"]})))[0] == 201
    assert (await shown(house, found["id"]))["suppressed"] is None
    _, preview = await house.call("POST", "/v1/silences/preview", {"matchers": {"rule": ["*"]}})
    assert (preview["items"], preview["priority_1_not_hidden"]) == ([], 1)
    assert "rule and its subject" in preview["detail"]


async def test_the_preview_shows_what_would_be_hidden(house: House, engine: AsyncEngine) -> None:
    await take(engine, told(RAIN, "a", 0), told(RAIN, "b", 1), told(RAIN, "c-441203", 1))
    asked = {"matchers": {"subject": ["a", "c-*"]}}
    status, preview = await house.call("POST", "/v1/silences/preview", asked)
    assert status == 200
    assert sorted((one["hides"], one["open"]) for one in preview["items"]) == [
        ("part", True), ("whole", True),
    ]  # fmt: skip


async def test_one_incident_is_shelved_for_a_while(house: House) -> None:
    found = await opened(house)
    shelve = body(kind="shelving", incident_id=found["id"], until=until(minutes=30))
    status, shelving = await house.call("POST", "/v1/silences", shelve)
    assert status == 201
    hidden = await shown(house, found["id"])
    assert hidden["suppressed"] | {"until": None} == {
        "by": "shelved", "id": shelving["silence_id"], "until": None,
    }  # fmt: skip
    too_long = shelve | {"until": until(hours=2)}  # of priority 1
    assert (await house.call("POST", "/v1/silences", too_long))[0] == 422


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"until": until(hours=-1)}, "/until"), ({"until": until(days=8)}, "/until"),
        ({"from": until(hours=2)}, "/until"), ({"matchers": None}, "/matchers"),
        ({"matchers": {}}, None), ({"reason": ""}, None), ({"kind": "shelving"}, "/matchers"),
        ({"incident_id": "6f1d2c0e-5d0c-5b7e-9a53-441200441200"}, "/incident_id"),
        ({"matchers": None, "kind": "shelving",
          "incident_id": "6f1d2c0e-5d0c-5b7e-9a53-441200441200"}, "/incident_id"),
        ({"until": "2026-05-01T00:00:00"}, None), ({"who": "me"}, None),
    ],
)  # fmt: skip
async def test_a_wrong_silence_is_refused(
    house: House, wrong: dict[str, Any], pointer: str | None
) -> None:
    asked = body(matchers={"rule": ["rain"]}) | wrong
    status, problem = await house.call("POST", "/v1/silences", asked)
    assert status == 422
    assert pointer is None or problem["pointer"] == pointer


async def test_who_may_do_what(house: House) -> None:
    asked = body(matchers={"rule": ["rain"]})
    nobody = "6f1d2c0e-5d0c-5b7e-9a53-441200441200"
    preview = {"matchers": {"rule": ["rain"]}}
    for who, read, write in (("viewer", 200, 403), ("operator", 200, 201), ("", 401, 401)):
        assert (await house.call("GET", "/v1/silences", who=who))[0] == read
        assert (await house.call("GET", "/v1/inhibitions", who=who))[0] == read
        assert (await house.call("POST", "/v1/silences", asked, who))[0] == write
        previewed = (await house.call("POST", "/v1/silences/preview", preview, who))[0]
        assert previewed == (200 if write == 201 else write)
        ended = (await house.call("DELETE", f"/v1/silences/{nobody}", who=who))[0]
        assert ended == (404 if write == 201 else write)
    assert (await house.call("GET", f"/v1/silences/{nobody}"))[0] == 404
