"""Screens with saved views: made, bound, confined, changed and revoked while their sockets live."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import websockets

from services.ops_center import door
from services.ops_center.screens import assignments
from shared.clock import system_clock
from shared.contracts.reading import Reading
from shared.web import authenticator
from tests.integration.ops_center.conftest import Centre, Screen
from tests.integration.ops_center.test_live import now_us
from tests.unit.ops_center.wall import incident

WALL = {"name": "端州水务", "area_id": "441202", "domains": ["environment"], "theme": "light"}


@pytest.fixture
async def admin(centre: Centre) -> AsyncIterator[httpx.AsyncClient]:
    username, password = centre.login
    async with centre.http() as http:
        given = {"username": username, "password": password}
        token = (await http.post("/v1/session", json=given)).json()["token"]
    async with centre.http(token) as http:
        yield http


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are looked for often."""
    monkeypatch.setattr(door, "RECHECK_SECONDS", 0.1)
    monkeypatch.setattr(assignments, "FRESH_SECONDS", 0.05)
    monkeypatch.setattr(authenticator, "CACHE_SECONDS", 0.05)


async def make(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@asynccontextmanager
async def watching(centre: Centre, token: str, **hello: Any) -> AsyncIterator[Screen]:
    async with centre.connect(f"?token={token}") as socket:
        await socket.send(json.dumps({"type": "hello", **hello}))
        yield Screen(socket)


async def test_a_screen_sees_what_its_view_shows_and_nothing_else(
    centre: Centre, admin: httpx.AsyncClient
) -> None:
    view = await make(admin, "/v1/views", WALL)
    screen = await make(admin, "/v1/screens", {"name": "大厅", "view_id": view["view_id"]})
    assert screen["path"] == f"/?token={screen['token']}"
    wider = {"domains": ["environment", "traffic"], "areas": ["441200"]}
    async with watching(centre, screen["token"], filter=wider) as wall:
        hello = await wall.next("hello")
        assert hello["screen"]["name"] == "大厅"
        [shown] = hello["screen"]["views"]
        assert (shown["view_id"], shown["theme"], shown["seconds"]) == (
            view["view_id"], "light", None,
        )  # fmt: skip
        snapshot = await wall.next("snapshot")
        assert snapshot["sensors"]["id"] == ["gauge-1"]
        await centre.step(incident(2, area_id="441203", subjects=("both-1",)))  # not its district
        await centre.step(incident(1))
        step = await wall.next("incident")
        assert step["event"]["data"]["title"] == "事件 1"
    async with centre.http(screen["token"]) as http:
        assert (await http.get("/v1/screen")).json()["screen"] == hello["screen"]
        for method, path in (
            ("GET", "/v1/screens"), ("POST", "/v1/screens"), ("POST", "/v1/views"),
            ("PUT", f"/v1/views/{view['view_id']}"), ("DELETE", f"/v1/views/{view['view_id']}"),
        ):  # fmt: skip
            answer = await http.request(method, path, json=WALL if method != "GET" else None)
            assert answer.status_code == 403, path


async def test_a_changed_view_reaches_the_open_wall(
    centre: Centre, admin: httpx.AsyncClient, prompt: None
) -> None:
    view = await make(admin, "/v1/views", WALL)
    screen = await make(admin, "/v1/screens", {"name": "a", "view_id": view["view_id"]})
    async with watching(centre, screen["token"]) as wall:
        await wall.next("snapshot")
        wider = WALL | {"domains": [], "language": "en"}
        assert (await admin.put(f"/v1/views/{view['view_id']}", json=wider)).status_code == 200
        [shown] = (await wall.next("screen"))["screen"]["views"]
        assert (shown["language"], shown["domains"]) == ("en", [])
        if wall.frames[-2]["type"] != "resync":
            assert (await wall.next("resync"))["reason"] == "rights"
        snapshot = next((f for f in wall.frames[-1:] if f["type"] == "snapshot"), None)
        snapshot = snapshot or await wall.next("snapshot")
        assert snapshot["sensors"]["id"] == ["gauge-1", "road-1"]
        path = f"/v1/screens/{screen['screen_id']}"
        assert (await admin.patch(path, json={"view_id": None})).status_code == 200
        assert (await wall.next("snapshot"))["sensors"]["id"][0] == "both-1"  # the whole city


async def test_a_revoked_or_expired_screen_goes_dark_within_seconds(
    centre: Centre, admin: httpx.AsyncClient
) -> None:
    revoked = await make(admin, "/v1/screens", {"name": "a"})
    soon = (system_clock() + timedelta(seconds=1.5)).isoformat()
    expiring = await make(admin, "/v1/screens", {"name": "b", "expires_at": soon})
    async with (
        watching(centre, revoked["token"]) as one,
        watching(centre, expiring["token"]) as two,
    ):
        await one.next("snapshot")
        await two.next("snapshot")
        path = f"/v1/screens/{revoked['screen_id']}"
        assert (await admin.delete(path)).status_code == 204
        for wall in (one, two):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                async with asyncio.timeout(60):  # a check every 5 s
                    while True:
                        await wall.socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
        assert (await admin.get(path)).json()["state"] == "revoked"
        assert (await admin.patch(path, json={"name": "c"})).status_code == 409
        listed = (await admin.get("/v1/screens")).json()["items"]
        assert revoked["screen_id"] not in [one["screen_id"] for one in listed]
        assert (await admin.get("/v1/screens?revoked=true")).text.count('"revoked"') == 1
        assert "token" not in (await admin.get("/v1/screens?revoked=true")).json()["items"][0]


async def test_a_playlist_is_shown_in_turn_and_sees_what_its_views_see(
    centre: Centre, admin: httpx.AsyncClient
) -> None:
    water = await make(admin, "/v1/views", WALL)
    roads = {"name": "鼎湖交通", "area_id": "441203", "domains": ["traffic"]}
    road = await make(admin, "/v1/views", roads)
    turns = [
        {"view_id": road["view_id"], "seconds": 30},
        {"view_id": water["view_id"], "seconds": 60},
    ]
    tour = await make(admin, "/v1/views", {"name": "巡", "kind": "playlist", "playlist": turns})
    screen = await make(admin, "/v1/screens", {"name": "a", "view_id": tour["view_id"]})
    async with watching(centre, screen["token"]) as wall:
        views = (await wall.next("hello"))["screen"]["views"]
        assert [(one["name"], one["seconds"]) for one in views] == [
            ("鼎湖交通", 30),
            ("端州水务", 60),
        ]
        found = (await wall.next("snapshot"))["sensors"]["id"]
        assert found == ["both-1", "gauge-1", "road-1", "road-2"]  # nothing outside both districts
    for view in (water, tour):
        answer = await admin.delete(f"/v1/views/{view['view_id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    nested = {"name": "端州水务", "kind": "playlist", "playlist": turns}
    answer = await admin.put(f"/v1/views/{water['view_id']}", json=nested)
    assert answer.status_code == 409
    assert (await admin.delete(f"/v1/screens/{screen['screen_id']}")).status_code == 204
    for view in (tour, water):
        assert (await admin.delete(f"/v1/views/{view['view_id']}")).status_code == 204
    assert [one["name"] for one in (await admin.get("/v1/views")).json()["items"]] == ["鼎湖交通"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/views", {"name": "x", "area_id": "atlantis"}, "/area_id"),
        ("/v1/views", {"name": "x", "area_id": "87411"}, "/area_id"),  # a cell holds no sensors
        ("/v1/views", {"name": "x", "domains": ["music"]}, "/domains/0"),
        ("/v1/views", {"name": "x", "centre": {"lon": 200, "lat": 0, "zoom": 3}}, "/centre/lon"),
        ("/v1/views", {"name": "x", "kind": "playlist"}, ""),
        ("/v1/views", {"name": " "}, "/name"),
        ("/v1/views", {"name": "x", "colour": "red"}, "/colour"),
        (
            "/v1/views",
            {"name": "x", "kind": "playlist", "playlist": [{"view_id": "no", "seconds": 9}]},
            "/playlist/0/view_id",
        ),
        ("/v1/screens", {"name": "x", "view_id": "no"}, "/view_id"),
        ("/v1/screens", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ("/v1/screens", {}, "/name"),
    ],
)
async def test_what_is_wrong_is_said_and_where(
    admin: httpx.AsyncClient, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await admin.post(path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_names_of_views_are_unique(admin: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(admin.post("/v1/views", json=WALL) for _ in range(5)))
    assert sorted(answer.status_code for answer in made) == [201, 409, 409, 409, 409]


async def test_the_first_screen_token_shows_the_whole_city(centre: Centre) -> None:
    async with centre.screen() as wall:
        assert (await wall.next("hello"))["screen"]["views"] == []
        assert "both-1" in (await wall.next("snapshot"))["sensors"]["id"]
    async with centre.http(centre.screen_token) as http:
        assert (await http.get("/v1/screen")).json()["screen"]["name"] == "first"


async def test_a_viewport_and_a_changed_filter_narrow_the_sensors(centre: Centre) -> None:
    wanted = {"bbox": [112.35, 22.95, 112.45, 23.05]}
    async with centre.screen(wanted=wanted) as wall:
        assert (await wall.next("snapshot"))["sensors"]["id"] == ["road-1"]
        await centre.step(incident(1))  # elsewhere: incidents are seen wherever the map looks
        await wall.next("incident")
        moved = {"type": "filter", "filter": {"bbox": [112.55, 23.15, 112.65, 23.25]}}
        await wall.socket.send(json.dumps(moved))
        assert (await wall.next("resync"))["reason"] == "filter"
        assert (await wall.next("snapshot"))["sensors"]["id"] == ["gauge-1"]
        await centre.post(Reading("gauge-1", "water.level", now_us(), 3.5))
        delta = await wall.next("delta")
        while not delta["series"]:
            delta = await wall.next("delta")
        assert (delta["series"], delta["value"]) == ([0], [3.5])


async def test_who_made_changed_and_revoked_what_is_in_the_audit_log(
    centre: Centre, admin: httpx.AsyncClient
) -> None:
    view = await make(admin, "/v1/views", WALL)
    screen = await make(admin, "/v1/screens", {"name": "大厅", "view_id": view["view_id"]})
    at = f"/v1/screens/{screen['screen_id']}"
    await admin.patch(at, json={"name": "大厅"})  # changes nothing
    await admin.patch(at, json={"name": "值班室"})
    await admin.delete(at)
    await admin.put(f"/v1/views/{view['view_id']}", json=WALL | {"theme": "dark"})
    await admin.delete(f"/v1/views/{view['view_id']}")
    found = (await admin.get("/v1/audit")).json()["items"]
    told = [(row["action"], row["actor"]) for row in found if "session" not in row["action"]]
    names = ["view.made", "screen.made", "screen.changed", "screen.revoked", "view.replaced"]
    assert told[:6] == [(name, "admin") for name in reversed([*names, "view.removed"])]
    assert screen["token"] not in json.dumps(found)
