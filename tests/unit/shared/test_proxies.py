"""Whose word about a request's origin is taken: that of the proxies which are named."""

import httpx
import pytest
from fastapi import APIRouter, Request, Response

from shared.eventlog.postgres import PostgresLog
from shared.runtime import Context, Service, make_app
from shared.settings import Settings
from shared.store.engine import make_engine
from shared.web.auth import origin_of, set_session_cookie

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
SAID = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.1.1.1, 203.0.113.77"}


def router() -> APIRouter:
    made = APIRouter()

    @made.get("/who")
    async def who(request: Request, response: Response) -> str:
        set_session_cookie(response, "token", 60, request)
        return origin_of(request).address

    return made


async def answer(proxies: str, peer: str) -> httpx.Response:
    settings = Settings(trusted_proxies=proxies)
    context = Context(settings, NOWHERE, make_engine(NOWHERE), PostgresLog(NOWHERE))
    app = make_app(context, [Service("x", [router()])])
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
        return await client.get("/who", headers=SAID)


@pytest.mark.parametrize(
    ("proxies", "peer"),
    [("127.0.0.1,::1", "127.0.0.1"), ("10.1.0.0/16", "10.1.2.3"), ("fd00::/8", "fd00::7")],
)
async def test_a_named_proxy_is_believed(proxies: str, peer: str) -> None:
    found = await answer(proxies, peer)
    assert found.json() == "203.0.113.77"  # the proxy's own word; what came before it is anybody's
    assert "; Secure" in found.headers["set-cookie"]
    assert "strict-transport-security" in found.headers


@pytest.mark.parametrize(
    ("proxies", "peer"),
    [("127.0.0.1,::1", "203.0.113.5"), ("10.1.0.0/16", "127.0.0.1"), ("", "127.0.0.1")],
)
async def test_nobody_else_is(proxies: str, peer: str) -> None:
    found = await answer(proxies, peer)
    assert found.json() == peer
    assert "; Secure" not in found.headers["set-cookie"]
    assert "strict-transport-security" not in found.headers


@pytest.mark.parametrize("wrong", ["*", "everybody", "10.0.0.0/33", "10.1.2.3/8"])
def test_everybody_is_no_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(trusted_proxies=wrong)
