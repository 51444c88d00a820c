"""Every route of alerts, asked nonsense: no answer is a failure of ours, none shows our insides."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventlog.log import EventLog
from tests.integration.openapi_values import WILD, WORDS, values
from tests.integration.test_alerts_http import House, running

EXAMPLES = 25  # of each route
INSIDES = ("Traceback", "sqlalchemy", "psycopg", "asyncpg", ".py", "site-packages", "INSERT INTO",
           "SELECT ", "pydantic.dev")  # fmt: skip
OURS = ("/v1/",)
RULE = {"id": "x", "title": {"zh": "x", "en": "x"}, "metric": "water.level", "above": 8, "grade": 2,
        "priority": 2}  # fmt: skip
PUBLIC = ("/v1/cap", "/v1/cap/{identifier}")
SLOW = ("/v1/rules/preview",)  # each one that is right is a process of its own


@pytest.fixture
async def house(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[House]:
    async with running(engine, event_log, database_url, tmp_path) as house:
        yield house


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith(OURS):
                yield method.upper(), path, operation


@st.composite
def requests(
    draw: st.DrawFn,
    path: str,
    operation: Mapping[str, Any],
    components: Mapping[str, Any],
    known: Mapping[str, list[str]],
) -> tuple[str, bytes | None, str]:
    """(address, body, content type). `known`: what there is, by the name of its parameter."""
    query = {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header":
            continue
        value = draw(values(parameter.get("schema", {}), components))
        if parameter["name"] in known and draw(st.booleans()):
            value = draw(st.sampled_from(known[parameter["name"]]))
        if parameter["in"] == "path":
            written = quote(str(value).encode("utf-8", "replace"), safe="") or "%20"
            path = path.replace("{" + parameter["name"] + "}", written)
        elif parameter.get("required") or draw(st.booleans()):
            query[parameter["name"]] = str(value).encode("utf-8", "replace")
    address = f"{path}?{urlencode(query)}" if query else path
    if "requestBody" not in operation:
        return address, None, ""
    kind = draw(st.sampled_from(sorted(operation["requestBody"]["content"])))
    return address, draw(bodies(operation["requestBody"]["content"][kind], components)), kind


@st.composite
def bodies(draw: st.DrawFn, media: Mapping[str, Any], components: Mapping[str, Any]) -> bytes:
    """JSON as the schema wants it, an example with something changed, or bytes."""
    match draw(st.integers(0, 5)):
        case 0:
            return draw(st.binary(max_size=60))
        case 1:
            return draw(WORDS).encode("utf-8", "surrogatepass")
        case 2 | 3 if "schema" in media:
            found = draw(values(media["schema"], components))
        case _:
            found = {**RULE, draw(st.sampled_from([*RULE, "for", "levels", "odd"])): draw(WILD)}
    return json.dumps(found).encode()


async def test_nonsense_is_refused_politely(house: House) -> None:
    document = (await house.client.get("/openapi.json")).json()
    components = document.get("components", {}).get("schemas", {})
    loop = asyncio.get_running_loop()
    asked: set[tuple[str, str]] = set()
    incidents = await house.opened(3)
    known = {"rule_id": ["gas"], "incident_id": [one["id"] for one in incidents]}

    def ask(method: str, request: tuple[str, bytes | None, str], who: str) -> httpx.Response:
        address, body, kind = request
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        headers |= {"Content-Type": kind} if kind else {}
        coming = house.client.request(method, address, content=body, headers=headers)
        return asyncio.run_coroutine_threadsafe(coming, loop).result(60)

    def fuzz(method: str, path: str, operation: Mapping[str, Any]) -> None:
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(
            requests(path, operation, components, known), st.sampled_from(["admin", "operator", ""])
        )
        def one(request: tuple[str, bytes | None, str], who: str) -> None:
            response = ask(method, request, who)
            shown = (
                f"{method} {request} as {who or 'nobody'}: {response.status_code} {response.text}"
            )
            allowed = (503,) if path in SLOW else ()
            assert response.status_code < 500 or response.status_code in allowed, shown
            if response.status_code >= 400:
                assert response.headers["content-type"] == "application/problem+json", shown
                assert not any(inside in response.text for inside in INSIDES), shown
            if not who and path not in PUBLIC:
                assert response.status_code in (400, 401, 404, 405, 415, 422), shown
            asked.add((method, path))

        one()

    for method, path, operation in operations(document):
        await asyncio.to_thread(fuzz, method, path, operation)
    assert ("PUT", "/v1/rules/{rule_id}") in asked
    assert len(asked) >= 15
