"""What a draft would have raised: `POST /v1/rules/preview` over stored readings."""

import asyncio
import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.rehearsal.preview import Question, answer
from shared.clock import system_clock
from shared.store.tables import readings, sensors
from tests.integration.alerting import all_incidents
from tests.integration.test_alerts_http import House

GAS: dict[str, Any] = {
    "id": "gas",
    "title": {"zh": "燃气", "en": "gas"},
    "metric": "gas.concentration",
    "above": 20,
    "deadband": 2,
    "grade": 2,
    "priority": 1,
}
VALUES = [5, 25, 31, 19, 17, 5, 22, 22]  # every 10 minutes, from yesterday on


def first() -> datetime:
    return system_clock().replace(microsecond=0) - timedelta(days=1)


async def fill(engine: AsyncEngine, start: datetime, names: str = "ab") -> None:
    rows = [
        {"sensor_id": name, "metric": "gas.concentration", "value": value,
         "observed_at": start + timedelta(minutes=10 * step)}
        for name in names for step, value in enumerate(VALUES)
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(readings), rows)
        await connection.execute(
            insert(sensors),
            [{"sensor_id": name, "metrics": ["gas.concentration"], "area_id": f"44120{number}"}
             for number, name in enumerate(names)],
        )  # fmt: skip


def asked(start: datetime, **changed: Any) -> Question:
    end = start + timedelta(days=1)
    return Question(GAS | changed, None, start - timedelta(days=1), end, 1_000_000, 20)


async def test_the_answer_is_what_would_have_been(house: House, engine: AsyncEngine) -> None:
    start = first()
    await fill(engine, start)
    draft = GAS | {"above": 24}
    status, found = await house.call("POST", "/v1/rules/preview?days=2", draft, "admin")
    assert status == 200, found
    assert found["read"] | {"seconds": 0} == {
        "rows": 16, "sensors": 2, "of_sensors": 2, "seconds": 0, "cut": None,
    }  # fmt: skip
    assert (found["draft"]["alerts"], found["draft"]["subjects"]) == (2, 2)
    assert sum(found["draft"]["per_day"].values()) == 2
    item = found["draft"]["items"][0]
    assert (item["subject"], item["peak"], item["grade"]) == ("a", 31, 2)
    assert datetime.fromisoformat(item["start"]) == start + timedelta(minutes=10)
    assert datetime.fromisoformat(item["end"]) == start + timedelta(minutes=30)
    current = found["current"]
    assert (current["version"], current["alerts"]) == (1, 4)
    assert [item["end"] is None for item in current["items"]] == [False, False, True, True]
    assert await all_incidents(engine) == []


async def test_bounds_cut_and_say_so(engine: AsyncEngine) -> None:
    start = first()
    await fill(engine, start, "abcdefgh")
    question = asked(start)
    question.max_rows = 20
    found = await answer(engine, question)
    assert (found.read.cut, found.read.rows, found.read.of_sensors) == ("rows", 24, 8)
    assert found.read.sensors == 2
    question = asked(start)
    question.max_seconds = 0
    found = await answer(engine, question)
    assert (found.read.cut, found.read.sensors) == ("time", 0)


async def test_a_rule_for_an_area_hears_its_sensors_only(engine: AsyncEngine) -> None:
    start = first()
    await fill(engine, start)
    found = await answer(engine, asked(start, areas=["441201"], below=10, above=None))
    assert {item.subject for item in found.draft.items} == {"b"}
    assert found.draft.items[0].peak == 5


async def test_a_rule_over_several_sensors_is_played_in_the_order_of_time(
    engine: AsyncEngine,
) -> None:
    start = first()
    await fill(engine, start, "abc")
    group = {"id": "mains", "sensors": ["a", "b", "c"]}
    count = {"of": {"above": 20}, "at_least": 3}
    found = await answer(engine, asked(start, above=None, deadband=0, groups=[group], count=count))
    [item, again] = found.draft.items
    assert (item.subject, item.peak) == ("mains", 3)
    assert datetime.fromisoformat(item.start) == start + timedelta(minutes=10)
    assert item.end is not None
    assert datetime.fromisoformat(item.end) == start + timedelta(minutes=30)
    assert again.no_data  # the readings end there


async def test_early_warnings_are_played_too(engine: AsyncEngine) -> None:
    """A level that rises and falls every day, each time higher; every quarter of an hour."""
    start = first() - timedelta(days=4)
    rows = [
        {"sensor_id": "g", "metric": GAS["metric"], "observed_at": start + timedelta(minutes=at),
         "value": 4.5 + 1.5 * math.sin(2 * math.pi * at / 1_440) + 0.8 * at / 1_440}
        for at in range(0, 5 * 1_440, 15)
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(readings), rows)
        sensor = {"sensor_id": "g", "metrics": [GAS["metric"]]}
        await connection.execute(insert(sensors).values(sensor))
    passed = next(row["observed_at"] for row in rows if float(str(row["value"])) > 8)
    question = asked(start, above=None, deadband=0, forecast={"above": 8, "within": "3h"})
    question.start, question.end = start, start + timedelta(days=5)
    found = await answer(engine, question)
    raised = datetime.fromisoformat(found.draft.items[0].start)
    assert timedelta(minutes=30) < passed - raised < timedelta(hours=4)
    assert found.draft.items[0].end is not None


async def test_who_may_ask_and_what_is_refused(house: House) -> None:
    for who in ("", "screen", "key", "viewer", "operator", "dispatcher"):
        status, _ = await house.call("POST", "/v1/rules/preview", GAS, who)
        assert status == (403 if who else 401)
    status, problem = await house.call("POST", "/v1/rules/preview", GAS | {"above": "x"}, "admin")
    assert (status, problem["pointer"]) == (422, "/above")
    assert (await house.call("POST", "/v1/rules/preview?days=99", GAS, "admin"))[0] == 422


async def test_one_at_a_time(house: House) -> None:
    answers = await asyncio.gather(
        *(house.call("POST", "/v1/rules/preview", GAS, "admin") for _ in range(3))
    )
    assert sorted(status for status, _ in answers) == [200, 503, 503]
