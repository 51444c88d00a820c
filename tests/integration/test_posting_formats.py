"""Every format over HTTP and in the inbox, on a real database and event log."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.reading import Batch, decode_batch
from shared.contracts.topics import INBOX, READINGS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Outgoing
from tests.integration.cities import SENSOR, City, city, reading
from tests.waiting import eventually

LINES = {"Content-Type": "application/x-ndjson"}
EVENT = {"specversion": "1.0", "id": "e-1", "source": "urn:gauges", "type": "reading"}


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(
        engine, event_log, database_url, tmp_path, max_body_bytes=20_000, max_batch_items=50
    ) as made:
        yield made


async def logged(home: City) -> list[Batch]:
    async with home.context.log.read(READINGS, {}) as reader:
        return [decode_batch(record.value) for record in await reader.batch(1000, 0)]


def lines(*items: Any) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


async def post(home: City, content: Any, kind: str, **headers: str) -> httpx.Response:
    sent = {"Content-Type": kind} | {k.replace("_", "-"): v for k, v in headers.items()}
    return await home.client.post("/v1/readings", content=content, headers=sent)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_packed_bodies_are_taken(home: City, coding: str) -> None:
    pack = gzip.compress if coding == "gzip" else zstandard.ZstdCompressor().compress
    for kind, body in (
        ("application/json", json.dumps([reading(1), reading(2)]).encode()),
        ("application/x-ndjson", lines(reading(1), reading(2))),
        ("application/cloudevents+json", json.dumps(EVENT | {"data": [reading(1)] * 2}).encode()),
    ):
        answer = await post(home, pack(body), kind, Content_Encoding=coding)
        assert answer.status_code == 202, answer.text
        assert answer.json()["accepted"] == 2
        broken = await post(home, pack(body)[:-5], kind, Content_Encoding=coding)
        assert (broken.status_code, broken.json()["code"]) == (400, "malformed")
        assert broken.json()["position"] >= 0
    bomb = pack(b" " * 5_000_000)
    assert (await post(home, bomb, "application/json", Content_Encoding=coding)).status_code == 413
    refused = await post(home, b"{}", "application/json", Content_Encoding="br")
    assert (refused.status_code, refused.headers["accept-encoding"]) == (415, "gzip, zstd")


async def test_events_are_taken_in_every_mode_and_leave_a_trace(home: City) -> None:
    event = EVENT | {"data": reading(1), "district": "441202"}
    answers = [
        await post(home, json.dumps(event), "application/cloudevents+json"),
        await post(
            home,
            json.dumps([event, event | {"id": "e-2", "data": reading(2, 999)}]),
            "application/cloudevents-batch+json",
        ),
        await post(
            home, json.dumps(reading(3)), "application/json",
            ce_specversion="1.0", ce_id="e-3", ce_source="urn:gauges", ce_type="reading",
        ),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert [r["pointer"] for r in answers[1].json()["rejected"]] == ["/1/data/value"]
    assert [batch.trace for batch in await logged(home)] == [
        "0 urn:gauges e-1", "0 urn:gauges e-1", "0 urn:gauges e-3",
    ]  # fmt: skip
    wrong = await post(home, "{}", "application/json", ce_id="e-1")
    assert (wrong.status_code, wrong.json()["header"]) == (400, "ce-specversion")
    broken = await post(home, '{"specversion": }', "application/cloudevents+json")
    assert (broken.status_code, broken.json()["position"]) == (400, 16)


async def test_a_type_that_is_not_taken_says_what_is(home: City) -> None:
    answer = await post(home, b"a=1", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "application/x-ndjson" in answer.headers["accept-post"]


async def test_a_stream_of_any_length_is_answered_once(home: City) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for hour in range(24):
            for minute in range(60):
                moment = f"2026-04-30T{hour:02d}:{minute:02d}:00Z"
                yield lines(reading(0, 40, observed_at=moment))
            yield b"\n" + lines(reading(hour, 999))

    answer = await home.client.post("/v1/readings", content=stream(), headers=LINES)
    found = answer.json()
    assert answer.status_code == 202, answer.text
    assert (found["accepted"], found["items"], found["rejected_total"]) == (1440, 1464, 24)
    assert found["rejected_by_code"] == {"out_of_range": 24}
    assert [r["index"] for r in found["rejected"]] == [61 * hour + 60 for hour in range(24)]
    assert found["rejected"][1]["pointer"] == "/121/value"
    indexes = [item.index for batch in await logged(home) for item in batch.items]
    bad = {61 * hour + 60 for hour in range(24)}
    assert sorted(indexes) == [n for n in range(1464) if n not in bad]
    stop = asyncio.Event()
    writing = asyncio.ensure_future(home.service.jobs["ingest-writer"](stop))

    async def stored() -> bool:
        receipt = await home.client.get(f"/v1/receipts/{found['receipt']}")
        return bool(receipt.json()["status"] == "stored")

    assert await eventually(stored, 15)
    assert (await home.rows("SELECT count(*) FROM ingest.readings")) == [(1440,)]
    stop.set()
    await writing


async def test_a_bad_line_does_not_touch_its_neighbours(home: City) -> None:
    body = lines(reading(1)) + b"{nonsense\n" + b"[1]\n\xff\n" + lines(reading(2))
    found = (await home.client.post("/v1/readings", content=body, headers=LINES)).json()
    assert found["accepted"] == 2
    assert [(r["index"], r["pointer"], r["code"]) for r in found["rejected"]] == [
        (1, "/1", "malformed"), (2, "/2", "invalid_type"), (3, "/3", "malformed"),
    ]  # fmt: skip
    nothing = await home.client.post("/v1/readings", content=b"\n \n", headers=LINES)
    assert (nothing.status_code, nothing.json()["code"]) == (422, "empty")
    bad = await home.client.post("/v1/readings", content=b"{}\n", headers=LINES)
    assert (bad.status_code, bad.json()["receipt"]) == (422, None)


async def test_more_refusals_than_are_listed_are_counted(home: City) -> None:
    body = lines(*[reading(1, 999)] * 1500)
    found = (await home.client.post("/v1/readings", content=body, headers=LINES)).json()
    assert (len(found["rejected"]), found["rejected_total"]) == (1000, 1500)


async def test_a_log_that_fails_in_the_middle_tells_how_far_it_came(
    home: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, calls = home.context.log.publish, 0

    async def failing(records: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise Unavailable("event log: down")
        return await publish(records)

    monkeypatch.setattr(home.context.log, "publish", failing)
    body = lines(*[reading(n % 60, 1) for n in range(200)])
    answer = await home.client.post("/v1/readings", content=body, headers=LINES)
    found = answer.json()
    assert (answer.status_code, found["code"]) == (503, "unavailable")
    assert (found["items"], found["accepted"]) == (100, 100)
    assert int(answer.headers["retry-after"]) > 0 and found["receipt"]
    assert sum(len(batch.items) for batch in await logged(home)) == 100


async def test_a_key_for_a_stream_is_refused_clearly(home: City) -> None:
    headers = LINES | {"Idempotency-Key": '"k"'}
    answer = await home.client.post("/v1/readings", content=lines(reading(1)), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_stream")


async def test_the_inbox_takes_every_format(home: City) -> None:
    ce = {"ce_specversion": "1.0", "ce_id": "e-3", "ce_source": "urn:gauges", "ce_type": "reading"}
    records: list[tuple[bytes, dict[str, str]]] = [
        (json.dumps(EVENT | {"data": reading(1)}).encode(), {}),
        (json.dumps([EVENT | {"data": reading(2)}] * 2).encode(), {}),
        (json.dumps(reading(3)).encode(), ce | {"content-type": "application/json"}),
        (lines(reading(4), reading(5, 999)), {"content-type": "application/x-ndjson"}),
        (gzip.compress(json.dumps([reading(6)]).encode()), {"content-encoding": "gzip"}),
        (json.dumps(reading(7)).encode(), {}),
        (b"x", {"content-encoding": "gzip"}),
        (json.dumps(EVENT | {"specversion": "0.3", "data": reading(8)}).encode(), {}),
    ]
    outgoing = [
        Outgoing(INBOX, SENSOR, value, tuple((n, v.encode()) for n, v in headers.items()))
        for value, headers in records
    ]
    await home.context.log.publish(outgoing)
    stop = asyncio.Event()
    jobs = [home.service.jobs[f"ingest-{name}"](stop) for name in ("normaliser", "writer")]
    working = asyncio.gather(*jobs)

    async def done() -> bool:
        stored = await home.rows("SELECT count(*) FROM ingest.readings")
        aside = await home.rows("SELECT count(*) FROM ingest.quarantine")
        return (stored[0][0], aside[0][0]) == (6, 3)

    assert await eventually(done, 15), await home.rows("SELECT code, detail FROM ingest.quarantine")
    stop.set()
    await working
    codes = await home.rows("SELECT code FROM ingest.quarantine ORDER BY id")
    assert sorted(codes) == [("invalid_value",), ("malformed",), ("out_of_range",)]
    traces = [batch.trace for batch in await logged(home)]
    assert [trace for trace in traces if trace] == [
        "0 urn:gauges e-1", "0 urn:gauges e-1", "0 urn:gauges e-3",
    ]  # fmt: skip
