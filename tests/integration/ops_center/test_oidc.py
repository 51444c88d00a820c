"""Logging in at the city's own provider: a real one, in a process of its own."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.app import build
from services.ops_center.people.oidc import roles_of
from services.ops_center.people.user import GrantBody
from shared.errors import Misconfigured
from shared.eventlog.log import EventLog
from shared.runtime import Context, make_app
from shared.settings import Settings
from shared.store.embedded import free_port
from tests.integration.ops_center.conftest import Centre
from tests.product import ROOT
from tests.waiting import until

ROLES = "ops=operator@441203/traffic,ops=viewer,chiefs=admin"
HOME = "http://city"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a running provider."""
    port = free_port()
    command = [sys.executable, "-m", "tests.integration.ops_center.provider", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        assert until(lambda: _answers(address), 30)
        yield address
    finally:
        process.terminate()
        process.wait(90)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/keys", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


@dataclass
class Browser:
    """Ours (`home`), and the provider's (`away`)."""

    home: httpx.AsyncClient
    away: httpx.AsyncClient
    centre: Centre

    async def say(self, **what: Any) -> None:
        await self.away.post("/say", json=what)

    async def go(self, following: str = "/console") -> str:
        """Through the provider; the address that it sends back to."""
        first = await self.home.get("/v1/oidc/login", params={"next": following})
        assert first.status_code == 303, first.text
        second = await self.away.get(first.headers["location"])
        return second.headers["location"].removeprefix(HOME)

    async def log_in(self, following: str = "/console") -> httpx.Response:
        return await self.home.get(await self.go(following))


def settings(issuer: str, folder: Path, **more: Any) -> Settings:
    own: dict[str, Any] = {"oidc_issuer": issuer, "oidc_client_id": "city", "oidc_roles": ROLES,
           "oidc_client_secret": "client-secret", "public_url": HOME}  # fmt: skip
    return Settings(data_dir=folder, **(own | more))


@pytest.fixture
async def browser(idle_centre: Centre, issuer: str, tmp_path: Path) -> AsyncIterator[Browser]:
    context = Context(settings(issuer, tmp_path), "", idle_centre.engine, idle_centre.log)
    service = await build(context)
    transport = httpx.ASGITransport(make_app(context, [service]))
    async with (
        httpx.AsyncClient(transport=transport, base_url=HOME) as home,
        httpx.AsyncClient(base_url=issuer) as away,
    ):
        found = Browser(home, away, idle_centre)
        await found.say()
        yield found
    for close in service.closers:
        await close()


async def test_whoever_the_provider_vouches_for_is_logged_in(browser: Browser) -> None:
    answer = await browser.log_in("/console?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?x=1")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "session" in one).lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    me = (await browser.home.get("/v1/session")).json()
    assert (me["username"], me["role"]) == ("zhao", "operator")
    assert {"role": "operator", "area_id": "441203", "domain": "traffic"} in me["grants"]
    await browser.say(claims={"groups": ["chiefs"]})
    await browser.log_in()
    assert (await browser.home.get("/v1/session")).json()["role"] == "admin"
    listed = (await browser.home.get("/v1/users")).json()["items"]
    assert [(one["username"], one["login"]) for one in listed] == [
        ("admin", "password"), ("zhao", "oidc"),
    ]  # fmt: skip
    acts = (await browser.home.get("/v1/audit?actor=zhao")).json()["items"]
    assert [one["action"] for one in acts] == [
        "session.opened", "user.changed", "session.opened", "user.made",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": "stranger"},
        {"signature": "shared"},
        {"signature": "none"},
        {"expired": True},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["city", "another"]}},
        {"claims": {"aud": ["city", "another"], "azp": "another"}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"nonce": "of another login"}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": None}},
        {"claims": {"sub": None}},
        {"claims": {"groups": ["strangers"]}},
        {"claims": {"groups": None}},
        {"claims": {"groups": {"ops": 1}}},
        {"claims": {"preferred_username": "admin"}},
    ],
    ids=str,
)
async def test_what_is_not_to_be_believed_opens_nothing(
    browser: Browser, wrong: dict[str, Any]
) -> None:
    await browser.say(**wrong)
    answer = await browser.log_in()
    assert (answer.status_code, answer.json()["code"]) == (403, "oidc_refused")
    assert (await browser.home.get("/v1/session")).status_code == 401


async def test_a_new_key_of_the_provider_is_learnt(browser: Browser) -> None:
    assert (await browser.log_in()).status_code == 303
    await browser.say(signature="rotated")
    assert (await browser.log_in()).status_code == 303


async def test_an_answer_to_another_browser_is_refused(browser: Browser) -> None:
    foreign = await browser.go()
    browser.home.cookies.clear()
    assert (await browser.home.get(foreign)).status_code == 403  # no login was begun here
    await browser.go()
    assert (await browser.home.get(foreign)).status_code == 403  # but another one
    mine = await browser.go()
    assert (await browser.home.get(mine)).status_code == 303
    assert (await browser.home.get(mine)).status_code == 403  # codes are good once


async def test_a_disabled_account_stays_out(browser: Browser) -> None:
    await browser.say(claims={"groups": ["chiefs"]})
    await browser.log_in()
    answer = await browser.home.patch("/v1/users/zhao", json={"disabled": True})
    assert answer.status_code == 200
    assert (await browser.log_in()).status_code == 403


async def test_it_leads_to_no_other_site(browser: Browser) -> None:
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "evil", ""):
        answer = await browser.home.get("/v1/oidc/login", params={"next": path})
        assert answer.status_code == 422, path


async def test_without_settings_there_is_no_such_way(centre: Centre) -> None:
    async with centre.http() as http:
        assert (await http.get("/v1/oidc")).json() == {"enabled": False}
        assert (await http.get("/v1/oidc/login")).status_code == 404


async def test_a_provider_that_is_away_is_no_fault_of_ours(
    engine: AsyncEngine, event_log: EventLog, tmp_path: Path
) -> None:
    away = settings(f"http://127.0.0.1:{free_port()}", tmp_path)
    context = Context(away, "", engine, event_log)
    transport = httpx.ASGITransport(make_app(context, [await build(context)]))
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as http:
        answer = await http.get("/v1/oidc/login")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_roles": "ops"},
        {"oidc_roles": "ops=king"},
        {"public_url": ""},
    ],
    ids=str,
)
async def test_wrong_settings_stop_the_start(
    engine: AsyncEngine, event_log: EventLog, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    broken = settings("http://127.0.0.1:1", tmp_path, **wrong)
    with pytest.raises(Misconfigured):
        await build(Context(broken, "", engine, event_log))


def test_roles_are_read_from_one_line() -> None:
    assert roles_of("a=admin, b=operator@441203/traffic,b=viewer/traffic,cn=x=viewer,") == {
        "a": [GrantBody(role="admin")],
        "b": [
            GrantBody(role="operator", area_id="441203", domain="traffic"),
            GrantBody(role="viewer", domain="traffic"),
        ],
        "cn=x": [GrantBody(role="viewer")],
    }
