"""Quotas at every door: what a posting service sees when it sends more than it may."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.border import refusals
from services.ingest.border.refusals import OverQuota, Refusals
from services.ingest.keys.quotas import Defaults, Quotas
from shared.contracts.topics import INBOX
from shared.eventlog.log import EventLog, Outgoing
from shared.web.identity import Identity, Quota
from tests.integration.administrators import log_in_everybody, make, post
from tests.integration.cities import SENSOR, City, city, reading
from tests.waiting import eventually


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    await log_in_everybody(engine)
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


async def limited(home: City, **quota: float) -> str:
    token: str = (await make(home, name=str(quota), quota=quota))["token"]
    return token


def violated(answer: httpx.Response, status: int, policy: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["violated-policies"]) == (status, [policy])
    return body


async def test_a_used_up_quota_is_429_and_says_when_to_come_again(home: City) -> None:
    token = await limited(home, readings_per_second=0.01, readings_burst=5)
    taken = await post(home, token, *(reading(n) for n in range(5)))
    assert taken.status_code == 202
    assert taken.headers["ratelimit-policy"].startswith('"readings";q=5;qu="readings";w=500')
    assert taken.headers["ratelimit"].startswith('"readings";r=0;t=')
    answer = await post(home, token)
    body = violated(answer, 429, "readings")
    assert body["type"].endswith("http-problem-types#quota-exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 100
    assert answer.headers["retry-after"] == str(body["retry_after_seconds"])
    assert "ratelimit-policy" in answer.headers


async def test_a_batch_larger_than_the_burst_is_413(home: City) -> None:
    token = await limited(home, readings_per_second=1, readings_burst=3)
    answer = await post(home, token, *(reading(n) for n in range(4)))
    body = violated(answer, 413, "readings")
    assert "at most 3 readings at once" in body["detail"]
    assert "retry-after" not in answer.headers
    assert (await home.rows("SELECT count(*) FROM eventlog.records WHERE topic = 'city.readings'"))[
        0
    ] == (0,)


async def test_bytes_have_a_quota_too(home: City) -> None:
    token = await limited(home, bytes_per_second=1, bytes_burst=300)
    assert (await post(home, token)).status_code == 202
    violated(await post(home, token, *(reading(n) for n in range(10))), 413, "bytes")
    answers = [await post(home, token) for _ in range(3)]
    violated(answers[-1], 429, "bytes")


async def test_a_refusal_does_not_wait_for_the_body(home: City) -> None:
    token = await limited(home, readings_per_second=0.001, readings_burst=1)
    assert (await post(home, token)).status_code == 202
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"[]"

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    violated(await home.client.post("/v1/readings", content=body(), headers=headers), 429,
             "readings")  # fmt: skip
    assert read == 0


async def test_one_key_does_not_pay_for_another(home: City) -> None:
    poor = await limited(home, readings_per_second=0.001, readings_burst=1)
    rich = await limited(home, readings_per_second=0, bytes_per_second=0)
    assert (await post(home, poor)).status_code == 202
    assert (await post(home, poor)).status_code == 429
    answer = await post(home, rich)
    assert answer.status_code == 202
    assert "ratelimit" not in answer.headers


async def test_refusals_are_counted_by_reason_and_kind_of_source(home: City) -> None:
    labels = {"edge": "http", "reason": "quota_readings", "source": "key"}
    before = REGISTRY.get_sample_value("yiwang_ingest_refused_total", labels) or 0
    token = await limited(home, readings_per_second=0.001, readings_burst=1)
    await post(home, token)
    await post(home, token)
    assert REGISTRY.get_sample_value("yiwang_ingest_refused_total", labels) == before + 1


async def test_over_quota_in_the_inbox_is_set_aside_whole(home: City) -> None:
    token = await limited(home, readings_per_second=0.001, readings_burst=2)
    batches = [[reading(1), reading(2)], [reading(3)], [reading(4), reading(5), reading(6)]]
    for batch in batches:
        headers = (("yiwang-key", token.encode()),)
        raw = json.dumps(batch).encode()
        await home.context.log.publish([Outgoing(INBOX, SENSOR, raw, headers)])
    stop = asyncio.Event()
    jobs = [
        asyncio.ensure_future(home.service.jobs[f"ingest-{name}"](stop))
        for name in ("normaliser", "writer")
    ]

    async def settled() -> bool:
        stored = await home.rows("SELECT count(*) FROM ingest.readings")
        aside = await home.rows("SELECT count(*) FROM ingest.quarantine")
        return stored == [(2,)] and aside == [(2,)]

    assert await eventually(settled, 15)
    stop.set()
    await asyncio.gather(*jobs)
    kept = (await home.client.get("/v1/quarantine?code=over_quota")).json()["items"]
    assert sorted([len(item["item"]) for item in kept]) == [1, 3]
    assert {item["index"] for item in kept} == {-1}


async def test_who_does_not_heed_refusals_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(refusals, "MAX_PAUSED", 2)
    identity = Identity("key", "flooder", "", frozenset(), "f", None, Quota(0.001, 1))
    account = Quotas(Defaults()).account(identity)
    assert account.begin(1) is None
    answers: list[dict[bytes, bytes]] = []

    async def send(message: Any) -> None:
        if "headers" in message:
            answers.append(dict(message["headers"]))

    doors = Refusals()

    async def knock(size: int) -> None:
        excess = account.begin(size)
        assert excess is not None
        await doors.answer(send, OverQuota(identity, account, excess, size))

    many = asyncio.gather(*(knock(100) for _ in range(refusals.AT_ONCE + 5)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    closed = [answer for answer in answers if answer.get(b"connection") == b"close"]
    assert (len(answers), len(closed)) == (refusals.AT_ONCE + 3, 3)
    await many
    assert len(answers) == refusals.AT_ONCE + 5
    await knock(10**9)  # a long body is not waited for
    assert answers[-1][b"connection"] == b"close"
