"""Bulk exports: parts, their checksums, cut transfers, what is new since the last time."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow
import pyarrow.parquet
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.tables import rollup_watermark
from tests.integration.ops_center import past
from tests.integration.ops_center.conftest import Centre

START = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPEED = "traffic.speed"


def speeds(first: datetime, count: int, sensor: str = "road-1") -> list[past.Reading]:
    return [
        {"sensor_id": sensor, "metric": SPEED, "observed_at": first + timedelta(seconds=20 * n),
         "value": n + 0.5, "quality": n % 3}
        for n in range(count)
    ]  # fmt: skip


async def ask(centre: Centre, method: str, path: str, **more: Any) -> httpx.Response:
    async with centre.http(centre.screen_token) as http:
        return await http.request(method, path, **more)


async def order(centre: Centre, **body: Any) -> dict[str, Any]:
    asked = {"dataset": "readings", "format": "csv"} | body
    answer = await ask(centre, "POST", "/v1/exports", json=asked)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/exports/{made['export_id']}"
    return made


async def fetch(centre: Centre, made: Mapping[str, Any]) -> list[httpx.Response]:
    answers = [await ask(centre, "GET", part["url"]) for part in made["parts"]]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return answers


async def manifest(centre: Centre, made: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(centre, "GET", f"/v1/exports/{made['export_id']}")).json()
    return found


def rows_of(answers: Sequence[httpx.Response]) -> list[list[str]]:
    """Of CSV, without the headers."""
    texts = [io.StringIO(answer.text, newline="") for answer in answers]
    return [row for one in texts for row in list(csv.reader(one, strict=True))[1:]]


async def close(engine: AsyncEngine, until: datetime) -> None:
    """As the refresher says that nothing before is still to come."""
    async with engine.begin() as connection:
        await connection.execute(update(rollup_watermark).values(closed_to=until))


async def test_every_form_holds_every_reading_and_its_checksum(centre: Centre) -> None:
    await past.store(centre.engine, speeds(START, 5_000) + speeds(START, 40, "la-1"))
    found = {}
    for form in ("csv", "ndjson", "parquet"):
        made = await order(
            centre, format=form, metric=[SPEED], **{"from": START.isoformat(),
            "to": (START + 2 * DAY).isoformat()},
        )  # fmt: skip
        assert made["rows"] is None
        assert not made["complete"]
        assert [column["name"] for column in made["schema"]][:4] == [
            "sensor_id", "metric", "observed_at", "value"
        ]  # fmt: skip
        assert {c["name"]: c["unit"] for c in made["schema"]}["value"] == "km/h"
        answers = await fetch(centre, made)
        after = await manifest(centre, made)
        assert (after["complete"], after["rows"]) == (True, 5_040)
        for part, answer in zip(after["parts"], answers, strict=True):
            assert part["sha256"] == hashlib.sha256(answer.content).hexdigest()
            assert part["bytes"] == len(answer.content)
        found[form] = answers
    table = pyarrow.concat_tables(
        [pyarrow.parquet.read_table(io.BytesIO(one.content)) for one in found["parquet"]]
    )
    lines = [json.loads(line) for one in found["ndjson"] for line in one.text.splitlines()]
    told = [(r["sensor_id"], r["observed_at"], r["value"], r["quality"]) for r in lines]
    assert told == [
        (r["sensor_id"], f"{r['observed_at']:%Y-%m-%dT%H:%M:%S.%f}Z", r["value"], r["quality"])
        for r in table.to_pylist()
    ]
    assert [(row[0], float(row[3])) for row in rows_of(found["csv"])] == [
        (sensor, value) for sensor, _, value, _ in told
    ]
    assert sorted(told) == told, "by sensor and time"
    assert len(set(told)) == 5_040


async def test_a_cut_transfer_goes_on_and_the_checksums_agree(centre: Centre) -> None:
    await past.store(centre.engine, speeds(START, 4_000))
    made = await order(centre, **{"from": START.isoformat(), "to": (START + DAY).isoformat()})
    url = made["parts"][0]["url"]
    got = b""
    async with centre.http(centre.screen_token) as http, http.stream("GET", url) as answer:
        etag = answer.headers["etag"]
        async for chunk in answer.aiter_bytes(1_000):
            got += chunk
            if len(got) > 20_000:
                break
    headers = {"Range": f"bytes={len(got)}-", "If-Range": etag}
    rest = await ask(centre, "GET", url, headers=headers)
    assert rest.status_code == 206
    whole = got + rest.content
    assert rest.headers["content-range"] == f"bytes {len(got)}-{len(whole) - 1}/{len(whole)}"
    part = (await manifest(centre, made))["parts"][0]
    assert part["sha256"] == hashlib.sha256(whole).hexdigest()
    assert (part["rows"], part["revision"]) == (4_000, 1)
    beyond = await ask(centre, "GET", url, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range")


async def test_a_part_comes_out_the_same_elsewhere_and_anew_when_its_data_has_changed(
    centre: Centre,
) -> None:
    await past.store(centre.engine, speeds(START, 300) + speeds(START, 300, "la-1"))
    asked = {"format": "parquet", "from": START.isoformat(), "to": (START + DAY).isoformat()}
    made = await order(centre, **asked)
    first = (await fetch(centre, made))[0]
    for kept in (centre.data_dir / "exports").iterdir():
        kept.unlink()  # as on another replica
    again = (await fetch(centre, made))[0]
    assert again.content == first.content
    assert (await manifest(centre, made))["parts"][0]["revision"] == 1
    for kept in (centre.data_dir / "exports").iterdir():
        kept.unlink()
    await past.store(centre.engine, speeds(START + timedelta(hours=3), 1))
    url = made["parts"][0]["url"]
    headers = {"Range": "bytes=10-", "If-Range": first.headers["etag"]}
    changed = await ask(centre, "GET", url, headers=headers)
    assert changed.status_code == 200, "what was fetched before is not its beginning any more"
    part = (await manifest(centre, made))["parts"][0]
    assert (part["rows"], part["revision"]) == (601, 2)
    assert part["sha256"] == hashlib.sha256(changed.content).hexdigest()


async def test_a_cursor_gives_what_is_new_and_the_days_that_changed(centre: Centre) -> None:
    midnight = START - timedelta(hours=8)  # in China
    await past.store(centre.engine, speeds(midnight, 10) + speeds(midnight + DAY, 10))
    await close(centre.engine, midnight + 2 * DAY)
    first = await order(centre, metric=[SPEED], **{"from": midnight.isoformat()})
    assert first["to"] == f"{midnight + 2 * DAY:%Y-%m-%dT%H:%M:%S}Z"
    kept = {tuple(row[:3]): row for row in rows_of(await fetch(centre, first))}
    assert len(kept) == 20
    nothing = await order(centre, metric=[SPEED], since=first["next"])
    assert nothing["parts"] == []
    assert nothing["complete"]

    await past.store(centre.engine, speeds(midnight + timedelta(hours=7), 3))  # late
    await past.store(centre.engine, speeds(midnight + 2 * DAY, 5))
    async with centre.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO ingest.changed_days VALUES (:day, clock_timestamp())"),
            {"day": midnight},
        )
    await close(centre.engine, midnight + 3 * DAY)
    second = await order(centre, metric=[SPEED], since=nothing["next"])
    assert [part["kind"] for part in second["parts"]] == ["changed", "new"]
    changed = second["parts"][0]
    assert changed["from"] == f"{midnight:%Y-%m-%dT%H:%M:%S}Z"
    assert changed["to"] == f"{midnight + DAY:%Y-%m-%dT%H:%M:%S}Z"
    kept |= {tuple(row[:3]): row for row in rows_of(await fetch(centre, second))}
    whole = await order(centre, metric=[SPEED], **{"from": midnight.isoformat()})
    assert sorted(kept.values()) == sorted(rows_of(await fetch(centre, whole)))
    assert len(kept) == 28


async def test_sensors_as_entities_of_ngsi_ld(centre: Centre) -> None:
    made = await order(centre, dataset="sensors", format="ngsi-ld")
    (answer,) = await fetch(centre, made)
    assert answer.headers["content-type"] == "application/ld+json"
    entities = {one["id"]: one for one in answer.json()}
    road = entities["urn:ngsi-ld:Device:road-1"]
    assert road["type"] == "Device"
    assert road["location"]["value"]["type"] == "Point"
    assert SPEED in road["controlledProperty"]["value"]
    assert "location" not in entities["urn:ngsi-ld:Device:la-1"]
    later = await order(centre, dataset="sensors", format="csv", since=made["next"])
    assert later["parts"][0]["kind"] == "changed"
    answers = await fetch(centre, later)
    assert "road-1" in answers[0].text, "within the overlap of a minute"


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"dataset": "secrets"}, 422, "/dataset"),
        ({"format": "ngsi-ld", "from": "2026-05-01T00:00:00Z"}, 422, "/format"),
        ({}, 422, "/from"),
        ({"from": "2026-05-01T00:00:00"}, 422, "/from"),
        ({"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}, 422, "/from"),
        ({"from": "2026-05-01T00:00:00Z", "since": "eA"}, 422, "/from"),
        ({"from": "2026-05-01T00:00:00Z", "metric": ["no.such"]}, 422, "/metric"),
        ({"from": "1900-05-01T00:00:00Z", "metric": [SPEED]}, 201, ""),
        ({"dataset": "incidents", "metric": [SPEED], "from": "2026-05-01T00:00:00Z"}, 422,
         "/dataset"),
        ({"since": "bm9uc2Vuc2U"}, 422, ""),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said(
    centre: Centre, body: dict[str, Any], status: int, pointer: str
) -> None:
    asked = {"dataset": "readings", "format": "csv"} | body
    answer = await ask(centre, "POST", "/v1/exports", json=asked)
    assert answer.status_code == status, answer.text
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_export_is_its_makers_alone(centre: Centre) -> None:
    made = await order(centre, dataset="sensors")
    url = f"/v1/exports/{made['export_id']}"
    name, password = centre.login
    async with centre.http() as http:
        body = {"username": name, "password": password}
        await http.post("/v1/session", json=body)
        token = (await http.post("/v1/session", json=body)).json()["token"]
    async with centre.http(token) as admin:
        listed = (await admin.get("/v1/exports")).json()["items"]
        assert [one["export_id"] for one in listed] == [made["export_id"]]
        assert (await admin.get(f"{url}/parts/1")).status_code == 404
        audit = (await admin.get("/v1/audit", params={"action": "export.made"})).json()["items"]
        assert audit[0]["subject"] == made["export_id"]
    assert (await ask(centre, "GET", f"{url}/parts/2")).status_code == 404
    assert (await ask(centre, "GET", "/v1/exports/" + "0" * 8)).status_code == 422
