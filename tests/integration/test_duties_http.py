"""Departments, working days and performance over HTTP."""

import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.duties.deadlines import STEP_OF
from services.alerts.duties.performance import Performance, Span
from services.alerts.duties.routes_performance import to_csv
from services.alerts.incidents import ledger
from services.alerts.incidents import steps as made
from services.alerts.incidents.lifecycle import STEPS, Command, Wanted, step
from shared.contracts.incident import Incident, IncidentState
from shared.store.tables import areas
from tests.integration.alerting import roster
from tests.integration.test_alerts_http import House

CREW = {"operator", "dispatcher", "admin"}
EVERYBODY = {"screen", "key", "reporter", "viewer", *CREW}
OPENED = datetime(2026, 11, 2, 1, tzinfo=UTC)
SPAN = Span(OPENED, OPENED + timedelta(days=1))
NOW = OPENED + timedelta(days=20)


async def test_departments_are_entered_changed_and_used(house: House, engine: AsyncEngine) -> None:
    _, known = await house.call("GET", "/v1/departments")
    assert "水利局" in {item["name"]["zh"] for item in known["items"]}
    assert {one["kind"] for one in known["categories"]} == {"component", "event"}
    town = {"name": {"zh": "城东街道", "en": "East"}, "areas": ["441202"], "parent": "指挥中心"}
    place = "/v1/departments/城东街道"
    status, made_one = await house.call("PUT", place, town, "dispatcher")
    assert (status, made_one) == (200, town | {"categories": []})
    district = {"area_id": "441202", "level": "district", "name_zh": "端州区", "name_en": "D"}
    async with engine.begin() as connection:
        await connection.execute(insert(areas).values(district))
    for category, department in (("flooding", "城东街道"), ("manhole", "排水管理处")):
        body = {"category": category, "text": "x", "area_id": "441202", "reporter": "patrol"}
        _, answer = await house.call("POST", "/v1/reports", body)
        assert answer["incident"]["department"] == department
    cases: list[tuple[str, dict[str, Any], str]] = [
        (place, {"parent": "nobody"}, "no department nobody"),
        (place, {"parent": "城东街道"}, "above itself"),
        (place, {"categories": ["odd"]}, "no category odd"),
        ("/v1/departments/other", {}, "not the name"),
        (place, {"areas": 5}, "/areas"),
    ]
    for path, change, reason in cases:
        status, problem = await house.call("PUT", path, town | change, "dispatcher")
        assert status == 422 and reason in problem["detail"]
    circle = {"name": {"zh": "指挥中心", "en": "C"}, "parent": "城东街道"}
    assert (await house.call("PUT", "/v1/departments/指挥中心", circle, "admin"))[0] == 422
    assert (await house.call("DELETE", place, who="dispatcher"))[0] == 204
    assert (await house.call("DELETE", place, who="dispatcher"))[0] == 404


async def test_operators_override_days(house: House) -> None:
    query = "/v1/calendar?from=2026-12-30&to=2027-01-02"
    _, before = await house.call("GET", query)
    assert [day["working"] for day in before["items"]][:2] == [True, True]
    assert before["zone"] == "Asia/Shanghai" and len(before["hours"]) == 2
    known = before["unknown_years"] == []
    assert before["items"][2]["source"] == ("official" if known else "weekends")
    days = [{"day": "2026-12-31", "working": False, "note": "台风"},
            {"day": "2027-01-01", "working": False}]  # fmt: skip
    status, put = await house.call("PUT", "/v1/calendar", {"days": days})
    assert (status, [day["source"] for day in put["items"]]) == (200, ["override"] * 2)
    _, after = await house.call("GET", query)
    assert after["unknown_years"] == []
    assert after["items"][1] == {
        "day": "2026-12-31", "working": False, "source": "override", "note": "台风",
    }  # fmt: skip
    back = {"days": [{"day": day["day"], "working": None} for day in days]}
    await house.call("PUT", "/v1/calendar", back)
    assert (await house.call("GET", query))[1] == before
    wrongs: list[Any] = [{"days": []}, {"days": [{"day": "x", "working": True}]}, {}, []]
    for wrong in wrongs:
        assert (await house.call("PUT", "/v1/calendar", wrong))[0] == 422
    for wrong_query in ("from=2026-12-30&to=2026-12-29", "from=2026-01-01&to=2027-12-31", "to=x"):
        assert (await house.call("GET", f"/v1/calendar?{wrong_query}"))[0] == 422


async def test_who_may(house: House) -> None:
    bosses = {"dispatcher", "admin"}
    for method, path, admitted in [
        ("GET", "/v1/departments", EVERYBODY), ("PUT", "/v1/departments/x", bosses),
        ("DELETE", "/v1/departments/x", bosses), ("GET", "/v1/calendar", EVERYBODY),
        ("PUT", "/v1/calendar", CREW), ("GET", "/v1/performance", EVERYBODY),
    ]:  # fmt: skip
        body: Any = {} if method == "PUT" else None
        assert (await house.call(method, path, body, ""))[0] == 401
        for who in EVERYBODY:
            status, _ = await house.call(method, path, body, who)
            assert (status != 403) == (who in admitted), (method, path, who, status)


async def test_performance_over_http(house: House) -> None:
    [incident] = await house.opened()
    place = f"/v1/incidents/{incident['id']}"
    await house.call("POST", f"{place}/acknowledge", {})
    await house.call("POST", f"{place}/close", {"note": "x"})
    await house.call("POST", f"{place}/reopen", {})
    for by in ("department", "area", "category"):
        status, answer = await house.call("GET", f"/v1/performance?by={by}")
        assert status == 200
        [item] = answer["items"]
        assert (item["opened"], item["resolved"], item["closed"]) == (1, 1, 0)
        assert item["reopened_share"] == 1.0
        assert item["on_time"] == {
            "acknowledge": 1.0, "dispatch": 1.0, "handle": None, "verify": None,
        }  # fmt: skip
        assert 0 <= item["mtta_seconds"]["mean"] <= item["mttr_seconds"]["mean"]
    headers = {"Authorization": "Bearer viewer", "Accept": "text/csv"}
    answer = await house.client.get("/v1/performance", headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[0].startswith("name,opened,closed,resolved,mtta_mean")
    assert answer.text.splitlines()[1].startswith("指挥中心,1,0,1,")
    for query in ("by=month", "from=x", "from=2026-01-01", "to=0001-01-01T00:00:00Z",
                  "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"):  # fmt: skip
        assert (await house.call("GET", f"/v1/performance?{query}"))[0] == 422, query


def test_a_name_is_no_formula() -> None:
    row = dict.fromkeys(
        ("opened", "closed", "resolved", "mtta_mean", "mtta_median", "mtta_p90", "mttr_mean",
         "mttr_median", "mttr_p90", "reopened_share", "on_time_acknowledge", "on_time_dispatch",
         "on_time_handle", "on_time_verify"), 1,
    )  # fmt: skip
    assert to_csv([row | {"name": "=1+1"}]).splitlines()[1].startswith("'=1+1,1")


WORK = st.tuples(st.sampled_from(list(Command)), st.integers(1, 20_000))
CASES = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 4), st.lists(WORK, max_size=12)),
    max_size=8,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CASES)
async def test_performance_is_what_the_timelines_say(
    engine: AsyncEngine, cases: list[tuple[str | None, int, list[tuple[Command, int]]]]
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE alerts.incidents CASCADE"))
    duties = await roster(engine).look()
    histories: dict[str | None, list[list[Incident]]] = defaultdict(list)
    for department, grade, work in cases:
        case = Incident(
            id=uuid4(), title="t", state=IncidentState.OPEN, grade=grade, priority=1, area_id=None,
            subjects=(), rule_id=None, rule_version=None, opened_at=OPENED, updated_at=OPENED,
            observed_at=OPENED, deadline_at=None, department=department,
        )  # fmt: skip
        case = duties.opened(case, None, ()).model_copy(update={"department": department})
        history = [case]
        events = [made.event(case, "incident.opened")]
        for command, seconds in work:
            before = history[-1]
            at = before.updated_at + timedelta(seconds=seconds)
            scales = {"grade": seconds % 4 + 1} if command is Command.REGRADE else None
            to = None if command is not Command.DISPATCH else department or "c"
            after = step(before, command, at, Wanted("n", to, scales=scales))
            if isinstance(after, Incident):
                after = duties.moved(before, after)
                history.append(after)
                events.append(made.event(after, STEPS[command].event, "li"))
        async with engine.begin() as connection:
            for event in events:
                await ledger.record(connection, event)
        histories[history[-1].department].append(history)
    rows = await Performance(engine).measure("department", SPAN, NOW)
    assert {row["name"] for row in rows} == set(histories)
    for row in rows:
        assert_agrees(row, histories[row["name"]])


def assert_agrees(row: dict[str, Any], histories: list[list[Incident]]) -> None:
    """The figures, counted by hand."""
    taken, solved, reopened = [], [], 0
    done: dict[str, list[bool]] = defaultdict(list)
    for history in histories:
        first = [one for one in history if one.state != IncidentState.OPEN]
        over = [one for one in history if one.state in ("resolved", "closed")]
        taken += [(first[0].updated_at - OPENED).total_seconds()] if first else []
        solved += [(over[0].updated_at - OPENED).total_seconds()] if over else []
        reopened += any(
            one.state != IncidentState.OPEN and after.state == IncidentState.OPEN
            for one, after in pairwise(history)
        )
        for number, one in enumerate(history):
            duty, due = STEP_OF[one.state], one.step_due_at
            after = history[number + 1] if number + 1 < len(history) else None
            if duty is None or due is None or (after and STEP_OF[after.state] is duty):
                continue
            if after is not None:
                done[duty].append(after.updated_at <= due)
            elif due < NOW:
                done[duty].append(False)
    assert row["opened"] == len(histories)
    assert row["closed"] == sum(history[-1].state == "closed" for history in histories)
    assert row["resolved"] == len(solved)
    for name, values in (("mtta", taken), ("mttr", solved)):
        mean = statistics.fmean(values) if values else None
        median = statistics.median(values) if values else None
        assert row[f"{name}_mean"] == (None if mean is None else pytest.approx(mean))
        assert row[f"{name}_median"] == (None if median is None else pytest.approx(median))
    share = reopened / len(solved) if solved else None
    assert row["reopened_share"] == (None if share is None else pytest.approx(share))
    for duty in STEP_OF.values():
        if duty is not None:
            kept = done[duty]
            expected = None if not kept else pytest.approx(sum(kept) / len(kept))
            assert row[f"on_time_{duty}"] == expected
