"""History, sessions, map and summary on real parts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from services.ops_center.accounts import ensure_first_login, ensure_screen_token
from shared.clock import to_micros
from shared.contracts.reading import Reading
from tests.integration.ops_center.conftest import Centre
from tests.unit.ops_center.wall import incident
from tests.waiting import eventually

START = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE = 60


def row(minute: float, value: float, sensor: str = "road-1", **more: Any) -> Reading:
    at = to_micros(START) + round(minute * MINUTE * 1e6)
    return Reading(sensor, "traffic.speed", at, value, **more)


async def history(centre: Centre, **query: Any) -> httpx.Response:
    wanted = {
        "sensor_id": "road-1",
        "metric": "traffic.speed",
        "from": START.isoformat(),
        "to": (START + timedelta(days=1)).isoformat(),
    }
    async with centre.http(centre.screen_token) as http:
        params = {name: value for name, value in (wanted | query).items() if value is not None}
        return await http.get("/v1/history", params=params)


async def test_few_readings_come_as_they_are(centre: Centre) -> None:
    await centre.store([row(1, 30.5), row(2, 40.0, quality="bad"), row(2000, 9.0)], {})
    answer = await history(centre)
    assert answer.status_code == 200
    body = answer.json()
    items = body.pop("items")
    expected = {"sensor_id": "road-1", "metric": "traffic.speed", "unit": "km/h"}
    assert body == expected | {"resolution_seconds": 0}
    first = {"at": "2026-05-01T00:01:00.000Z", "mean": 30.5, "min": 30.5, "max": 30.5, "last": 30.5}
    assert items[0] == first | {"count": 1, "bad": 0}
    assert (items[1]["last"], items[1]["bad"]) == (40.0, 1)
    assert len(items) == 2  # the third lies outside


async def test_many_readings_come_in_buckets_that_leave_gaps_open(centre: Centre) -> None:
    minutes = [*range(300), *range(900, 1200)]
    rows = [row(minute, float(minute % 60)) for minute in minutes]
    rows += [row(30.5, 1000.0, quality="bad")]
    await centre.store(rows, {})
    body = (await history(centre, points=49)).json()
    items = body["items"]
    assert body["resolution_seconds"] == 1800
    assert len(items) == 20
    assert sum(item["count"] for item in items) == 601
    second = items[1]
    assert (second["at"], second["count"], second["bad"]) == ("2026-05-01T00:30:00.000Z", 31, 1)
    assert (second["mean"], second["min"], second["max"], second["last"]) == (44.5, 30, 59, 59)
    gaps = {item["at"] for item in items}
    assert "2026-05-01T10:00:00.000Z" not in gaps


async def test_a_bucket_of_bad_readings_shows_them_as_bad(centre: Centre) -> None:
    await centre.store([row(n / 10, 5.0, quality="bad") for n in range(30)], {})
    [item] = (await history(centre, points=10)).json()["items"]
    assert (item["mean"], item["count"], item["bad"]) == (5.0, 30, 30)


async def test_an_unplaced_sensor_has_a_history_too(centre: Centre) -> None:
    await centre.store([row(5, 61.0, "la-1")], {})
    assert (await history(centre, sensor_id="la-1")).json()["items"][0]["mean"] == 61.0


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ({"sensor_id": "nobody"}, 404, None),
        ({"sensor_id": None}, 422, "/query/sensor_id"),
        ({"sensor_id": "a\x00b"}, 422, "/query/sensor_id"),
        ({"metric": "no.such"}, 422, "/query/metric"),
        ({"metric": "BAD METRIC"}, 422, "/query/metric"),
        ({"from": "yesterday"}, 422, "/query/from"),
        ({"to": "2026-05-01"}, 422, "/query/to"),
        ({"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}, 422, "/query/from"),
        ({"points": 2001}, 422, "/query/points"),
        ({"points": 1}, 422, "/query/points"),
        ({"points": "many"}, 422, "/query/points"),
    ],
)
async def test_wrong_questions_are_answered_with_problems(
    centre: Centre, query: dict[str, Any], status: int, pointer: str | None
) -> None:
    answer = await history(centre, **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer


async def test_nothing_is_shown_to_strangers(centre: Centre) -> None:
    async with centre.http() as http:
        for path in (
            "/v1/history?sensor_id=road-1&metric=traffic.speed",
            "/v1/map/areas",
            "/v1/map/layers",
            "/v1/map/layers/x.pmtiles",
            "/v1/summary",
            "/v1/session",
        ):
            answer = await http.get(path)
            assert (path, answer.status_code) == (path, 401)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_log_in_who_am_i_log_out(centre: Centre) -> None:
    username, password = centre.login
    async with centre.http() as http:
        given = {"username": username, "password": password}
        answer = await http.post("/v1/session", json=given)
        assert answer.status_code == 200
        assert (answer.json()["username"], answer.json()["role"]) == ("admin", "admin")
        cookie = answer.headers["set-cookie"].lower()
        assert "yiwang_session=" in cookie
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "max-age=43200" in cookie
        assert (await http.get("/v1/session")).json()["kind"] == "person"  # by the cookie
        async with centre.http(answer.json()["token"]) as other:
            assert (await other.get("/v1/session")).status_code == 200
        forged = {"Origin": "https://evil.example"}
        assert (await http.delete("/v1/session", headers=forged)).status_code == 403
        assert (await http.delete("/v1/session")).status_code == 204
        assert (await http.get("/v1/session")).status_code == 401
    async with centre.http(answer.json()["token"]) as other:
        assert (await other.get("/v1/session")).status_code == 401


async def test_a_screen_may_ask_who_it_is_but_has_no_session_to_end(centre: Centre) -> None:
    async with centre.http(centre.screen_token) as http:
        assert (await http.get("/v1/session")).json()["kind"] == "screen"
        assert (await http.delete("/v1/session")).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "admin", "password": "wrong"}, 401),
        ({"username": "nobody", "password": "wrong"}, 401),
        ({"username": "admin"}, 422),
        ({"username": "admin", "password": "x", "role": "admin"}, 422),
        ({"username": "a\x00b", "password": "x"}, 422),
        ({"username": "a" * 65, "password": "x"}, 422),
        ({"username": ["admin"], "password": "x"}, 422),
        ([], 422),
    ],
)
async def test_a_wrong_login_is_refused(centre: Centre, body: Any, status: int) -> None:
    async with centre.http() as http:
        answer = await http.post("/v1/session", json=body)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


async def test_a_login_from_another_site_is_refused(centre: Centre) -> None:
    username, password = centre.login
    async with centre.http() as http:
        answer = await http.post(
            "/v1/session",
            json={"username": username, "password": password},
            headers={"Origin": "https://evil.example"},
        )
    assert answer.status_code == 403


async def test_guessing_is_slowed_down_even_with_the_right_password_at_last(
    centre: Centre,
) -> None:
    username, password = centre.login
    async with centre.http() as http:
        for _ in range(5):
            given = {"username": username, "password": "guess"}
            assert (await http.post("/v1/session", json=given)).status_code == 401
        right = {"username": username, "password": password}
        answer = await http.post("/v1/session", json=right)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 3

        async def admitted() -> bool:
            return (await http.post("/v1/session", json=right)).status_code == 200

        assert await eventually(admitted, 10)


async def test_the_first_login_and_screen_token_are_made_once(centre: Centre) -> None:
    assert await ensure_first_login(centre.engine) is None
    assert await ensure_screen_token(centre.engine) is None


async def test_an_expired_session_is_none_and_is_swept(centre: Centre) -> None:
    username, password = centre.login
    given = {"username": username, "password": password}
    async with centre.http() as http:
        token = (await http.post("/v1/session", json=given)).json()["token"]
        async with centre.engine.begin() as connection:
            await connection.execute(
                text("UPDATE ops.sessions SET expires_at = now() - interval '1 second'")
            )
        async with centre.http(token) as other:
            assert (await other.get("/v1/session")).status_code == 401
        await http.post("/v1/session", json=given)
    async with centre.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM ops.sessions")) == 1


async def test_areas_are_geojson_with_their_attribution(centre: Centre) -> None:
    async with centre.http(centre.screen_token) as http:
        body = (await http.get("/v1/map/areas")).json()
        assert body["type"] == "FeatureCollection"
        assert "GS(2024)0650" in body["attribution"]
        assert [one["properties"]["level"] for one in body["features"]] == [
            "city",
            "district",
            "district",
        ]
        assert body["features"][0]["geometry"]["type"] == "Polygon"
        (centre.data_dir / "boundaries.geojson").write_text("{}")
        assert (await http.get("/v1/map/areas")).json()["attribution"] == ""


async def test_dropped_layers_are_listed_and_served_in_ranges(centre: Centre) -> None:
    folder = centre.data_dir / "layers"
    folder.mkdir()
    (folder / "base.pmtiles").write_bytes(bytes(range(256)))
    (folder / "河流.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    async with centre.http(centre.screen_token) as http:
        items = (await http.get("/v1/map/layers")).json()["items"]
        assert [(one["name"], one["kind"]) for one in items] == [
            ("base", "pmtiles"),
            ("河流", "geojson"),
        ]
        part = await http.get(items[0]["url"], headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
        assert (await http.get(items[1]["url"])).json()["features"] == []
        for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e", "nothing.pmtiles", quote("a\x00.geojson")):
            answer = await http.get(f"/v1/map/layers/{name}")
            assert (name, answer.status_code) == (name, 404)


async def test_the_summary_counts_what_the_wall_shows(centre: Centre) -> None:
    await centre.step(incident(1))
    async with centre.http(centre.screen_token) as http:

        async def counted() -> bool:
            answer = await http.get("/v1/summary")  # 503 while the picture loads
            return answer.status_code == 200 and bool(answer.json()["incidents"]["open"])

        assert await eventually(counted, 10)
        body = (await http.get("/v1/summary")).json()
        assert body["sensors"] == {"total": 6, "unplaced": 1}
        assert body["series"]["total"] == 6
        assert body["series"]["by_state"]["never"] + body["series"]["by_state"]["p2"] == 6
        assert body["incidents"]["by_priority"] == {"1": 0, "2": 1, "3": 0, "4": 0}


async def test_the_process_is_ready_and_serves_its_pages(centre: Centre) -> None:
    async with centre.http() as http:

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        assert await eventually(ready, 10)
        page = await http.get("/")
        assert page.status_code in (200, 503)  # built or not
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert (await http.get("/assets/nothing.js")).status_code == 404
        assert (await http.get("/v1/nothing")).status_code == 404
        metrics = (await http.get("/metrics")).text
        assert "yiwang_live_clients" in metrics
