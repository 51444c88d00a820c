"""People whose role holds in one district or one domain: what they may do, and what not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import system_clock
from shared.eventlog.log import EventLog
from shared.store.tables import accounts, alerts, alerts_audit, areas, incidents, metrics, sessions
from shared.web.authenticator import token_hash
from tests.integration.test_alerts_http import House, running

LATER = system_clock().replace(year=2099)
PEOPLE: dict[str, list[dict[str, Any]]] = {
    "dinghu": [{"role": "operator", "area_id": "441203", "domain": None}],
    "gas-men": [{"role": "dispatcher", "area_id": None, "domain": "utilities"}],
    "traffic": [{"role": "dispatcher", "area_id": "441200", "domain": "traffic"}],
    "city": [{"role": "dispatcher", "area_id": "441200", "domain": None}],
    "both": [
        {"role": "dispatcher", "area_id": "441202", "domain": None},
        {"role": "operator", "area_id": "441203", "domain": "utilities"},
    ],
}


@pytest.fixture
async def house(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    tree = [("441200", None, "city"), ("441202", "441200", "district"),
            ("441203", "441200", "district"), ("t3", "441203", "town")]  # fmt: skip
    gas = {"metric": "gas.concentration", "domain": "utilities", "unit": "%LEL", "name_zh": "气",
           "name_en": "gas", "interval_seconds": 30}  # fmt: skip
    async with engine.begin() as connection:
        for area_id, parent, level in tree:
            row = {"area_id": area_id, "parent_id": parent, "level": level, "name_zh": "x"}
            await connection.execute(insert(areas).values(row | {"name_en": "x"}))
        await connection.execute(insert(metrics).values(gas))
        for name, grants in PEOPLE.items():
            person = {"username": name, "password_hash": "", "grants": grants}
            await connection.execute(insert(accounts).values(person))
            session = {"token_sha256": token_hash(name), "username": name, "expires_at": LATER}
            await connection.execute(insert(sessions).values(session))
    async with running(engine, event_log, database_url, tmp_path) as house:
        yield house


async def at(house: House, engine: AsyncEngine, **where: Any) -> str:
    """The address of a new gas incident there."""
    [incident] = await house.opened()
    async with engine.begin() as connection:
        mine = incidents.c.id == incident["id"]
        await connection.execute(update(incidents).where(mine).values(where))
        its = alerts.c.incident_id == incident["id"]  # what an incident is follows from its alerts
        await connection.execute(update(alerts).where(its).values(area_id=where["area_id"]))
    return f"/v1/incidents/{incident['id']}"


NOTE = {"note": "x"}


@pytest.mark.parametrize(
    ("where", "command", "may"),
    [
        ({"area_id": "441203"}, "acknowledge", {"dinghu", "gas-men", "city", "both"}),
        ({"area_id": "441203"}, "close", {"gas-men", "city"}),
        ({"area_id": "t3"}, "acknowledge", {"dinghu", "gas-men", "city", "both"}),
        ({"area_id": "441202"}, "close", {"gas-men", "city", "both"}),
        ({"area_id": "441202"}, "comment", {"gas-men", "city", "both"}),
        ({"area_id": "441202", "assigned_area": "441203"}, "comment",
         {"dinghu", "gas-men", "city", "both"}),
        ({"area_id": None}, "acknowledge", {"gas-men"}),
    ],
)  # fmt: skip
async def test_commands_need_the_role_where_the_incident_is(
    house: House, engine: AsyncEngine, where: dict[str, Any], command: str, may: set[str]
) -> None:
    for who in PEOPLE:
        place = await at(house, engine, **where)
        status, answer = await house.call("POST", f"{place}/{command}", NOTE, who)
        assert (status == 200) == (who in may), (who, answer)
        if status != 200:
            lacking = "role" if (who, command) == ("dinghu", "close") else "elsewhere"
            assert (status, answer["code"]) == (403, lacking)
            _, shown = await house.call("GET", place, who=who)
            assert shown["version"] == 1  # everybody may look; nothing has happened


@pytest.mark.parametrize(
    ("state", "command", "may"),
    [
        ("open", "comment", set()),
        ("dispatched", "start", {"pumps"}),
        ("dispatched", "comment", {"pumps"}),
        ("handling", "resolve", {"pumps"}),
        ("handling", "transfer", set()),
        ("dispatched", "acknowledge", set()),
        ("closed", "comment", set()),
    ],
)
async def test_a_department_works_on_what_was_dispatched_to_it(
    house: House, engine: AsyncEngine, state: str, command: str, may: set[str]
) -> None:
    people = {
        "pumps": ("viewer", "排水管理处"),
        "gas": ("viewer", "燃气公司"),
        "guest": (None, "排水管理处"),
    }
    async with engine.begin() as connection:
        for name, (role, department) in people.items():
            person = {"username": name, "password_hash": "", "role": role, "department": department}
            await connection.execute(insert(accounts).values(person))
            session = {"token_sha256": token_hash(name), "username": name, "expires_at": LATER}
            await connection.execute(insert(sessions).values(session))
    where = {"area_id": "441203", "department": "排水管理处", "state": state}
    for who in people:
        place = await at(house, engine, **where)
        status, answer = await house.call("POST", f"{place}/{command}", NOTE, who)
        assert (status == 200) == (who in may), (who, answer)
        assert status in (200, 403)
        _, shown = await house.call("GET", place, who="pumps")
        actors = [step["actor"] for step in shown["timeline"]]
        assert (who in actors) == (who in may)


async def test_merging_needs_the_role_for_both(house: House, engine: AsyncEngine) -> None:
    mine = await at(house, engine, area_id="441202")
    foreign = await at(house, engine, area_id="441203")
    for one, other in ((mine, foreign), (foreign, mine)):
        body = NOTE | {"into": other.rpartition("/")[2]}
        status, answer = await house.call("POST", f"{one}/merge", body, "both")
        assert (status, answer["code"]) == (403, "elsewhere")
    status, _ = await house.call("POST", f"{foreign}/merge", body, "city")
    assert status == 200


async def test_silences_reach_no_further_than_who_makes_them(
    house: House, engine: AsyncEngine
) -> None:
    place = await at(house, engine, area_id="441203")
    until = {"until": (system_clock() + timedelta(hours=1)).isoformat(), "reason": "x"}
    gas = {"metric": ["gas.concentration"]}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"matchers": {"area": ["441203"]}}, {"dinghu", "city"}),
        ({"matchers": {"area": ["441203"], **gas}}, {"dinghu", "city", "gas-men", "both"}),
        ({"matchers": {"area": ["441203", "441202"]}}, {"city"}),
        ({"matchers": {"area": ["4412*"]}}, set()),
        ({"matchers": gas}, {"gas-men"}),
        ({"matchers": {"metric": ["*"]}}, set()),
        ({"kind": "shelving", "incident_id": place.rpartition("/")[2]},
         {"dinghu", "gas-men", "city", "both"}),
    ]  # fmt: skip
    for wanted, may in cases:
        for who in PEOPLE:
            status, answer = await house.call("POST", "/v1/silences", wanted | until, who)
            assert (status == 201) == (who in may), (wanted, who, answer)
            if status == 201:
                address = f"/v1/silences/{answer['silence_id']}"
                refused, _ = await house.call("DELETE", address, None, "traffic")
                ended, _ = await house.call("DELETE", address, None, who)
                assert (refused, ended) == (403, 200)


async def test_what_concerns_the_whole_city_needs_the_role_there(house: House) -> None:
    for who in PEOPLE:
        for method, path, body in [
            ("PUT", "/v1/calendar", {"days": []}),
            ("PUT", "/v1/departments/x", {}),
            ("POST", "/v1/deliveries/resend", {"state": "dead"}),
            ("POST", "/v1/endpoints", {}),
        ]:
            status, _ = await house.call(method, path, body, who)
            assert status == 403, (who, path)
        assert (await house.call("GET", "/v1/duty", None, who))[0] == 200


async def test_the_audit_tells_what_was_done_and_only_that(
    house: House, engine: AsyncEngine
) -> None:
    place = await at(house, engine, area_id="441203")
    await house.call("POST", f"{place}/acknowledge", {"note": "去看"}, "dinghu")
    await house.call("POST", f"{place}/close", NOTE, "dinghu")  # refused
    await house.call("POST", f"{place}/acknowledge", None, "city")  # too late
    async with engine.connect() as connection:
        rows = (await connection.execute(select(alerts_audit))).all()
    assert [(row.actor, row.kind, row.action) for row in rows] == [
        ("dinghu", "person", "incident.acknowledged")
    ]
    assert rows[0].subject == place.rpartition("/")[2]
    assert '"state":"open"' in rows[0].change
    assert '"state":"acknowledged"' in rows[0].change
    assert "去看" in rows[0].change
    assert rows[0].request_id
