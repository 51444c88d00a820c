"""The quarantine over HTTP: looked at, mended, replayed, discarded."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest import metrics
from services.ingest.quarantine.bound import Keeper
from services.ingest.quarantine.repository import Quarantine
from services.ingest.quarantine.selection import Bound
from shared.contracts.reading import ItemCode
from shared.eventlog.log import EventLog
from shared.store.tables import quarantine as table
from tests.integration.cities import NOW, City, city, reading
from tests.integration.people import actors
from tests.integration.set_aside import aside, do, fill, listed, written


@pytest.fixture
async def home(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as made:
        admin = (await actors(engine))["admin"]
        made.client.headers["Authorization"] = f"Bearer {admin}"
        yield made


async def test_filters_narrow_the_list(home: City) -> None:
    await fill(
        home,
        aside(1, reading(1, 999)),
        aside(2, reading(2), ItemCode.CONFLICT, "trams"),
        aside(3, {"sensor_id": "x", "metric": "no.such"}, ItemCode.UNKNOWN_SENSOR),
        aside(4, "not json at all", ItemCode.MALFORMED),
    )

    async def offsets(**query: Any) -> list[int]:
        return sorted(item["offset"] for item in await listed(home, **query))

    assert await offsets() == [1, 2, 3, 4]
    assert await offsets(code="conflict") == [2]
    assert await offsets(source="buses") == [1, 3, 4]
    assert await offsets(sensor_id="x") == [3]
    assert await offsets(metric="traffic.speed") == [1, 2]
    assert await offsets(state="waiting", source="trams") == [2]
    assert await offsets(state="replayed") == []
    assert await offsets(since="2099-01-01T00:00:00Z") == []
    assert await offsets(until="2099-01-01T00:00:00Z") == [1, 2, 3, 4]
    wrong = await home.client.get("/v1/quarantine", params={"since": "2026-05-01 08:00"})
    assert wrong.status_code == 422
    page = (await home.client.get("/v1/quarantine", params={"limit": 3})).json()
    rest = await listed(home, cursor=page["next"])
    assert [item["offset"] for item in page["items"] + rest] == [4, 3, 2, 1]


async def test_the_summary_counts_by_reason(home: City) -> None:
    await fill(home, *(aside(n, reading(n, 999)) for n in range(3)),
               aside(9, reading(9), ItemCode.CONFLICT, "trams"))  # fmt: skip
    summary = (await home.client.get("/v1/quarantine/summary")).json()
    assert summary["waiting"] == 4
    assert summary["by_code"] == {"out_of_range": 3, "conflict": 1}
    assert summary["groups"][0] == {"source": "buses", "code": "out_of_range",
                                    "state": "waiting", "items": 3}  # fmt: skip
    keeper = Keeper(
        home.context.engine, Quarantine(home.context.engine), Bound(max_rows=100, max_days=9),
        lambda: NOW,
    )  # fmt: skip
    await keeper.measure()
    assert metrics.QUARANTINED.labels("out_of_range", "waiting")._value.get() == 3
    page = (await home.client.get("/metrics")).text
    assert 'yiwang_ingest_quarantine_items{code="out_of_range",state="waiting"} 3.0' in page


async def test_an_item_is_mended_beside_the_original_and_replayed(home: City) -> None:
    await fill(home, aside(1, reading(1, 999)))
    (item,) = await listed(home)
    path = f"/v1/quarantine/{item['id']}"
    body = {"item": reading(1, 99.9), "note": "one digit too many"}
    assert (await home.client.patch(path, json=body)).status_code == 204
    detail = (await home.client.get(path)).json()
    assert (detail["item"]["value"], detail["mended"]["value"]) == (999, 99.9)
    ((actor, action, note),) = [(c["actor"], c["action"], c["detail"]) for c in detail["changes"]]
    assert (actor, action, note) == ("admin", "mended", "one digit too many")
    answer = await do(home, "replay", filter={"ids": [item["id"]]})
    assert (answer["done"], answer["left"], answer["next"]) == (1, [], None)
    assert await written(home) == [(99.9,)]
    (item,) = await listed(home, state="replayed")
    assert item["receipt"] == answer["receipts"][0]
    receipt = await home.client.get(f"/v1/receipts/{item['receipt']}")
    assert receipt.json() == {"status": "stored", "quarantined": []}
    again = await do(home, "replay", filter={"ids": [item["id"]]})
    assert (again["done"], again["receipts"]) == (0, [])
    assert (await home.client.patch(path, json=body)).status_code == 409


async def test_a_wrong_unit_is_mended_in_bulk(home: City) -> None:
    await fill(home, *(aside(n, reading(n, 1000 + n)) for n in range(30)),
               aside(99, "garbage", ItemCode.OUT_OF_RANGE))  # fmt: skip
    body: dict[str, Any] = {
        "filter": {"code": "out_of_range", "source": "buses"}, "rule": {"multiply": 0.01},
    }  # fmt: skip
    dry = await do(home, "mend", **body, dry_run=True)
    assert (dry["done"], len(dry["samples"]), dry["dry_run"]) == (30, 20, True)
    assert (dry["samples"][0]["before"]["value"], dry["samples"][0]["after"]["value"]) == (1000, 10)
    assert not any(item["mended"] for item in await listed(home))
    done, after = 0, 0
    while after is not None:
        answer = await do(home, "mend", **body, limit=7, after=after)
        done, after = done + answer["done"], answer["next"]
    assert done == 30
    repeated = await do(home, "mend", **body)
    assert repeated["done"] == 0
    assert {left["code"] for left in repeated["left"]} == {"mended", "unmendable"}
    replayed = await do(home, "replay", filter={"code": "out_of_range"})
    assert replayed["done"] == 30
    assert [left["code"] for left in replayed["left"]] == ["invalid_type"]
    assert await written(home) == [(10 + n / 100,) for n in range(30)]


async def test_what_is_refused_again_stays_with_the_new_reason(home: City) -> None:
    future = reading(1) | {"observed_at": "2026-05-01T09:00:00Z"}
    await fill(home, aside(1, reading(1, 999) | {"sensor_id": "who"}), aside(2, future))
    answer = await do(home, "replay", filter={"source": "buses"})
    assert (answer["done"], answer["receipts"]) == (0, [])
    items = {item["offset"]: item for item in await listed(home, state="waiting")}
    assert {offset: item["code"] for offset, item in items.items()} == {
        1: "unknown_sensor", 2: "in_future",
    }  # fmt: skip
    detail = (await home.client.get(f"/v1/quarantine/{items[1]['id']}")).json()
    assert [change["action"] for change in detail["changes"]] == ["refused"]


async def test_a_replayed_conflict_supersedes_and_is_audited(home: City) -> None:
    for value in (40, 41):
        await home.client.post("/v1/readings", json=reading(1, value))
    assert await written(home) == [(40,)]
    (item,) = await listed(home, code="conflict")
    chosen = {"ids": [item["id"]]}
    await do(home, "mend", filter=chosen, rule={"replace": True})
    assert (await do(home, "replay", filter=chosen))["done"] == 1
    assert await written(home) == [(41,)]
    audited = "SELECT old_value, new_value, source FROM ingest.corrections"
    assert await home.rows(audited) == [(40, 41, "admin")]


async def test_a_crash_between_log_and_mark_changes_nothing_twice(home: City) -> None:
    await fill(home, aside(1, reading(1, 50)))
    await do(home, "replay", filter={"source": "buses"})
    async with home.context.engine.begin() as connection:  # as if the mark had not been written
        await connection.execute(update(table).values(state="waiting", receipt=None))
    assert (await do(home, "replay", filter={"source": "buses"}))["done"] == 1
    assert await written(home) == [(50,)]
    assert await home.rows("SELECT count(*) FROM ingest.quarantine") == [(1,)]


async def test_a_record_that_was_too_large_is_replayed_whole(home: City) -> None:
    rows = [reading(n % 60, n % 60) for n in range(12_000)]
    await fill(home, aside(1, rows, ItemCode.TOO_LARGE))
    assert (await do(home, "replay", filter={"code": "too_large"}))["done"] == 1
    assert await written(home) == [(n,) for n in range(60)]


async def test_a_cloud_event_is_replayed_as_one(home: City) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/buses", "type": "reading",
             "data": reading(1, 50)}  # fmt: skip
    await fill(home, aside(1, [event], ItemCode.TOO_LARGE))
    assert (await do(home, "replay", filter={"code": "too_large"}))["done"] == 1
    assert await written(home) == [(50,)]


async def test_a_discarded_item_waits_again_once_mended(home: City) -> None:
    await fill(home, aside(1, reading(1, 999)), aside(2, reading(2, 999)))
    first = (await listed(home))[-1]["id"]
    answer = await do(home, "discard", filter={"ids": [first]}, note="a test device")
    assert answer["done"] == 1
    assert [item["id"] for item in await listed(home, state="discarded")] == [first]
    assert (await do(home, "replay", filter={"ids": [first]}))["done"] == 0
    mended = await home.client.patch(f"/v1/quarantine/{first}", json={"item": reading(1, 9)})
    assert mended.status_code == 204
    assert (await do(home, "replay", filter={"ids": [first]}))["done"] == 1


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("replay", {"filter": {}}),
        ("replay", {"filter": {"state": "waiting"}}),
        ("replay", {"filter": {"colour": "red"}}),
        ("mend", {"filter": {"code": "conflict"}, "rule": {}}),
        ("mend", {"filter": {"code": "conflict"}, "rule": {"multiply": "2"}}),
        ("discard", {"filter": {"code": "conflict"}, "note": ""}),
        ("discard", {"filter": {"code": "a\0"}, "note": "x"}),
    ],
)
async def test_wrong_requests_are_problems(home: City, action: str, body: dict[str, Any]) -> None:
    await do(home, action, 422, **body)


@pytest.mark.parametrize("item", [b'{"item": {"value": NaN}}', b'{"item": {"a": "\\ud800"}}',
                                  b'{"item": 5}', b"{}"])  # fmt: skip
async def test_what_no_database_can_hold_is_no_mend(home: City, item: bytes) -> None:
    await fill(home, aside(1, reading(1, 999)))
    (held,) = await listed(home)
    answer = await home.client.patch(
        f"/v1/quarantine/{held['id']}", content=item, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text


async def test_routes_ask_for_their_role(home: City, engine: AsyncEngine) -> None:
    await fill(home, aside(1, reading(1, 999)))
    number = (await listed(home))[0]["id"]
    every = {"filter": {"ids": [number]}}
    routes: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("GET", "/summary", None), ("GET", f"/{number}", None),
        ("PATCH", f"/{number}", {"item": reading(1, 9)}),
        ("POST", "/mend", every | {"rule": {"add": 1}, "dry_run": True}),
        ("POST", "/replay", {"filter": {"ids": [0]}}),
        ("POST", "/discard", every | {"note": "x", "after": number}),
    ]  # fmt: skip
    may_read = {"operator", "dispatcher", "admin", "key", "mender"}
    may_mend = {"admin", "mender"}
    for who, token in (await actors(engine)).items():
        headers = {"Authorization": f"Bearer {token}"}
        for method, path, body in routes:
            answer = await home.client.request(
                method, f"/v1/quarantine{path}", json=body, headers=headers
            )
            allowed = who in (may_read if method == "GET" else may_mend)
            assert (answer.status_code < 300) is allowed, (who, method, path, answer.text)
            assert allowed or answer.status_code in (401, 403)
    absent = await home.client.get("/v1/quarantine/999999999")
    assert absent.status_code == 404
    huge = await home.client.get(f"/v1/quarantine/{10**30}")
    assert huge.status_code == 404
