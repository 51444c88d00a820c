"""People: accounts, one-time passwords, grants, sessions, and how fast their end is felt."""

import asyncio
from typing import Any

import httpx
import pytest
import websockets
from sqlalchemy import insert

from shared.store.tables import departments
from tests.integration.ops_center.conftest import Centre
from tests.waiting import eventually

NEW = "a password of my own"


async def log_in(centre: Centre, username: str, password: str) -> httpx.Response:
    async with centre.http() as http:
        given = {"username": username, "password": password}
        return await http.post("/v1/session", json=given)


async def admin(centre: Centre) -> httpx.AsyncClient:
    answer = await log_in(centre, *centre.login)
    return centre.http(answer.json()["token"])


async def hire(http: httpx.AsyncClient, name: str, *grants: dict[str, Any]) -> str:
    """A new account; its one-time password."""
    answer = await http.post("/v1/users", json={"username": name, "grants": list(grants)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["password"])


async def at_work(centre: Centre, http: httpx.AsyncClient, name: str, *grants: Any) -> str:
    """A new account that has chosen its password: its token."""
    given = await hire(http, name, *grants)
    token = str((await log_in(centre, name, given)).json()["token"])
    async with centre.http(token) as own:
        body = {"current": given, "new": NEW}
        assert (await own.put("/v1/session/password", json=body)).status_code == 204
    return token


async def test_a_one_time_password_opens_nothing_but_its_change(centre: Centre) -> None:
    async with await admin(centre) as http:
        given = await hire(http, "li.na", {"role": "operator", "area_id": "441202"})
        opened = (await log_in(centre, "li.na", given)).json()
        assert (opened["must_change_password"], opened["role"]) == (True, "operator")
        async with centre.http(opened["token"]) as own:
            for path in ("/v1/summary", "/v1/sessions", "/v1/map/areas"):
                answer = await own.get(path)
                assert (answer.status_code, answer.json()["code"]) == (
                    403,
                    "password_change_needed",
                )
            assert (await own.get("/v1/session")).status_code == 200
            for body, code in [
                ({"current": "wrong", "new": NEW}, "wrong_password"),
                ({"current": given, "new": given}, "same_password"),
                ({"current": given, "new": "short"}, "invalid_request"),
            ]:
                answer = await own.put("/v1/session/password", json=body)
                assert (answer.status_code, answer.json()["code"]) == (422, code)
            body = {"current": given, "new": NEW}
            assert (await own.put("/v1/session/password", json=body)).status_code == 204
            assert (await own.get("/v1/map/areas")).status_code == 200
        assert (await log_in(centre, "li.na", given)).status_code == 401
        assert (await log_in(centre, "li.na", NEW)).json()["must_change_password"] is False


async def test_a_socket_waits_for_the_password_too(centre: Centre) -> None:
    async with await admin(centre) as http:
        given = await hire(http, "wei", {"role": "viewer"})
        token = (await log_in(centre, "wei", given)).json()["token"]
    async with centre.connect(f"?token={token}") as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10)
        assert socket.close_code == 4401


async def test_a_reset_ends_every_session_and_must_be_changed(centre: Centre) -> None:
    async with await admin(centre) as http:
        token = await at_work(centre, http, "wei", {"role": "viewer"})
        answer = await http.post("/v1/users/wei/reset-password")
        assert answer.status_code == 200
        assert await ends(centre, token)
        assert (await log_in(centre, "wei", NEW)).status_code == 401
        again = await log_in(centre, "wei", answer.json()["password"])
        assert again.json()["must_change_password"] is True


async def test_a_disabled_account_is_out_within_seconds_on_open_sockets_too(
    centre: Centre,
) -> None:
    async with await admin(centre) as http:
        token = await at_work(centre, http, "wei", {"role": "viewer"})
        async with centre.connect(f"?token={token}") as socket:
            await socket.send('{"type": "hello", "resume": null, "filter": null}')
            await socket.recv()
            answer = await http.patch("/v1/users/wei", json={"disabled": True})
            assert answer.json()["disabled"] is True
            async with asyncio.timeout(60):
                with pytest.raises(websockets.ConnectionClosed):
                    while True:
                        await socket.recv()
            assert socket.close_code == 4401
        assert await ends(centre, token)
        assert (await log_in(centre, "wei", NEW)).status_code == 401
        await http.patch("/v1/users/wei", json={"disabled": False})
        assert (await log_in(centre, "wei", NEW)).status_code == 200
        assert await ends(centre, token)  # what was ended stays ended


async def test_the_last_administrator_stays(centre: Centre) -> None:
    async with await admin(centre) as http:
        bodies: list[dict[str, Any]] = [
            {"disabled": True},
            {"grants": []},
            {"grants": [{"role": "viewer"}]},
        ]
        for body in bodies:
            answer = await http.patch("/v1/users/admin", json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
        await hire(http, "second", {"role": "admin"})
        assert (await http.patch("/v1/users/second", json={"disabled": True})).status_code == 200
        await hire(http, "third", {"role": "admin"})
        answer = await http.patch("/v1/users/admin", json={"grants": [{"role": "viewer"}]})
        assert answer.status_code == 200


async def test_grants_must_name_what_there_is(centre: Centre) -> None:
    async with await admin(centre) as http:
        for grants, pointer in [
            ([{"role": "operator", "area_id": "999999"}], "/grants/0/area_id"),
            ([{"role": "admin"}, {"role": "viewer", "domain": "magic"}], "/grants/1/domain"),
            ([{"role": "king"}], "/grants/0/role"),
            ([{"role": "admin", "city": 1}], "/grants/0/city"),
        ]:
            answer = await http.post("/v1/users", json={"username": "x", "grants": grants})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == pointer
        for name in ("", "a b", "x" * 65, "../x", "a\x00b"):
            assert (await http.post("/v1/users", json={"username": name})).status_code == 422
        await hire(http, "wei")
        answer = await http.post("/v1/users", json={"username": "wei"})
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
        assert (await http.patch("/v1/users/nobody", json={})).status_code == 404


async def test_a_department_is_given_shown_and_taken_away(centre: Centre) -> None:
    water = {"name": "水利局", "name_en": "Water", "changed_by": "test"}
    async with centre.engine.begin() as connection:
        await connection.execute(insert(departments).values(water))
    async with await admin(centre) as http:
        answer = await http.post("/v1/users", json={"username": "x", "department": "无此局"})
        assert answer.json()["errors"][0]["pointer"] == "/department"
        token = await at_work(centre, http, "wei", {"role": "viewer"})
        made = await http.patch("/v1/users/wei", json={"department": "水利局"})
        assert made.json()["department"] == "水利局"
        async with centre.http(token) as own:

            async def is_of(department: str | None) -> bool:
                return bool((await own.get("/v1/session")).json()["department"] == department)

            assert await eventually(lambda: is_of("水利局"), 5)
            await http.patch("/v1/users/wei", json={"department": None})
            assert await eventually(lambda: is_of(None), 5)
        trail = (await http.get("/v1/audit?action=user.changed")).json()["items"]
        assert [one["before"] for one in trail] == [{"department": "水利局"}, {"department": None}]


async def test_accounts_are_listed_by_name_page_by_page(centre: Centre) -> None:
    async with await admin(centre) as http:
        grants: list[dict[str, Any]] = [
            {"role": "operator", "area_id": "441202", "domain": "traffic"},
            {"role": "viewer", "area_id": None, "domain": None},
        ]
        await hire(http, "wei", *grants)
        await hire(http, "li.na")
        names: list[str] = []
        cursor = ""
        while True:
            page = (await http.get(f"/v1/users?limit=1{cursor}")).json()
            names += [one["username"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert names == ["admin", "li.na", "wei"]
        wei = (await http.get("/v1/users/wei")).json()
        assert (wei["role"], wei["must_change_password"]) == ("operator", True)
        assert sorted(wei["grants"], key=str) == sorted(grants, key=str)
        assert (await http.get("/v1/users/li.na")).json()["role"] == ""


async def test_people_see_and_end_their_own_sessions_only(centre: Centre) -> None:
    async with await admin(centre) as http:
        first = await at_work(centre, http, "wei", {"role": "viewer"})
        second = (await log_in(centre, "wei", NEW)).json()["token"]
        async with centre.http(first) as own:
            found = (await own.get("/v1/sessions")).json()["items"]
            assert [one["current"] for one in found] == [False, True]
            assert found[0]["address"] == "127.0.0.1"
            assert "httpx" in found[0]["agent"]
            [boss] = (await http.get("/v1/sessions")).json()["items"]
            foreign = await own.delete(f"/v1/sessions/{boss['session_id']}")
            assert foreign.status_code == 404
            ended = await own.delete(f"/v1/sessions/{found[0]['session_id']}")
            assert ended.status_code == 204
            assert await ends(centre, second)
            third = (await log_in(centre, "wei", NEW)).json()["token"]
            assert (await own.delete("/v1/sessions")).status_code == 204
            assert await ends(centre, third)
            assert (await own.get("/v1/sessions")).status_code == 200
        assert len((await http.get("/v1/users/wei/sessions")).json()["items"]) == 1
        assert (await http.delete("/v1/users/wei/sessions")).status_code == 204
        assert await ends(centre, first)


async def test_another_site_cannot_act_with_the_cookie(centre: Centre) -> None:
    username, password = centre.login
    async with centre.http() as http:
        await http.post("/v1/session", json={"username": username, "password": password})
        for forged in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                       {"Origin": "null"}):  # fmt: skip
            answer = await http.post("/v1/users", json={"username": "x"}, headers=forged)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        mine = {"Origin": f"http://127.0.0.1:{centre.port}", "Sec-Fetch-Site": "same-origin"}
        answer = await http.post("/v1/users", json={"username": "x"}, headers=mine)
        assert answer.status_code == 201


async def test_behind_https_the_cookie_is_kept_to_https(centre: Centre) -> None:
    username, password = centre.login
    given = {"username": username, "password": password}
    async with centre.http() as http:
        plain = await http.post("/v1/session", json=given)
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        behind = await http.post("/v1/session", json=given, headers=proxied)
    assert "secure" not in plain.headers["set-cookie"].lower()
    assert "; secure" in behind.headers["set-cookie"].lower()


async def ends(centre: Centre, token: str) -> bool:
    """The token is worth nothing within seconds."""

    async def over() -> bool:
        async with centre.http(token) as http:
            return (await http.get("/v1/session")).status_code == 401

    return await eventually(over, 5)
