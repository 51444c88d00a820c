"""API keys over HTTP: made, confined, rotated, revoked; and what posting services notice of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.keys.last_use import LastUse
from services.ingest.keys.repository import KeyShelf
from shared.eventlog.log import EventLog
from shared.store.locks import Lock, hold
from shared.store.tables import api_keys
from tests.integration.administrators import ROLES, ask, log_in_everybody, make, post, turns
from tests.integration.cities import NOW, SENSOR, City, city, reading

ROUTES = [
    ("GET", "/v1/keys", None),
    ("POST", "/v1/keys", {"name": "new"}),
    ("GET", "/v1/keys/{key}", None),
    ("PATCH", "/v1/keys/{key}", {"metrics": ["traffic.speed"]}),
    ("POST", "/v1/keys/{key}/rotate", {"overlap_seconds": 1}),
    ("DELETE", "/v1/keys/{key}", None),
]


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    await log_in_everybody(engine)
    async with city(engine, event_log, database_url, tmp_path) as made:
        yield made


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_keys_are_for_administrators_only(
    home: City, method: str, path: str, body: dict[str, Any] | None
) -> None:
    made = await make(home)
    path = path.format(key=made["key_id"])
    for role in (*ROLES[:-1], "screen", made["token"]):
        answer = await ask(home, method, path, role, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role"), role
    assert (await ask(home, method, path, "nobody", json=body)).status_code == 401
    assert (await ask(home, method, path, json=body)).is_success


async def test_a_token_is_shown_once_and_kept_as_a_hash(home: City, engine: AsyncEngine) -> None:
    made = await make(home)
    assert made["token"].startswith(made["prefix"]) and made["state"] == "active"
    assert (made["created_by"], made["scopes"]) == ("admin", ["post"])
    shown = (await ask(home, "GET", f"/v1/keys/{made['key_id']}")).json()
    assert shown == {name: value for name, value in made.items() if name != "token"}
    kept = await home.rows(f"SELECT * FROM ingest.api_keys WHERE key_id = '{made['key_id']}'")
    assert made["token"] not in str(kept)
    assert (await post(home, made["token"])).status_code == 202


async def test_whoever_waits_for_the_log_holds_up_no_administrator(
    home: City, engine: AsyncEngine
) -> None:
    """What relays incidents and tells of the quarantine keeps its lock while the log is down."""
    async with engine.begin() as connection:
        await hold(connection, Lock.RELAY)
        await hold(connection, Lock.QUARANTINE_NEWS)
        async with asyncio.timeout(20):
            assert (await make(home))["state"] == "active"
            async with engine.begin() as importing:
                await hold(importing, Lock.REGISTRY)


async def test_keys_are_listed_in_pages(home: City) -> None:
    made = [await make(home, name=f"key {number}") for number in range(3)]
    await ask(home, "DELETE", f"/v1/keys/{made[0]['key_id']}")
    seen: list[str] = []
    cursor: str | None = None
    while not seen or cursor:
        query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await ask(home, "GET", "/v1/keys", params=query)).json()
        seen += [key["name"] for key in page["items"]]
        cursor = page["next"]
    assert sorted(seen) == ["first", "key 1", "key 2"]
    every = (await ask(home, "GET", "/v1/keys?revoked=true")).json()["items"]
    assert {key["name"]: key["state"] for key in every}["key 0"] == "revoked"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x", "scopes": ["all"]}, "/scopes/0"),
        ({"name": "x", "domains": ["traffic", "money"]}, "/domains/1"),
        ({"name": "x", "areas": ["110000"]}, "/areas/0"),
        ({"name": "x", "metrics": ["traffic.love"]}, "/metrics/0"),
        ({"name": "x", "expires_at": "2026-04-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "expires_at": "2027-04-01T00:00:00"}, "/expires_at"),
        ({"name": "x", "quota": {"readings_per_second": -1}}, "/quota/readings_per_second"),
        ({"name": "x", "quota": {"readings_burst": 0}}, "/quota/readings_burst"),
        ({"name": "x", "colour": "red"}, "/colour"),
    ],
)
async def test_a_wrong_key_is_refused_with_its_place(
    home: City, wanted: dict[str, Any], pointer: str
) -> None:
    answer = await ask(home, "POST", "/v1/keys", json=wanted)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert len((await ask(home, "GET", "/v1/keys")).json()["items"]) == 1


async def test_a_name_is_given_once_and_free_again_after_revocation(home: City) -> None:
    made = await make(home)
    answer = await ask(home, "POST", "/v1/keys", json={"name": "posting"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    other = await make(home, name="other")
    path = f"/v1/keys/{other['key_id']}"
    assert (await ask(home, "PATCH", path, json={"name": "posting"})).status_code == 409
    assert (await ask(home, "DELETE", f"/v1/keys/{made['key_id']}")).status_code == 204
    assert (await ask(home, "PATCH", path, json={"name": "posting"})).status_code == 200


async def test_a_confined_key_posts_only_there(home: City) -> None:
    ((sensor, area, cell),) = await home.rows(
        f"SELECT sensor_id, area_id, cell_id FROM ingest.sensors WHERE sensor_id = '{SENSOR}'"
    )
    ((elsewhere,),) = await home.rows(
        "SELECT sensor_id FROM ingest.sensors WHERE area_id <> '441202'"
        " AND 'traffic.speed' = ANY(metrics) LIMIT 1"
    )
    ((noisy,),) = await home.rows(
        f"SELECT sensor_id FROM ingest.sensors WHERE area_id = '{area}'"
        " AND 'noise.level' = ANY(metrics) LIMIT 1"
    )
    items = [
        reading(1, sensor_id=sensor),
        reading(1, sensor_id=elsewhere),
        reading(1, sensor_id=noisy, metric="noise.level", value=50),
    ]

    async def refused(**confined: Any) -> list[tuple[int, str]]:
        made = await make(home, name=str(confined), **confined)
        answer = await post(home, made["token"], *items)
        assert all(r["code"] == "forbidden" for r in answer.json()["rejected"])
        return [(r["index"], r["pointer"].split("/")[-1]) for r in answer.json()["rejected"]]

    assert await refused() == []
    assert await refused(areas=[area]) == [(1, "sensor_id")]
    assert await refused(areas=[cell, "441200"]) == []
    assert (1, "sensor_id") in await refused(areas=[cell])
    assert await refused(domains=["traffic"]) == [(2, "metric")]
    assert await refused(metrics=["noise.level"]) == [(0, "metric"), (1, "metric")]
    assert await refused(metrics=["noise.level"], areas=["441203"]) == [
        (0, "metric"), (1, "metric"), (2, "sensor_id"),
    ]  # fmt: skip


async def test_a_confined_key_cannot_move_sensors_to_where_it_may_post(home: City) -> None:
    wanted = {"metrics": ["traffic.speed"]}
    for confined, status in (({}, 200), ({"areas": ["441202"]}, 403)):
        made = await make(home, name=str(status), scopes=["post", "register"], **confined)
        answer = await ask(home, "PUT", f"/v1/sensors/{SENSOR}", made["token"], json=wanted)
        assert answer.status_code == status, answer.text
    assert answer.json()["code"] == "confined"


async def test_a_change_holds_within_two_seconds(home: City) -> None:
    made = await make(home)
    assert (await post(home, made["token"])).status_code == 202
    change = {"domains": ["environment"], "expires_at": "2026-05-02T00:00:00Z"}
    changed = await ask(home, "PATCH", f"/v1/keys/{made['key_id']}", json=change)
    assert changed.json()["domains"] == ["environment"]
    assert changed.json()["scopes"] == ["post"]  # what the body leaves out stays
    assert await turns(home, made["token"], 422)


async def test_a_rotated_token_is_valid_until_the_overlap_ends(
    home: City, engine: AsyncEngine
) -> None:
    made = await make(home)
    path = f"/v1/keys/{made['key_id']}"
    rotated = (await ask(home, "POST", f"{path}/rotate")).json()
    assert rotated["previous_until"] == "2026-05-02T08:00:00Z"
    assert (await post(home, made["token"])).status_code == 202
    assert (await post(home, rotated["token"])).status_code == 202
    async with engine.begin() as connection:  # the clock stands still, so the overlap moves
        await connection.execute(update(api_keys).values(previous_until=NOW))
    assert await turns(home, made["token"], 401)
    assert (await post(home, rotated["token"])).status_code == 202
    again = (await ask(home, "POST", f"{path}/rotate", json={"overlap_seconds": 0})).json()
    assert await turns(home, rotated["token"], 401)
    assert (await post(home, again["token"])).status_code == 202


async def test_a_revoked_key_is_out_with_all_its_tokens(home: City) -> None:
    made = await make(home)
    path = f"/v1/keys/{made['key_id']}"
    rotated = (await ask(home, "POST", f"{path}/rotate")).json()
    assert (await post(home, made["token"])).status_code == 202
    for _ in range(2):
        assert (await ask(home, "DELETE", path)).status_code == 204
    assert await turns(home, made["token"], 401)
    assert await turns(home, rotated["token"], 401)
    for method, where, body in (("PATCH", path, {}), ("POST", f"{path}/rotate", None)):
        assert (await ask(home, method, where, json=body)).json()["code"] == "revoked"
    assert (await ask(home, "DELETE", "/v1/keys/nobody")).status_code == 404


async def test_an_expired_key_is_out(home: City, engine: AsyncEngine) -> None:
    made = await make(home, expires_at="2026-05-01T09:00:00Z")
    assert (await post(home, made["token"])).status_code == 202
    async with engine.begin() as connection:
        await connection.execute(update(api_keys).values(expires_at=NOW))
    assert await turns(home, made["token"], 401)
    assert (await ask(home, "GET", f"/v1/keys/{made['key_id']}")).json()["state"] == "expired"


async def test_last_use_is_written_in_batches_at_most_once_a_minute(home: City) -> None:
    made = await make(home)
    shelf = KeyShelf(home.context.engine, home.context.clock)
    path = f"/v1/keys/{made['key_id']}"
    assert (await ask(home, "GET", path)).json()["last_used_at"] is None
    await post(home, made["token"])
    used = home.context.authenticator.take_used()
    assert used[made["key_id"]] == NOW
    await shelf.note_use(used)
    assert (await ask(home, "GET", path)).json()["last_used_at"] == "2026-05-01T08:00:00Z"
    for seconds, shown in ((59, "08:00:00"), (60, "08:01:00")):
        await shelf.note_use({made["key_id"]: NOW + timedelta(seconds=seconds)})
        assert shown in (await ask(home, "GET", path)).json()["last_used_at"]
    await post(home, made["token"])
    stop = asyncio.Event()
    stop.set()
    await LastUse(home.context.authenticator.take_used, shelf).run(stop)
    assert home.context.authenticator.take_used() == {}
