"""`Idempotency-Key`: one answer for one key, on a real database and event log."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.border import idempotency
from services.ingest.border.idempotency import LEASE, Memory, key_of
from shared.contracts.topics import READINGS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.web.problems import Problem
from tests.integration.cities import NOW, City, city, reading


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


async def post(home: City, items: Any, key: str = '"k-1"', **headers: str) -> httpx.Response:
    sent = {"Idempotency-Key": key, "Content-Type": "application/json", **headers}
    body = items if isinstance(items, bytes) else json.dumps(items).encode()
    return await home.client.post("/v1/readings", content=body, headers=sent)


async def records(home: City) -> int:
    async with home.context.log.read(READINGS, {}) as reader:
        return len(await reader.batch(1000, 0))


async def test_a_repeat_gets_the_same_answer_and_publishes_nothing(
    home: City, engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> None:
    items = [reading(1), reading(2, 999)]
    first = await post(home, items)
    assert first.status_code == 202 and "idempotency-replayed" not in first.headers
    packed = gzip.compress(json.dumps(items).encode())
    for again in (
        await post(home, items),
        await post(home, items, "k-1"),
        await post(home, packed, **{"Content-Encoding": "gzip"}),
    ):
        assert (again.status_code, again.content) == (202, first.content)
        assert again.headers["idempotency-replayed"] == "true"
    async with city(engine, event_log, database_url, tmp_path) as restarted:
        headers = {
            "Idempotency-Key": '"k-1"',
            "Content-Type": "application/json",
            "Authorization": home.client.headers["authorization"],
        }
        body = json.dumps(items).encode()
        later = await restarted.client.post("/v1/readings", content=body, headers=headers)
        assert (later.status_code, later.content) == (202, first.content)
    assert await records(home) == 1
    other = await post(home, items, "k-2")
    assert other.json()["receipt"] != first.json()["receipt"]


async def test_a_key_with_another_request_is_422(home: City) -> None:
    await post(home, reading(1))
    answer = await post(home, reading(2))
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_reused")
    event = {"specversion": "1.0", "id": "1", "source": "x", "type": "y"}
    binary = {f"ce-{name}": value for name, value in event.items()}
    assert (await post(home, reading(1), **binary)).status_code == 422
    assert await records(home) == 1


async def test_what_was_refused_as_a_whole_may_be_mended(home: City) -> None:
    assert (await post(home, b"[")).status_code == 400
    assert (await post(home, reading(1))).status_code == 202
    refused = await post(home, reading(1, 999), '"k-2"')
    assert refused.status_code == 422
    assert (await post(home, reading(1, 999), '"k-2"')).content == refused.content


async def test_one_in_progress_is_409_and_a_failure_frees_its_key(
    home: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, gate = home.context.log.publish, asyncio.Event()
    reached = asyncio.Event()

    async def slow(outgoing: Any) -> Any:
        reached.set()
        await gate.wait()
        raise Unavailable("event log: down")

    monkeypatch.setattr(home.context.log, "publish", slow)
    first = asyncio.ensure_future(post(home, reading(1)))
    await reached.wait()
    second = await post(home, reading(1))
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_progress")
    assert second.headers["retry-after"]
    gate.set()
    assert (await first).status_code == 503
    monkeypatch.setattr(home.context.log, "publish", publish)
    assert (await post(home, reading(1))).status_code == 202


async def test_a_crash_between_the_two_writes_is_healed_by_a_repeat(
    home: City, engine: AsyncEngine
) -> None:
    answer = await post(home, reading(1))
    forget = text("UPDATE ingest.idempotency SET status = NULL, answer = NULL")
    async with engine.begin() as connection:
        await connection.execute(forget)
    assert (await post(home, reading(1))).status_code == 409
    age = text("UPDATE ingest.idempotency SET taken_at = taken_at - make_interval(secs => :s)")
    async with engine.begin() as connection:
        await connection.execute(age, {"s": LEASE.total_seconds() + 1})
    again = await post(home, reading(1))
    assert again.status_code == 202
    assert again.json()["receipt"] != answer.json()["receipt"]
    assert (await post(home, reading(1))).content == again.content


async def test_keys_are_forgotten_after_a_day_and_bounded(
    home: City, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await post(home, reading(number), f"k-{number}")
    monkeypatch.setattr(idempotency, "SWEPT_AT_ONCE", 2)
    later = Memory(engine, lambda: NOW + timedelta(hours=23))
    await later.forget()
    count = "SELECT count(*) FROM ingest.idempotency"
    assert await home.rows(count) == [(3,)]
    monkeypatch.setattr(idempotency, "MAX_KEYS", 3)
    assert (await post(home, reading(4), "k-4")).status_code == 429
    assert (await home.client.post("/v1/readings", json=reading(4))).status_code == 202
    later = Memory(engine, lambda: NOW + timedelta(hours=25))
    await later.forget()
    assert await home.rows(count) == [(0,)]


@pytest.mark.parametrize("key", [b"", b'""', b'"a', b"a b", b"a,b", b"x" * 256, b'"\xc3\xa9"'])
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(Problem) as caught:
        key_of({b"idempotency-key": key})
    assert caught.value.status == 400
