"""Data that is lent: asked for, decided with a reason, confined, counted, ended everywhere."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Message

from services.ingest import app as ingest
from services.ops_center import app as ops_center
from shared.clock import system_clock
from shared.eventlog.log import EventLog
from shared.runtime import Context, make_app
from shared.settings import Settings
from shared.store.tables import api_keys, areas, metrics, readings, sensors
from tests.integration.access.city import City
from tests.integration.access.lending import FIELDS, call, lent, wanted
from tests.waiting import eventually

AT = datetime(2026, 5, 1, tzinfo=UTC)
SPAN = "from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z"
RAW = f"/v1/history?resolution=raw&{SPAN}"


async def stored(engine: AsyncEngine, rows: int = 20) -> None:
    """Readings of two gauges, one in each of two districts."""
    async with engine.begin() as connection:
        for area_id, name in (("441202", "端州"), ("441204", "高要")):
            area = {"area_id": area_id, "level": "district", "name_zh": name, "name_en": name}
            await connection.execute(insert(areas).values(area).on_conflict_do_nothing())
        for code in ("water.level", "rain.hour"):
            kind = {"metric": code, "domain": "utilities", "unit": "m", "interval_seconds": 60,
                    "name_zh": code, "name_en": code}  # fmt: skip
            await connection.execute(insert(metrics).values(kind).on_conflict_do_nothing())
        for sensor_id, area_id in (("near", "441202"), ("far", "441204")):
            sensor = {
                "sensor_id": sensor_id, "name": sensor_id, "area_id": area_id,
                "metrics": ["water.level", "rain.hour"], "lon": 112.47, "lat": 23.05,
            }  # fmt: skip
            await connection.execute(insert(sensors).values(sensor))
            made = [
                {"sensor_id": sensor_id, "metric": code, "observed_at": AT + timedelta(minutes=n),
                 "value": float(n)}
                for code in ("water.level", "rain.hour")
                for n in range(rows)
            ]  # fmt: skip
            await connection.execute(insert(readings), made)


async def items(home: City, path: str, token: str) -> list[dict[str, Any]]:
    answer = await call(home, "GET", path, token)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_grant_tells_its_fields_of_its_areas_metrics_and_time(
    everything: City, engine: AsyncEngine
) -> None:
    await stored(engine)
    since = (AT + timedelta(minutes=5)).isoformat()
    _, token = await lent(
        everything, areas=["441202"], metrics=["water.level"], since=since,
        until=(AT + timedelta(minutes=15)).isoformat(),
    )  # fmt: skip
    told = await items(everything, RAW, token)
    assert len(told) == 10
    assert {one["sensor_id"] for one in told} == {"near"}
    assert all(f"readings.{name}" in FIELDS for one in told for name in one)
    minutes = f"{SPAN}&metric=water.level&sensor_id="
    assert await items(everything, f"/v1/history?{minutes}near", token) is not None
    elsewhere = await call(everything, "GET", f"/v1/history?{minutes}far", token)
    assert elsewhere.status_code == 404
    rain = await call(everything, "GET", f"{RAW}&metric=rain.hour", token)
    assert (rain.status_code, rain.json()["code"]) == (403, "not_granted")
    before = await call(everything, "GET", "/v1/history?at=2026-05-01T00:01:00Z", token)
    assert before.status_code == 403


async def test_a_grants_key_does_nothing_else(everything: City, engine: AsyncEngine) -> None:
    await stored(engine)
    _, token = await lent(everything)
    for method, path, body in (
        ("GET", "/v1/sensors", None), ("GET", "/v1/incidents", None), ("GET", "/v1/grants", None),
        ("GET", "/v1/rules", None), ("POST", "/v1/grants", wanted()), ("GET", "/v1/keys", None),
        ("POST", "/v1/readings", []),
    ):  # fmt: skip
        answer = await call(everything, method, path, token, body)
        assert answer.status_code in (401, 403) or path == "/v1/grants", (path, answer.text)
    _, wider = await lent(everything, fields=[*FIELDS, "sensors.sensor_id", "sensors.area_id"])
    told = await items(everything, "/v1/sensors", wider)
    assert told and all(set(one) == {"sensor_id", "area_id"} for one in told)


async def test_who_asks_decides_nothing_and_everything_is_on_record(everything: City) -> None:
    asked = (await call(everything, "POST", "/v1/grants", "admin", wanted())).json()
    place, decision = f"/v1/grants/{asked['grant_id']}", {"approve": True, "reason": "好"}
    own = await call(everything, "POST", f"{place}/decision", "admin", decision)
    assert (own.status_code, own.json()["code"]) == (403, "own")
    early = await call(everything, "POST", f"{place}/key", "admin")
    assert (early.status_code, early.json()["code"]) == (409, "requested")
    theirs = await call(everything, "POST", f"{place}/revoke", "viewer", {"reason": "不"})
    assert theirs.status_code == 403
    withdrawn = await call(everything, "POST", f"{place}/revoke", "admin", {"reason": "不需要了"})
    assert withdrawn.json()["state"] == "revoked"
    grant_id, _ = await lent(everything)
    key_id = (await call(everything, "GET", f"/v1/grants/{grant_id}", "viewer")).json()["key_id"]
    for method, path in (("PATCH", ""), ("POST", "/rotate"), ("DELETE", "")):
        answer = await call(everything, method, f"/v1/keys/{key_id}{path}", "admin", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "lent")
    again = await call(everything, "POST", f"/v1/grants/{grant_id}/decision", "admin", decision)
    assert (again.status_code, again.json()["code"]) == (409, "active")
    seen = (await call(everything, "GET", "/v1/grants?state=active", "viewer")).json()["items"]
    assert [(one["decided_by"], one["reason"]) for one in seen] == [("admin", "防汛")]
    trail = (await call(everything, "GET", "/v1/audit?action=grant.*", "admin")).json()["items"]
    assert [one["action"] for one in trail] == [
        "grant.key_made", "grant.approved", "grant.requested", "grant.revoked", "grant.requested",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"fields": ["readings.colour"]}, "/fields/0"),
        ({"fields": ["reports.phone"]}, "/fields/0"),
        ({"fields": ["readings.value"], "kind": "person"}, "/fields/0"),
        ({"metrics": ["no.such"]}, "/metrics/0"),
        ({"areas": ["9"]}, "/areas/0"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "/ends_at"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "/until"),
    ],
)
async def test_what_cannot_be_granted_says_why(
    everything: City, fields: dict[str, Any], pointer: str
) -> None:
    answer = await call(everything, "POST", "/v1/grants", "viewer", wanted(**fields))
    assert answer.status_code == 422
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


async def test_usage_is_counted_and_accesses_are_audited_once_an_hour(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path, everything: City
) -> None:
    await stored(engine)
    grant_id, token = await lent(everything)
    for _ in range(3):
        assert len(await items(everything, f"{RAW}&sensor_id=near", token)) == 40
    await everything.context.accesses.write("ops")
    usage = (await call(everything, "GET", f"/v1/grants/{grant_id}/usage", "viewer")).json()
    assert (usage["requests"], usage["rows"]) == (3, 120)
    assert {one["dataset"] for one in usage["items"]} == {"readings"}
    for _ in range(2):
        await call(everything, "GET", "/v1/incidents", "viewer")
    await everything.context.accesses.write("ops")
    path = "/v1/audit?action=data.accessed&subject=incidents"
    trail = (await call(everything, "GET", path, "admin")).json()["items"]
    assert [(one["actor"], one["after"]["level"]) for one in trail] == [("viewer", "internal")]


class Export:
    """An export that is under way: its client takes a part and then waits."""

    def __init__(self, home: City, token: str) -> None:
        self.sent: list[Message] = []
        self.stuck = asyncio.Event()
        path, _, query = RAW.partition("?")
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("city", 80),
            "headers": [(b"authorization", f"Bearer {token}".encode()), (b"accept", b"text/csv")],
            "scheme": "http", "http_version": "1.1", "asgi": {"spec_version": "2.4"},
        }  # fmt: skip
        self.task = asyncio.ensure_future(home.app(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        if len(self.sent) > 1:
            self.stuck.set()
            await asyncio.Event().wait()


async def test_revocation_cuts_an_export_under_way_on_another_replica(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path, everything: City
) -> None:
    """The replica that serves the export is not the one that is told."""
    await stored(engine, rows=3_000)
    grant_id, token = await lent(everything)
    context = Context(Settings(data_dir=tmp_path), database_url, engine, event_log)
    services = [await one.build(context) for one in (ingest, ops_center)]
    other = City(make_app(context, services), [], {}, everything.client, context)
    stop = asyncio.Event()
    watching = asyncio.ensure_future(context.endings.run(stop))
    export = Export(other, token)
    try:
        async with asyncio.timeout(60):
            await export.stuck.wait()
        body = {"reason": "滥用"}
        ended = await call(everything, "POST", f"/v1/grants/{grant_id}/revoke", "admin", body)
        assert ended.json()["state"] == "revoked"
        async with asyncio.timeout(60):
            await export.task
        assert all(message.get("more_body", True) for message in export.sent), "it looks whole"
        assert await eventually(lambda: _refused(everything, token), 10)
    finally:
        stop.set()
        await watching
        for service in services:
            for close in service.closers:
                await close()


async def test_a_grant_that_runs_out_ends_what_is_under_way(
    engine: AsyncEngine, everything: City
) -> None:
    await stored(engine, rows=3_000)
    _, token = await lent(everything)
    context, stop = everything.context, asyncio.Event()
    watching = asyncio.ensure_future(context.endings.run(stop))
    export = Export(everything, token)
    try:
        async with asyncio.timeout(60):
            await export.stuck.wait()
        async with engine.begin() as connection:
            await connection.execute(
                update(api_keys).where(api_keys.c.name.startswith("grant"))
                .values(expires_at=system_clock())
            )  # fmt: skip
        async with asyncio.timeout(60):
            await export.task
    finally:
        stop.set()
        await watching


async def _refused(home: City, token: str) -> bool:
    return (await call(home, "GET", "/v1/areas", token)).status_code == 401
