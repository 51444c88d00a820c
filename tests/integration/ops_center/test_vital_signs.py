"""Vital signs, air and traffic on a real database, log and HTTP server."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select

from services.ops_center.feed import Feed
from services.ops_center.hub import Hub
from services.ops_center.repository import Repository
from services.ops_center.vital_signs.index import Vital
from services.ops_center.vital_signs.recorder import Recorder
from services.ops_center.vital_signs.records import KEPT, Records
from services.ops_center.vital_signs.surveyor import Surveyor
from shared.clock import system_clock, to_micros
from shared.contracts.reading import Reading
from shared.store.rollups import floor_to
from shared.store.tables import vital_signs
from tests.integration.ops_center.conftest import Centre
from tests.unit.ops_center.wall import incident
from tests.waiting import eventually

CITY, WEST, EAST = "441200", "441202", "441203"
STEP, HOUR = timedelta(minutes=5), timedelta(hours=1)
NONE = dict.fromkeys(("alarm", "outside", "silent", "bad", "never"), 0)


def speed(value: float, at: datetime, sensor: str = "road-1", **more: Any) -> Reading:
    return Reading(sensor, "traffic.speed", to_micros(at), value, **more)


async def signs(centre: Centre, **query: Any) -> dict[tuple[str, str], dict[str, Any]]:
    items = (await centre.ask("/v1/vital-signs", **query))["items"]
    return {(one["area_id"], one["domain"]): one for one in items}


@pytest.fixture
async def speaking(centre: Centre) -> AsyncIterator[Centre]:
    """Every road has spoken just now, all within their range but road-2, slow for four minutes."""
    now = system_clock()
    stored = [speed(45, now - timedelta(minutes=n)) for n in range(1, 6)]
    stored += [speed(45, now - timedelta(minutes=n), "road-2") for n in range(5, 9)]
    stored += [speed(5, now - timedelta(minutes=n), "road-2") for n in range(1, 5)]
    await centre.store(stored, {})
    await centre.post(speed(45, now), speed(5, now, "road-2"), speed(50, now, "both-1"))

    async def seen() -> bool:
        async with centre.http(centre.screen_token) as http:
            answer = await http.get("/v1/vital-signs", params={"area_id": CITY})
        items = answer.json().get("items") or [{"sensors": {"counted": 0}}]
        return bool(items[0]["sensors"]["counted"] == 3)

    assert await eventually(seen, 20)
    yield centre


async def test_an_index_says_how_each_area_and_domain_runs(speaking: Centre) -> None:
    found = await signs(speaking)
    assert list(found)[:3] == [(CITY, name) for name in ("traffic", "environment", "utilities")]
    assert len(found) == 9
    west, east, city = (found[area, "traffic"] for area in (WEST, EAST, CITY))
    assert (west["index"], west["band"], west["heard"]) == (100, "steady", 1)
    assert east["sensors"] == NONE | {"counted": 2, "normal": 1, "outside": 1}
    # 15 km/h below a range of 40: 1 + 15/40 of one sensor of two, of one of three
    assert east["index"] == pytest.approx(100 - 137.5 / 2, abs=0.1)
    assert city["index"] == pytest.approx(100 - 137.5 / 3, abs=0.1)
    assert (city["yesterday"], city["last_week"]) == (None, None)
    [figure] = [one for one in east["figures"] if one["metric"] == "traffic.speed"]
    assert (figure["value"], figure["yesterday"]) == (27.5, None)
    silent = found[WEST, "environment"]
    assert (silent["index"], silent["band"]) == (None, "unknown")
    assert silent["sensors"]["never"] == 1


async def test_it_is_explained_by_sensor_distance_and_since_when(speaking: Centre) -> None:
    told = await speaking.ask("/v1/vital-signs/traffic", area_id=EAST)
    assert told["index"] == pytest.approx(100 - sum(one["points"] for one in told["contributions"]),
                                          abs=0.1)  # fmt: skip
    [slow] = told["contributions"]
    assert (slow["sensor_id"], slow["cause"], slow["value"]) == ("road-2", "outside", 5)
    assert (slow["normal"], slow["outside_by"], slow["at_least"]) == ([20, 60], -15, False)
    since = datetime.fromisoformat(slow["since"])
    ago = (datetime.fromisoformat(told["at"]) - since).total_seconds()
    assert 230 < ago < 300
    assert told["by_metric"][0] | {"points": 0} == {
        "metric": "traffic.speed", "name_zh": "车速", "name_en": "speed", "cause": "outside",
        "sensors": 1, "points": 0,
    }  # fmt: skip
    assert told["more"] == 0
    assert (await speaking.ask("/v1/vital-signs/traffic"))["area_id"] == CITY


async def test_what_was_outside_for_as_long_as_is_known_says_so(speaking: Centre) -> None:
    now = system_clock()
    await speaking.store([speed(9, now - n * HOUR, "both-1") for n in range(1, 6)], {})
    await speaking.post(speed(9, now + timedelta(seconds=1), "both-1"))

    async def low() -> bool:
        told = await speaking.ask("/v1/vital-signs/traffic", area_id=EAST)
        return len(told["contributions"]) == 2

    assert await eventually(low, 20)
    told = await speaking.ask("/v1/vital-signs/traffic", area_id=EAST)
    [both] = [one for one in told["contributions"] if one["sensor_id"] == "both-1"]
    assert both["at_least"]
    assert datetime.fromisoformat(both["since"]) < now - 4.9 * HOUR


async def test_an_alarm_and_silence_say_since_when_too(speaking: Centre) -> None:
    opened = floor_to(system_clock(), 60) - HOUR
    alarmed: dict[str, Any] = {"subjects": ("road-1",), "metric": "traffic.speed", "priority": 3}
    await speaking.step(incident(1, **alarmed, opened_at=opened))
    heard = opened - 5 * HOUR
    await speaking.post(Reading("gauge-1", "water.level", to_micros(heard), 3.0))

    async def shown() -> bool:
        found = await signs(speaking, area_id=WEST)
        return bool(
            found[WEST, "traffic"]["sensors"]["alarm"]
            and found[WEST, "environment"]["sensors"]["silent"]
        )

    assert await eventually(shown, 20)
    [alarm] = (await speaking.ask("/v1/vital-signs/traffic", area_id=WEST))["contributions"]
    assert (alarm["cause"], alarm["state"], alarm["outside_by"]) == ("alarm", "p3", None)
    assert datetime.fromisoformat(alarm["since"]) == opened
    quiet = await speaking.ask("/v1/vital-signs/environment", area_id=WEST)
    assert quiet["index"] is None
    assert datetime.fromisoformat(quiet["contributions"][0]["since"]) == heard


def step(at: datetime, score: float | None, area: str = CITY, **more: Any) -> dict[str, Any]:
    row = {"area_id": area, "domain": "traffic", "at": at, "score": score, "heard": 1.0}
    return row | NONE | {"counted": 4, "figures": {"traffic.speed": 33.0}} | more


async def keep(centre: Centre, rows: Sequence[dict[str, Any]]) -> None:
    async with centre.engine.begin() as connection:
        await connection.execute(insert(vital_signs), rows)


async def test_it_is_compared_with_yesterday_and_last_week(speaking: Centre) -> None:
    now = system_clock()
    day, week = now - timedelta(days=1), now - timedelta(days=7)
    await keep(speaking, [step(day - STEP, 91.0), step(day - 2 * STEP + STEP / 5, 50.0),
                          step(week - 3 * STEP, 40.0), step(day + STEP, 10.0)])  # fmt: skip
    city = (await signs(speaking, area_id=CITY, domain="traffic"))[CITY, "traffic"]
    assert city["yesterday"]["index"] == 91
    assert city["yesterday"]["sensors"] == NONE | {"counted": 4, "normal": 4}
    assert city["last_week"] is None  # a quarter of an hour is too far away
    assert [one["yesterday"] for one in city["figures"]] == [33.0]


async def test_the_past_can_be_asked_for(speaking: Centre) -> None:
    now = floor_to(system_clock(), 3600)
    rows = [step(now - n * STEP, 50.0 + n, alarm=n) for n in range(24) if n != 20]
    await keep(speaking, [*rows, step(now - 20 * STEP, None)])
    then = await speaking.ask("/v1/vital-signs", at=(now - 3 * STEP).isoformat())
    assert [(one["area_id"], one["index"]) for one in then["items"]] == [(CITY, 53)]
    nothing = await speaking.ask("/v1/vital-signs", at=(now - timedelta(days=3)).isoformat())
    assert nothing["items"] == []
    span = {"from": (now - 2 * HOUR).isoformat(), "to": now.isoformat()}
    past = await speaking.ask("/v1/vital-signs/traffic/history", **span)
    assert past["resolution_seconds"] == 300
    assert [one["index"] for one in past["items"]][:4] == [73, 72, 71, None]
    coarse = await speaking.ask("/v1/vital-signs/traffic/history", points=3, **span)
    assert coarse["resolution_seconds"] == 3600
    first = coarse["items"][0]
    assert (first["lowest"], first["alarm"]) == (63, 23)


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/vital-signs?area_id=nowhere", "/query/area_id"),
        ("/v1/vital-signs?at=yesterday", "/query/at"),
        ("/v1/vital-signs?domain=weather", "/query/domain"),
        ("/v1/vital-signs/weather", "/path/domain"),
        ("/v1/vital-signs/traffic?area_id=nowhere", "/query/area_id"),
        ("/v1/vital-signs/traffic?limit=0", "/query/limit"),
        ("/v1/vital-signs/traffic/history?area_id=nowhere", "/query/area_id"),
        ("/v1/vital-signs/traffic/history?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z",
         "/query/from"),
        ("/v1/vital-signs/traffic/history?points=1", "/query/points"),
        ("/v1/air-quality?area_id=nowhere", "/query/area_id"),
        ("/v1/air-quality?at=noon", "/query/at"),
        ("/v1/traffic-state?area_id=nowhere", "/query/area_id"),
        ("/v1/traffic-state?sensors=-1", "/query/sensors"),
    ],
)  # fmt: skip
async def test_wrong_questions_are_told_what_and_where(
    speaking: Centre, path: str, pointer: str
) -> None:
    async with speaking.http(speaking.screen_token) as http:
        answer = await http.get(path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_nothing_is_told_to_strangers(centre: Centre) -> None:
    async with centre.http() as http:
        for path in ("/v1/vital-signs", "/v1/air-quality", "/v1/traffic-state"):
            answer: httpx.Response = await http.get(path)
            assert (path, answer.status_code) == (path, 401)


async def test_steps_are_kept_once_and_outlive_a_restart(idle_centre: Centre) -> None:
    now = system_clock()
    await idle_centre.store([speed(45, now)], {})
    hub = Hub(system_clock, int(CITY))
    feed = Feed(idle_centre.log, Repository(idle_centre.engine), hub, system_clock)
    await feed._load()
    records = Records(idle_centre.engine)
    at = floor_to(now, 300)
    recorder = Recorder(Surveyor(feed, system_clock), records, lambda: at + STEP / 2)
    await recorder.step()
    await recorder.step()  # as another replica would
    async with idle_centre.engine.connect() as connection:
        kept = (await connection.execute(select(vital_signs))).all()
    assert {row.at for row in kept} == {at}
    [west] = [row for row in kept if (row.area_id, row.domain) == (WEST, "traffic")]
    assert (west.score, west.counted, west.figures) == (100, 1, {"traffic.speed": 45})
    async with idle_centre.running():

        async def there() -> bool:
            async with idle_centre.http(idle_centre.screen_token) as http:
                answer = await http.get(
                    "/v1/vital-signs/traffic/history",
                    params={"area_id": WEST, "from": at.isoformat(), "to": (at + STEP).isoformat()},
                )
            return answer.is_success and [one["index"] for one in answer.json()["items"]] == [100]

        assert await eventually(there, 20)


async def test_what_is_too_old_is_forgotten(idle_centre: Centre) -> None:
    now = floor_to(system_clock(), 300)
    await keep(idle_centre, [step(now - KEPT - STEP, 1.0), step(now - KEPT + STEP, 2.0)])
    await Records(idle_centre.engine).forget(now)
    async with idle_centre.engine.connect() as connection:
        assert list(await connection.scalars(select(vital_signs.c.score))) == [2.0]


async def test_a_city_that_has_never_spoken_keeps_only_that(idle_centre: Centre) -> None:
    silent = dict.fromkeys(("normal", "alarm", "outside", "silent", "bad", "never"), 0)
    vitals = [Vital(CITY, "traffic", None, silent | {"never": 3}, 0.0, {}),  # type: ignore[arg-type]
              Vital(CITY, "utilities", None, silent, 0.0, {})]  # type: ignore[arg-type]  # fmt: skip
    await Records(idle_centre.engine).keep(system_clock(), vitals)
    async with idle_centre.engine.connect() as connection:
        rows = (await connection.execute(select(vital_signs))).all()
    assert [(row.domain, row.score, row.counted, row.never) for row in rows] == [
        ("traffic", None, 0, 3)
    ]
