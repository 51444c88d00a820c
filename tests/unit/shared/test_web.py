"""Problems, limits and identities at the edge."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Body, FastAPI, Request
from starlette.requests import HTTPConnection
from starlette.types import Message

from shared.errors import Overloaded, Unavailable
from shared.web import problems
from shared.web.auth import is_foreign_origin, token_of
from shared.web.limit import BodyLimit


def make_app() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.post("/echo")
    async def echo(body: dict[str, int] = Body()) -> dict[str, int]:  # noqa: B008
        return body

    @app.get("/fail/{kind}")
    async def fail(kind: str) -> None:
        errors = {
            "unavailable": Unavailable("x"),
            "overloaded": Overloaded("full", 7),
            "bug": RuntimeError("secret detail"),
        }
        raise errors[kind]

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(BodyLimit(make_app(), 100), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city") as opened:
        yield opened


async def test_a_wrong_body_says_where(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", json={"a": "x"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == "/a"


async def test_a_large_body_is_refused_with_or_without_a_length(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 10

    for content in (b" " * 101, chunks()):
        answer = await client.post("/echo", content=content)
        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"


async def test_what_does_not_answer_is_503_and_says_when_to_come_back(
    client: httpx.AsyncClient,
) -> None:
    overloaded = await client.get("/fail/overloaded")
    assert (overloaded.status_code, overloaded.headers["retry-after"]) == (503, "7")
    assert (await client.get("/fail/unavailable")).status_code == 503


async def test_a_bug_shows_no_internals(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fail/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def connection(kind: str = "http", query: bytes = b"", **headers: str) -> HTTPConnection:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": kind, "headers": pairs, "query_string": query})


def test_a_token_travels_as_bearer_cookie_or_for_sockets_in_the_query() -> None:
    assert token_of(connection(authorization="Bearer abc")) == "abc"
    assert token_of(connection(cookie="yiwang_session=abc")) == "abc"
    assert token_of(connection("websocket", b"token=abc")) == "abc"
    assert token_of(connection("http", b"token=abc")) is None


def test_another_sites_page_is_recognised() -> None:
    assert is_foreign_origin(connection(host="city", origin="http://evil"))
    assert is_foreign_origin(connection(host="city", sec_fetch_site="cross-site"))
    assert not is_foreign_origin(connection(host="city", origin="http://city"))
    assert not is_foreign_origin(connection(host="city"))


async def test_who_hangs_up_in_the_middle_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": "/raw", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_body_that_does_not_come_is_408() -> None:
    said: list[Message] = []

    async def receive() -> Message:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/echo", "headers": [], "query_string": b""}
    await BodyLimit(make_app(), 100, 0.01)(scope, receive, send)
    assert [message["status"] for message in said if "status" in message] == [408]
