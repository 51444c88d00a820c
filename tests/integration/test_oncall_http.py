"""People, rosters, chains and routes over HTTP, and what the first start enters."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.oncall import files
from services.alerts.oncall.repository import Repository
from shared.clock import system_clock
from shared.errors import Misconfigured
from shared.eventlog.log import EventLog
from tests.integration.alerting import ROOT
from tests.integration.test_alerts_http import ROLES, House, running

ZONE = ZoneInfo("Asia/Shanghai")
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def house(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    """With the people of Zhaoqing."""
    async with running(engine, event_log, database_url, tmp_path) as house:
        await Repository(engine, system_clock).seed(files.load(ROOT / "rules" / "oncall"))
        yield house


async def ids(house: House, path: str, field: str) -> list[str]:
    return [one[field] for one in (await house.call("GET", path))[1]["items"]]


async def test_the_first_start_enters_who_is_on_duty_and_only_it(
    house: House, engine: AsyncEngine
) -> None:
    assert await ids(house, "/v1/routes", "route_id") == ["urgent", "rest"]
    assert (await house.call("GET", "/v1/routes"))[1]["complaints"] == []
    assert (await house.call("DELETE", "/v1/routes/rest", who="admin"))[0] == 204
    await Repository(engine, system_clock).seed(files.load(ROOT / "rules" / "oncall"))
    assert await ids(house, "/v1/routes", "route_id") == ["urgent"]


async def test_somebody_is_on_duty_at_every_moment_of_the_year(house: House) -> None:
    for roster in ("command-centre", "leaders"):
        query = "from=2026-01-05T20:30:00%2B08:00&to=2026-12-31T00:00:00%2B08:00"
        _, page = await house.call("GET", f"/v1/rosters/{roster}/shifts?{query}")
        assert page["gap_minutes"] == 0
        for before, after in zip(page["items"], page["items"][1:], strict=False):
            assert before["ends_at"] == after["starts_at"]
    _, duty = await house.call("GET", "/v1/duty?at=2026-11-23T03:00:00%2B08:00")
    assert [item["layer"] for item in duty["items"]] == ["夜班", "周轮换"]
    assert all(item["people"] for item in duty["items"])


async def test_an_override_holds_and_can_be_taken_back(house: House) -> None:
    start = datetime(2026, 12, 1, 9, tzinfo=ZONE)
    body = {
        "people": ["deputy"], "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=3)).isoformat(), "reason": "换班",
    }  # fmt: skip
    place = "/v1/rosters/command-centre/overrides"
    status, made = await house.call("POST", place, body)
    assert (status, made["created_by"]) == (201, "dispatcher-1")
    moment = "/v1/duty?at=2026-12-01T10:00:00%2B08:00"

    async def on_duty() -> list[str]:
        item = (await house.call("GET", moment))[1]["items"][0]
        return [one["person_id"] for one in item["people"]]

    assert await on_duty() == ["deputy"]
    assert (await house.call("DELETE", f"{place}/{made['override_id']}"))[0] == 204
    assert (await house.call("DELETE", f"{place}/{made['override_id']}"))[0] == 404
    assert await on_duty() != ["deputy"]
    nobody = body | {"people": []}
    assert (await house.call("POST", place, nobody))[0] == 201
    assert (await house.call("GET", moment))[1]["items"][0]["gap"]
    for wrong in (body | {"people": ["stranger"]}, body | {"ends_at": body["starts_at"]}):
        assert (await house.call("POST", place, wrong))[0] == 422


async def test_who_would_be_told_of_an_incident_and_when(house: House) -> None:
    at = "2026-11-23T23:00:00+08:00"
    _, answer = await house.call("POST", "/v1/routes/test", {"priority": 1, "at": at})
    [route] = answer["items"]
    assert (route["route_id"], route["muted_until"]) == ("urgent", None)
    moments = [datetime.fromisoformat(call["at"]) for call in route["calls"]]
    waits = [(moment - moments[0]).total_seconds() / 60 for moment in moments]
    assert waits == [0, 5, 15, 20, 30, 35, 45, 50]
    assert len(route["calls"][1]["people"]) == 2
    assert route["calls"][1]["unreachable"] == [
        person["person_id"] for person in route["calls"][1]["people"]
    ]
    _, answer = await house.call("POST", "/v1/routes/test", {"priority": 3, "at": at})
    [route] = answer["items"]
    assert datetime.fromisoformat(route["muted_until"]) == datetime(2026, 11, 24, 7, tzinfo=ZONE)


def person(person_id: str, **fields: Any) -> dict[str, Any]:
    return {"person_id": person_id, "name": "李工"} | fields


async def test_nothing_names_what_there_is_not(house: House) -> None:
    chain = {"chain_id": "c", "name": "c", "steps": [
        {"kind": "notify", "targets": [{"kind": "person", "id": "li"}]}]}  # fmt: skip
    route = {"route_id": "first", "name": "r", "chain": "c"}
    status, problem = await house.call("PUT", "/v1/chains/c", chain, "admin")
    assert (status, problem["detail"]) == (422, "/: chain c: there is no person li")
    unknown = person("li", contacts=[NOBODY])
    assert (await house.call("PUT", "/v1/people/li", unknown, "admin"))[0] == 422
    assert (await house.call("PUT", "/v1/people/wang", person("li"), "admin"))[0] == 422
    for path, body in [("people/li", person("li")), ("chains/c", chain)]:
        assert (await house.call("PUT", f"/v1/{path}", body, "admin"))[0] == 200
    before = "/v1/routes/first?before=urgent"
    assert (await house.call("PUT", before, route, "admin"))[0] == 200
    assert await ids(house, "/v1/routes", "route_id") == ["first", "urgent", "rest"]
    for path in ("people/li", "chains/c"):
        status, problem = await house.call("DELETE", f"/v1/{path}", who="admin")
        assert (status, problem["code"]) == (409, "conflict")
    for path in ("routes/first", "chains/c", "people/li"):
        assert (await house.call("DELETE", f"/v1/{path}", who="admin"))[0] == 204
        assert (await house.call("DELETE", f"/v1/{path}", who="admin"))[0] == 404


async def test_who_may_do_what_with_duty(house: House) -> None:
    people = {"operator", "dispatcher", "admin"}
    body: Any
    for method, path, body, admitted in [
        ("GET", "/v1/people", None, people), ("GET", "/v1/rosters", None, people),
        ("GET", "/v1/chains", None, people), ("GET", "/v1/routes", None, people),
        ("GET", "/v1/duty", None, people), ("GET", "/v1/rosters/x/shifts", None, people),
        ("POST", "/v1/rosters/x/overrides", {}, people),
        ("DELETE", f"/v1/rosters/x/overrides/{NOBODY}", None, people),
        ("POST", "/v1/routes/test", {}, people),
        ("PUT", "/v1/people/x", {}, {"admin"}), ("DELETE", "/v1/people/x", None, {"admin"}),
        ("PUT", "/v1/rosters/x", {}, {"admin"}), ("DELETE", "/v1/rosters/x", None, {"admin"}),
        ("PUT", "/v1/chains/x", {}, {"admin"}), ("DELETE", "/v1/chains/x", None, {"admin"}),
        ("PUT", "/v1/routes/x", {}, {"admin"}), ("DELETE", "/v1/routes/x", None, {"admin"}),
    ]:  # fmt: skip
        assert (await house.call(method, path, body, ""))[0] == 401
        for who in ("screen", "key", *ROLES):
            status, _ = await house.call(method, path, body, who)
            assert (status != 403) == (who in admitted), (method, path, who, status)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("people: [{person_id: x}]", "people.0.name"),
        ("people: x", "people"),
        ("routes: [{route_id: a, name: a, chain: none}]", "there is no chain none"),
        ("a: [", "not readable"),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(Misconfigured, match=said):
        files.load(tmp_path)
