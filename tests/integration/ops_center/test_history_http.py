"""History over HTTP: its forms, its refusals, its bounds."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow.parquet
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.history.archive import Archive
from services.ops_center.history.caller import Caller
from services.ops_center.history.question import ExportQuestion, Selection
from services.ops_center.history.routes import Desk
from services.ops_center.history.span import Span
from shared.clock import system_clock
from shared.disclosure import files
from shared.errors import Overloaded
from shared.web.authenticator import Authenticator
from shared.web.clearances import clearance_of
from shared.web.endings import Endings
from shared.web.identity import Identity
from tests.integration.ops_center import past
from tests.integration.ops_center.conftest import Centre, seed

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = Span(START, START + timedelta(hours=1))
SPEED = "traffic.speed"


def speeds(count: int, sensor: str = "road-1") -> list[past.Reading]:
    return [
        {"sensor_id": sensor, "metric": SPEED, "observed_at": START + timedelta(seconds=n),
         "value": float(n), "quality": 0}
        for n in range(count)
    ]  # fmt: skip


async def get(centre: Centre, media_type: str, **params: Any) -> httpx.Response:
    async with centre.http(centre.screen_token) as http:
        return await http.get("/v1/history", params=params, headers={"Accept": media_type})


SPAN = {"from": HOUR.start.isoformat(), "to": HOUR.end.isoformat()}


async def test_another_department_fetches_every_reading(centre: Centre) -> None:
    await past.store(centre.engine, speeds(2_500) + speeds(10, "la-1"))
    asked = {"sensor_id": ["road-1", "la-1"], "resolution": "raw"} | SPAN
    answer = await get(centre, "text/csv", **asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="history.csv"'
    assert answer.headers["vary"] == "Accept"
    rows = list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))
    assert rows[0][:4] == ["sensor_id", "metric", "observed_at", "value"]
    assert [float(row[3]) for row in rows[11:]] == [float(n) for n in range(2_500)]
    answer = await get(centre, "application/vnd.apache.parquet", **asked)
    found = pyarrow.parquet.read_table(io.BytesIO(answer.content))
    assert found.num_rows == 2_510
    assert found["observed_at"][10].as_py() == START


async def test_every_question_over_http(centre: Centre) -> None:
    await past.store(centre.engine, speeds(100))
    at = (START + timedelta(seconds=99.5)).isoformat()
    body = (await get(centre, "application/geo+json", at=at, area_id="441202")).json()
    states = {f["properties"]["sensor_id"]: f["properties"]["state"] for f in body["features"]}
    assert states == {"road-1": "normal", "gauge-1": "no_data"}
    assert body["features"][1]["geometry"] == {"type": "Point", "coordinates": [112.4, 23.0]}
    areas = {"group_by": "district", "metric": SPEED, "points": 3} | SPAN
    body = (await get(centre, "application/json", **areas)).json()
    assert body["areas"][0]["name_en"] == "Duanzhou"
    assert (body["items"][0]["area_id"], body["items"][0]["max"]) == ("441202", 99.0)
    lines = (await get(centre, "application/x-ndjson", **areas)).text.splitlines()
    assert len(lines) == len(body["items"])


@pytest.mark.parametrize(
    ("media_type", "params", "status", "code"),
    [
        ("text/html", {"sensor_id": "road-1", "metric": SPEED}, 406, "not_acceptable"),
        ("application/geo+json", {"group_by": "city", "metric": SPEED}, 406, "not_acceptable"),
        ("*/*", {"group_by": "planet", "metric": SPEED}, 422, "invalid_request"),
        ("*/*", {"at": "2999-01-01T00:00:00Z"}, 422, "invalid_request"),
        ("*/*", {"resolution": "raw", "area_id": "nowhere"}, 422, "invalid_request"),
        ("*/*", {"resolution": "raw", "sensor_id": "nobody"}, 404, "unknown_sensor"),
        ("*/*", {"resolution": "fine"}, 422, "invalid_request"),
        ("*/*", {"sensor_id": "road-1", "metric": SPEED, "point": 5}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    centre: Centre, media_type: str, params: dict[str, Any], status: int, code: str
) -> None:
    answer = await get(centre, media_type, **params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 406:
        assert "text/csv" in answer.json()["offered"]


async def test_too_many_exports_are_told_when_to_come_again(engine: AsyncEngine) -> None:
    await seed(engine)
    desk, declaration = Desk(Archive(engine)), files.declaration()
    who = Identity("key", "x", "", frozenset(), "x")
    endings = Endings(engine, system_clock, Authenticator(engine, system_clock))
    clearance = clearance_of(declaration, who)
    caller = Caller(who, clearance, declaration, endings, lambda _: None)
    asked = ExportQuestion(Selection(), HOUR)
    answers = [await desk.answer(asked, "text/csv", caller) for _ in range(desk.exports.free)]
    with pytest.raises(Overloaded) as caught:
        await desk.answer(asked, "text/csv", caller)
    assert caught.value.retry_after_seconds > 0

    async def gone(_: Any) -> None:
        raise asyncio.CancelledError

    for answer in answers:
        with pytest.raises(asyncio.CancelledError):
            await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, _nothing, gone)
    await desk.answer(asked, "text/csv", caller)


async def _nothing() -> Any:
    await asyncio.Event().wait()
