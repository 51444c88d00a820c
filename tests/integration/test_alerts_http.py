"""The whole service with its jobs: people, screens and keys over HTTP, and what they cause."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from services.alerts.app import build
from shared.clock import system_clock
from shared.contracts.topics import INCIDENTS
from shared.errors import Misconfigured
from shared.eventlog.log import EventLog
from shared.runtime import Context, make_app
from shared.settings import Settings
from shared.store.tables import accounts, api_keys, screen_tokens, sessions
from shared.web.authenticator import token_hash
from tests.integration.alerting import Receiver, gas, outgoing
from tests.waiting import eventually

ROLES = ("viewer", "operator", "dispatcher", "admin")
RULES = """
- id: gas
  title: {zh: 燃气, en: gas}
  metric: gas.concentration
  above: 20
  grade: 2
  priority: 1
  deadline: 30m
- id: wrong
  metric: gas.concentration
"""


class House:
    """The service, running. `call` asks it as somebody: a role, `screen`, `key` or nobody."""

    def __init__(self, client: httpx.AsyncClient, log: EventLog) -> None:
        self.client = client
        self.log = log
        self._second = 0

    async def call(
        self, method: str, path: str, body: Any = None, who: str = "dispatcher"
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        content = None if body is None else json.dumps(body)
        headers |= {"Content-Type": "application/json"} if content else {}
        response = await self.client.request(method, path, content=content, headers=headers)
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
        return response.status_code, response.json() if response.content else None

    async def opened(self, count: int = 1) -> list[dict[str, Any]]:
        """So many new incidents, newest first."""
        _, before = await self.call("GET", "/v1/incidents?limit=500")
        self._second += 1
        names = [f"s{self._second}-{number}" for number in range(count)]
        await self.log.publish([outgoing([gas(self._second, 30, name)]) for name in names])
        found: list[dict[str, Any]] = []

        async def there() -> bool:
            nonlocal found
            _, page = await self.call("GET", "/v1/incidents?limit=500")
            found = page["items"][: len(page["items"]) - len(before["items"])]
            return len(found) == count

        assert await eventually(there, 10)
        return found


@asynccontextmanager
async def running(
    engine: AsyncEngine, log: EventLog, database_url: str, folder: Path
) -> AsyncIterator[House]:
    await invite(engine)
    (folder / "rules.yaml").write_text(RULES)
    settings = Settings(
        rules_dir=folder, webhook_allow_cidrs="127.0.0.0/8", public_url="http://city"
    )
    context = Context(settings, database_url, engine, log)
    service = await build(context)
    stop = asyncio.Event()
    jobs = [asyncio.ensure_future(job(stop)) for job in service.jobs.values()]
    transport = httpx.ASGITransport(make_app(context, [service]))
    async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
        yield House(client, log)
    stop.set()
    await asyncio.gather(*jobs)
    for close in service.closers:
        await close()


async def invite(engine: AsyncEngine) -> None:
    """Everybody's token is the name of their role."""
    later = system_clock() + timedelta(hours=1)
    async with engine.begin() as connection:
        for role in ROLES:
            person = {"username": f"{role}-1", "password_hash": "", "role": role}
            await connection.execute(insert(accounts).values(person))
            session = {"token_sha256": token_hash(role), "username": f"{role}-1"}
            await connection.execute(insert(sessions).values(session | {"expires_at": later}))
        screen = {"token_sha256": token_hash("screen"), "name": "wall"}
        await connection.execute(insert(screen_tokens).values(screen))
        key = {"key_id": "k", "name": "k", "prefix": "k", "token_sha256": token_hash("key")}
        await connection.execute(insert(api_keys).values(key | {"scopes": ["post"]}))
        key = {"key_id": "r", "name": "hotline", "prefix": "r", "scopes": ["report"]}
        await connection.execute(
            insert(api_keys).values(key | {"token_sha256": token_hash("reporter")})
        )


async def test_the_closed_loop(house: House) -> None:
    [incident] = await house.opened()
    assert incident["state"] == "open"
    place = f"/v1/incidents/{incident['id']}"
    commands: list[tuple[str, dict[str, Any], str]] = [
        ("acknowledge", {}, "acknowledged"),
        ("dispatch", {"note": "速去", "department": " 燃气公司 "}, "dispatched"),
        ("start", {"note": "到场"}, "handling"),
        ("resolve", {}, "resolved"),
        ("reopen", {"note": "again"}, "open"),
        ("close", {"note": "false alarm"}, "closed"),
    ]
    for number, (command, body, state) in enumerate(commands, start=2):
        status, after = await house.call(
            "POST", f"{place}/{command}", body | {"version": number - 1}
        )
        assert (status, after["state"], after["version"]) == (200, state, number)
    assert after["department"] == "燃气公司"
    _, shown = await house.call("GET", place, who="screen")
    assert [step["type"].removeprefix("incident.") for step in shown["timeline"]] == [
        "opened", "acknowledged", "dispatched", "started", "resolved", "reopened", "closed",
    ]  # fmt: skip
    assert [step["actor"] for step in shown["timeline"]] == ["rules"] + ["dispatcher-1"] * 6
    assert shown["timeline"][2]["note"] == "速去"
    async with house.log.read(INCIDENTS, {}) as reader:
        events: list[dict[str, Any]] = []
        while len(events) < 7 and (records := await reader.batch(10, 5)):
            events += [json.loads(record.value) for record in records]
    assert [event["data"]["version"] for event in events] == [1, 2, 3, 4, 5, 6, 7]


async def test_what_is_refused_says_why(house: House) -> None:
    [incident] = await house.opened()
    place = f"/v1/incidents/{incident['id']}"
    for command, body, status, code in [
        ("reopen", {}, 409, "illegal_transition"),
        ("acknowledge", {"version": 7}, 409, "stale"),
        ("close", {}, 422, "note_needed"),
        ("dispatch", {"note": "x"}, 422, "department_needed"),
        ("dispatch", {"department": "x"}, 422, "note_needed"),
        ("acknowledge", {"actor": "somebody else"}, 422, "invalid_request"),
        ("acknowledge", {"note": "a\x00b"}, 422, "invalid_request"),
        ("acknowledge", {"note": "\ud800"}, 422, "invalid_request"),
        ("acknowledge", {"note": "x" * 4_001}, 422, "invalid_request"),
        ("acknowledge", {"note": 5}, 422, "invalid_request"),
        ("acknowledge", [], 422, "invalid_request"),
        ("explode", {}, 422, "invalid_request"),
    ]:
        answered, problem = await house.call("POST", f"{place}/{command}", body)
        assert (answered, problem["code"]) == (status, code), (command, body, problem)
        if status == 409:
            assert problem["incident"]["state"] == "open"
    _, shown = await house.call("GET", place)
    assert shown["version"] == 1
    nobody = "/v1/incidents/00000000-0000-0000-0000-000000000000"
    assert (await house.call("POST", f"{nobody}/acknowledge", {}))[0] == 404
    assert (await house.call("GET", nobody))[0] == 404
    assert (await house.call("GET", "/v1/incidents/nonsense"))[0] == 422


async def test_who_may_do_what(house: House) -> None:
    [incident] = await house.opened()
    act = ("POST", f"/v1/incidents/{incident['id']}/acknowledge")
    receiver = {"url": "https://hooks.example.org/x"}
    allowed = {
        ("GET", "/v1/incidents"): {"screen", "key", *ROLES},
        ("GET", f"/v1/incidents/{incident['id']}"): {"screen", "key", *ROLES},
        ("GET", "/v1/rules"): {"screen", "key", *ROLES},
        act: {"operator", "dispatcher", "admin"},
        ("GET", "/v1/endpoints"): {"operator", "dispatcher", "admin"},
        ("GET", "/v1/deliveries"): {"operator", "dispatcher", "admin"},
        ("POST", "/v1/endpoints"): {"admin"},
    }
    for (method, path), admitted in allowed.items():
        body = receiver if path == "/v1/endpoints" and method == "POST" else None
        for who in ("", "stranger", "screen", "key", *ROLES):
            status, _ = await house.call(method, path, body, who)
            if who in ("", "stranger"):
                assert status == 401, (method, path, who)
            else:
                assert (status != 403) == (who in admitted), (method, path, who, status)


async def test_lists_are_filtered_and_paged(house: House) -> None:
    found = await house.opened(5)
    await house.call("POST", f"/v1/incidents/{found[1]['id']}/acknowledge")
    seen, cursor = [], ""
    while cursor is not None:
        _, page = await house.call("GET", f"/v1/incidents?limit=2&cursor={cursor}" if cursor else
                                   "/v1/incidents?limit=2")  # fmt: skip
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == [item["id"] for item in found]
    for query, count in [
        ("state=acknowledged", 1), ("state=open", 4), ("priority=1", 5), ("priority=2", 0),
        ("area_id=441202", 0),
    ]:  # fmt: skip
        _, page = await house.call("GET", f"/v1/incidents?{query}")
        assert len(page["items"]) == count, query
    for query in ("limit=0", "limit=501", "state=odd", "priority=9", "cursor=odd", "area_id=%00",
                  "cursor=%F0%9F", "cursor=YXxi"):  # fmt: skip
        assert (await house.call("GET", f"/v1/incidents?{query}"))[0] == 422, query


async def test_rules_show_what_was_refused(house: House) -> None:
    _, answer = await house.call("GET", "/v1/rules")
    assert [rule["id"] for rule in answer["items"]] == ["gas"]
    [error] = answer["errors"]
    assert (error["file"], error["line"]) == ("rules.yaml", 9)
    assert "title" in error["detail"]


async def test_receivers_are_added_called_and_removed(house: House) -> None:
    receiver = Receiver()
    status, made = await house.call(
        "POST", "/v1/endpoints", {"url": receiver.url, "events": ["*"]}, "admin"
    )
    assert (status, made["enabled"]) == (201, True)
    [incident] = await house.opened()

    async def delivered() -> bool:
        _, page = await house.call("GET", "/v1/deliveries?state=delivered&limit=1")
        return bool(page["items"])

    assert await eventually(delivered, 10)
    [(headers, body)] = receiver.seen
    receiver.close()
    assert Webhook(made["secret"]).verify(body, headers)
    assert json.loads(body)["data"]["id"] == incident["id"]
    _, page = await house.call("GET", "/v1/endpoints")
    assert [item["url"] for item in page["items"]] == [receiver.url]
    assert "secret" not in page["items"][0]
    place = f"/v1/endpoints/{made['endpoint_id']}"
    assert (await house.call("DELETE", place, who="operator"))[0] == 403
    assert (await house.call("DELETE", place, who="admin"))[0] == 204
    assert (await house.call("DELETE", place, who="admin"))[0] == 404
    _, page = await house.call("GET", f"/v1/deliveries?endpoint_id={made['endpoint_id']}")
    assert [item["state"] for item in page["items"]] == ["delivered"]


async def test_unsafe_receivers_are_refused(house: House) -> None:
    for body in (
        {"url": "http://10.0.0.1/"}, {"url": "http://[::1]:80/"}, {"url": "http://169.254.169.254/"},
        {"url": "http://192.168.1"}, {"url": "http://user:pw@example.org/"}, {"url": "ftp://a.org"},
        {"url": "http://example.org/\x00"}, {"url": "/hook"}, {"url": 5}, {},
        {"url": "https://hooks.example.org/", "events": ["incident.exploded"]},
        {"url": "https://hooks.example.org/", "secret": "mine"},
    ):  # fmt: skip
        status, problem = await house.call("POST", "/v1/endpoints", body, "admin")
        assert status == 422, body
        assert problem["title"] == "Invalid request"
    _, page = await house.call("GET", "/v1/endpoints")
    assert page["items"] == []


async def test_it_is_ready_once_the_engine_looks_at_the_log(house: House) -> None:
    assert (await house.client.get("/readyz")).status_code == 200


async def test_a_missing_folder_of_rules_stops_the_start(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(rules_dir=tmp_path / "none")
    with pytest.raises(Misconfigured, match="YIWANG_RULES_DIR"):
        await build(Context(settings, database_url, engine, event_log))
    settings = Settings(rules_dir=tmp_path, webhook_allow_cidrs="10.0.0.1/8")
    with pytest.raises(Misconfigured, match="YIWANG_WEBHOOK_ALLOW_CIDRS"):
        await build(Context(settings, database_url, engine, event_log))
