"""What people do with incidents over HTTP: grades, departments, notes, merging, splitting."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import system_clock
from shared.contracts.topics import INCIDENTS
from shared.store.tables import alerts, areas, incidents, timeline
from tests.integration.alerting import gas, outgoing
from tests.integration.test_alerts_http import House
from tests.integration.test_reports import report
from tests.waiting import eventually


async def told(house: House, incident: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(type, actor, note) of every step."""
    _, shown = await house.call("GET", f"/v1/incidents/{incident['id']}")
    assert [step["version"] for step in shown["timeline"]] == list(range(1, shown["version"] + 1))
    return [
        (step["type"].removeprefix("incident."), step["actor"], step["note"])
        for step in shown["timeline"]
    ]


async def do(
    house: House, incident: dict[str, Any], command: str, /, **body: Any
) -> tuple[int, Any]:
    return await house.call("POST", f"/v1/incidents/{incident['id']}/{command}", body)


async def test_grades_departments_and_notes(house: House, engine: AsyncEngine) -> None:
    area = {"area_id": "441202", "level": "district", "name_zh": "端州区", "name_en": "D"}
    async with engine.begin() as connection:
        await connection.execute(insert(areas).values(area))
    [incident] = await house.opened()
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("regrade", {"note": "worse", "grade": 1, "warning": "red"}, {"grade": 1, "priority": 1}),
        ("regrade", {"note": "better", "warning": None}, {"grade": 1, "warning": None}),
        ("assign", {"area_id": "441202"}, {"assigned_area": "441202", "state": "open"}),
        ("comment", {"note": "电话已打"}, {"state": "open"}),
        ("dispatch", {"note": "go", "department": "燃气公司"}, {"state": "dispatched"}),
        ("start", {}, {"state": "handling"}),
        ("transfer", {"note": "not ours", "department": "城管局"}, {"state": "dispatched"}),
        ("resolve", {}, {"state": "resolved"}),
        ("close", {"note": "ok"}, {"state": "closed", "step_due_at": None}),
        ("comment", {"note": "thanks"}, {"state": "closed"}),
    ]
    for command, body, expected in cases:
        status, after = await do(house, incident, command, **body)
        assert status == 200, (command, after)
        assert after.items() >= expected.items(), command
    assert after["department"] == "城管局"
    assert after["held"] == ["grade", "warning"]
    steps = await told(house, incident)
    assert steps[1:4] == [
        ("regraded", "dispatcher-1", "worse"), ("regraded", "dispatcher-1", "better"),
        ("assigned", "dispatcher-1", ""),
    ]  # fmt: skip


async def test_illegal_commands_say_why(house: House) -> None:
    [one, other] = await house.opened(2)
    nobody = "00000000-0000-0000-0000-000000000000"
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("regrade", {"note": "x"}, 422, "grade_needed"),
        ("regrade", {"grade": 1}, 422, "note_needed"),
        ("regrade", {"note": "x", "grade": one["grade"]}, 409, "unchanged"),
        ("regrade", {"note": "x", "grade": 5}, 422, "invalid_request"),
        ("regrade", {"note": "x", "warning": "pink"}, 422, "invalid_request"),
        ("acknowledge", {"grade": 1}, 422, "unfit"),
        ("assign", {}, 422, "department_needed"),
        ("assign", {"area_id": "atlantis"}, 422, "unknown_area"),
        ("transfer", {"note": "x", "department": "y"}, 409, "illegal_transition"),
        ("comment", {}, 422, "note_needed"),
        ("merge", {"into": other["id"]}, 422, "note_needed"),
        ("merge", {"into": one["id"], "note": "x"}, 422, "unfit"),
        ("merge", {"into": other["id"], "note": "x", "version": 9}, 409, "stale"),
        ("merge", {"into": nobody, "note": "x"}, 404, "not_found"),
        ("merge", {"note": "x"}, 422, "invalid_request"),
        ("split", {"note": "x"}, 422, "unfit"),
        ("split", {"note": "x", "alerts": [one["id"]]}, 422, "unfit"),  # nothing would stay
        ("split", {"note": "x", "alerts": [nobody]}, 422, "unfit"),
        ("split", {"note": "x", "reports": [nobody]}, 422, "unfit"),
        ("link", {"incident": one["id"]}, 422, "unfit"),
        ("unlink", {"incident": other["id"]}, 409, "unchanged"),
    ]
    for command, body, status, code in cases:
        answered, problem = await do(house, one, command, **body)
        assert (answered, problem["code"]) == (status, code), (command, body, problem)
        assert problem["detail"]
        if status == 409:  # whoever was second sees how it is now
            assert (problem["incident"]["id"], problem["incident"]["version"]) == (one["id"], 1)
    assert len(await told(house, one)) == 1
    await do(house, other, "close", note="x")
    answered, problem = await do(house, one, "merge", into=other["id"], note="x")
    assert (answered, problem["code"]) == (409, "illegal_transition")


async def test_merging_and_splitting_is_a_round_trip(house: House, engine: AsyncEngine) -> None:
    [one, other] = await house.opened(2)
    _, before = await house.call("GET", f"/v1/incidents/{one['id']}/alerts")
    [moving] = before["items"]
    status, pair = await do(house, one, "merge", into=other["id"], note="same leak")
    assert status == 200
    gone, home = pair["incident"], pair["other"]
    assert (gone["state"], gone["merged_into"], gone["alarms"]) == ("closed", other["id"], [])
    assert home["members"] == 2
    assert set(home["subjects"]) == {*one["subjects"], *other["subjects"]}
    assert len(home["alarms"]) == 2
    _, page = await house.call("GET", "/v1/incidents?top=true")
    assert [item["id"] for item in page["items"]] == [other["id"]]
    _, refused = await do(house, one, "reopen")
    assert refused["code"] == "merged"

    body = {"alerts": [moving["alert_id"]], "note": "two leaks after all", "title": "另一处"}
    status, pair = await do(house, other, "split", **body)
    assert status == 200
    left, new = pair["incident"], pair["other"]
    assert (new["subjects"], new["members"], new["title"]) == (one["subjects"], 1, "另一处")
    assert new["state"] == "open" and new["step_due_at"] is not None
    assert (left["subjects"], left["members"]) == (other["subjects"], 1)
    assert left["links"] == [new["id"]] and new["links"] == [left["id"]]
    me = "dispatcher-1"
    assert await told(house, one) == [("opened", "rules", ""), ("merged", me, "same leak")]
    assert await told(house, other) == [
        ("opened", "rules", ""), ("absorbed", me, "same leak"),
        ("split", me, "two leaks after all"),
    ]  # fmt: skip
    assert await told(house, new) == [("opened", me, "two leaks after all")]
    async with house.log.read(INCIDENTS, {}) as reader:
        events: list[str] = []
        while len(events) < 6 and (records := await reader.batch(10, 5)):
            events += [json.loads(record.value)["type"] for record in records]
    assert len(events) == 6

    # The condition goes: the incident that has the alert now hears of it.
    cleared = [outgoing([gas(900, 1.0, new["subjects"][0])])]
    await house.log.publish(cleared)

    async def quiet() -> bool:
        _, shown = await house.call("GET", f"/v1/incidents/{new['id']}")
        return bool(shown["alert_state"] == "cleared")

    assert await eventually(quiet, 10)
    async with engine.connect() as connection:
        query = select(alerts.c.incident_id).where(alerts.c.state == "active")
        assert [str(row[0]) for row in await connection.execute(query)] == [other["id"]]


async def test_two_who_merge_crosswise_leave_one_incident(house: House) -> None:
    [one, other] = await house.opened(2)
    answers = await asyncio.gather(
        do(house, one, "merge", into=other["id"], note="x"),
        do(house, other, "merge", into=one["id"], note="x"),
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    _, page = await house.call("GET", "/v1/incidents?top=true&state=open")
    assert [item["members"] for item in page["items"]] == [2]


async def test_reports_go_with_their_incident(house: House) -> None:
    _, first = await report(house, place={"lon": 112.1, "lat": 23.0})
    _, second = await report(house, place={"lon": 112.2, "lat": 23.0})
    one, other = first["incident"], second["incident"]
    _, pair = await do(house, one, "merge", into=other["id"], note="one flood")
    assert pair["other"]["members"] == 2
    _, listed = await house.call("GET", f"/v1/incidents/{other['id']}/reports")
    assert len(listed["items"]) == 2
    _, pair = await do(house, other, "split", reports=[first["report_id"]], note="no, two")
    assert (pair["incident"]["members"], pair["other"]["members"]) == (1, 1)
    assert (pair["other"]["kind"], pair["other"]["alert_state"]) == ("report", "none")
    _, listed = await house.call("GET", f"/v1/incidents/{pair['other']['id']}/reports")
    assert [item["report_id"] for item in listed["items"]] == [first["report_id"]]
    status, problem = await do(
        house, other, "split", reports=[second["report_id"]], note="everything"
    )
    assert (status, problem["code"]) == (422, "unfit")


async def test_an_alerts_incident_and_a_report_merge_and_part(house: House) -> None:
    [alert] = await house.opened()
    _, answer = await report(house)
    told_of = answer["incident"]
    _, pair = await do(house, alert, "merge", into=told_of["id"], note="the same")
    home = pair["other"]
    assert (home["members"], home["alert_state"], home["priority"]) == (2, "active", 1)
    _, listed = await house.call("GET", f"/v1/incidents/{home['id']}/alerts")
    body = {"alerts": [listed["items"][0]["alert_id"]], "note": "no"}
    _, pair = await do(house, home, "split", **body)
    left, new = pair["incident"], pair["other"]
    assert (left["kind"], left["alert_state"], left["alarms"], left["subjects"]) == (
        "report", "none", [], [],
    )  # fmt: skip
    assert (left["members"], new["kind"], new["alert_state"]) == (1, "alert", "active")


async def test_links_are_mutual(house: House) -> None:
    [one, other] = await house.opened(2)
    for command, links in (("link", 1), ("unlink", 0)):
        status, pair = await do(house, one, command, incident=other["id"])
        assert status == 200
        assert [len(each["links"]) for each in pair.values()] == [links, links]
        again, problem = await do(house, one, command, incident=other["id"])
        assert (again, problem["code"]) == (409, "unchanged")
    assert [step[0] for step in await told(house, other)] == ["opened", "linked", "unlinked"]


async def test_who_may(house: House) -> None:
    [one, other] = await house.opened(2)
    leads = {"dispatcher", "admin"}
    crew = {"operator", *leads}
    everybody = {"screen", "key", "reporter", "viewer", *crew}
    place = f"/v1/incidents/{one['id']}"
    for method, path, admitted in [
        ("POST", f"{place}/merge", leads), ("POST", f"{place}/split", leads),
        ("POST", f"{place}/link", crew), ("POST", f"{place}/unlink", crew),
        ("POST", f"{place}/regrade", leads), ("POST", f"{place}/assign", leads),
        ("POST", f"{place}/transfer", leads), ("POST", f"{place}/comment", crew),
        ("GET", f"{place}/alerts", everybody),
    ]:  # fmt: skip
        for who in everybody:
            status, _ = await house.call(method, path, {} if method == "POST" else None, who)
            assert (status != 403) == (who in admitted), (path, who, status)
        assert (await house.call(method, path, None, ""))[0] == 401
    assert len(await told(house, other)) == 1


async def test_lists_narrow(house: House, engine: AsyncEngine) -> None:
    tree = [("441200", None, "city"), ("441202", "441200", "district"), ("t1", "441202", "town")]
    async with engine.begin() as connection:
        for area_id, parent, level in tree:
            row = {"area_id": area_id, "parent_id": parent, "level": level, "name_zh": "x"}
            await connection.execute(insert(areas).values(row | {"name_en": "x"}))
    found = await house.opened(4)
    now = system_clock()
    past = now - timedelta(minutes=1)
    changes: list[dict[str, Any]] = [
        {"area_id": "441202", "category": "gas", "grade": 4, "title": "100% 泄漏"},
        {"area_id": "t1", "department": "燃气公司", "step_due_at": past},
        {"assigned_area": "t1", "state": "resolved", "deadline_at": past},
        {"state": "closed", "merged_into": found[0]["id"], "step_due_at": past},
    ]
    async with engine.begin() as connection:
        everyone = {"step_due_at": None, "deadline_at": None, "department": None}
        await connection.execute(update(incidents).values(everyone))
        for incident, change in zip(found, changes, strict=True):
            which = incidents.c.id == incident["id"]
            await connection.execute(update(incidents).where(which).values(change))
    stamp = now.isoformat().replace("+", "%2B")
    for query, numbers in [
        ("area_id=441200", [0, 1, 2]), ("area_id=t1", [1, 2]), ("area_id=nowhere", []),
        ("category=gas", [0]), ("grade=4", [0]), ("grade=4&grade=2", [0, 1, 2, 3]),
        ("department=燃气公司", [1]), ("overdue=true", [1]), ("overdue=false", [0, 2, 3]),
        ("top=true", [0, 1, 2]), ("top=false", [3]), ("state=open&state=closed", [0, 1, 3]),
        ("kind=alert", [0, 1, 2, 3]), ("kind=flood", []), ("q=0%25", [0]), ("q=%25%20泄", [0]),
        ("q=_", []), (f"q={found[2]['subjects'][0]}", [2]),
        (f"opened_from={stamp}", []), (f"opened_to={stamp}", [0, 1, 2, 3]),
        ("area_id=441200&state=open&overdue=true", [1]),
    ]:  # fmt: skip
        status, page = await house.call("GET", f"/v1/incidents?{query}")
        assert status == 200, (query, page)
        expected = [found[number]["id"] for number in numbers]
        assert [item["id"] for item in page["items"]] == expected, query
    first = "/v1/incidents?state=open&state=closed&limit=2"
    _, page = await house.call("GET", first)
    _, rest = await house.call("GET", f"{first}&cursor={page['next']}")
    ids = [item["id"] for item in page["items"] + rest["items"]]
    assert ids == [found[number]["id"] for number in (0, 1, 3)]
    for query in ("grade=0", "kind=odd", "overdue=perhaps", "opened_from=2026-01-01", "colour=red"):
        assert (await house.call("GET", f"/v1/incidents?{query}"))[0] == 422, query
    async with engine.connect() as connection:
        assert len((await connection.execute(select(timeline.c.event_id))).all()) == 4
