"""The next hours of a series over HTTP, from real rows: chosen, foretold, or why not."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.foresight import forecasts
from services.alerts.foresight.forecasts import Forecasts
from services.alerts.foresight.prospect import State
from shared.errors import Overloaded
from shared.store.tables import metrics, readings, sensors
from tests.integration.alerting import RULE
from tests.integration.ops_center.past import roll_up
from tests.integration.test_alerts_http import House

QUARTER = timedelta(minutes=15)
DAY = 96
LEVEL = "water.level"


def metric(code: str, **more: Any) -> dict[str, Any]:
    return {"metric": code, "domain": "environment", "unit": "m", "name_zh": code,
            "name_en": code, "interval_seconds": 60, **more}  # fmt: skip


def tide(row: int) -> float:
    return 4 + 1.5 * math.sin(2 * math.pi * row / DAY) + 0.2 * math.sin(row / 7)


async def a_gauge(
    engine: AsyncEngine,
    quarters: int,
    level: Callable[[int], float | None] = tide,
    until: datetime | None = None,
    **kind: Any,
) -> datetime:
    """A gauge `g` that was read once in each of so many quarters, the last one just complete."""
    now = until or datetime.now(UTC)
    end = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    rows = [
        {"sensor_id": "g", "metric": LEVEL, "quality": 0, "value": value,
         "observed_at": end - QUARTER * (quarters - row) + timedelta(minutes=7)}
        for row in range(quarters) if (value := level(row)) is not None
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(metrics), [metric(LEVEL, **{"foretold": True} | kind)])
        await connection.execute(insert(sensors), [{"sensor_id": "g", "metrics": [LEVEL]}])
        if rows:
            await connection.execute(insert(readings), rows)
    return end


async def asked(house: House, **query: Any) -> tuple[int, Any]:
    found = {"sensor_id": "g", "metric": LEVEL} | query
    path = "&".join(f"{name}={value}" for name, value in found.items())
    return await house.call("GET", f"/v1/forecast?{path}", who="viewer")


async def test_a_chosen_series_is_foretold_with_a_band_and_with_its_record(
    house: House, engine: AsyncEngine
) -> None:
    end = await a_gauge(engine, 10 * DAY)
    status, found = await asked(house)
    assert (status, found["state"], found["why"]) == (200, "ready", None)
    assert found["chosen_by"] == ["registry"] and found["unit"] == "m"
    assert [one["hours"] for one in found["items"]] == [1, 2, 3, 4, 5, 6]
    made = datetime.fromisoformat(found["made_at"])
    assert made in (end, end - QUARTER)  # the last quarter settles for a minute
    for one in found["items"]:
        row = 10 * DAY - 1 + 4 * one["hours"] - (end - made) // QUARTER
        assert one["low"] <= one["expected"] <= one["high"]
        assert abs(one["expected"] - tide(row)) < 0.3
        ahead = datetime.fromisoformat(one["at"]) - datetime.fromisoformat(found["last"]["at"])
        assert ahead == timedelta(hours=one["hours"])
    assert found["lately"][0]["mae"] < found["lately"][0]["naive_mae"]
    assert [one["hours"] for one in found["lately"]] == [1, 2, 3, 4, 5, 6]
    assert all(0.5 < one["inside"] <= 1 for one in found["lately"])
    _, short = await asked(house, hours=2)
    assert (len(short["items"]), len(short["lately"])) == (2, 2)


async def test_rollups_and_readings_foretell_the_same(house: House, engine: AsyncEngine) -> None:
    end = await a_gauge(engine, 9 * DAY)
    _, raw = await asked(house)
    until = end - 5 * QUARTER
    await roll_up(engine, dict.fromkeys((60, 900, 3_600), until))
    others = Forecasts(engine, Nobody(), lambda: datetime.now(UTC))
    rolled = (await others.prospect(("g", LEVEL))).outlook
    assert [one["expected"] for one in raw["items"]] == pytest.approx(
        [one.expected for one in rolled.ahead]
    )


class Nobody:
    """No rules."""

    current = ()


@pytest.mark.parametrize(
    ("level", "quarters", "state"),
    [
        (tide, 0, State.SILENT),
        (tide, 90, State.TOO_LITTLE),
        (lambda row: tide(row) if row < 5 * DAY - 8 else None, 5 * DAY, State.SILENT),
        (lambda row: None if 4 * DAY < row < 5 * DAY + 40 else tide(row), 6 * DAY, State.GAP),
    ],
)
async def test_where_too_little_is_known_it_says_so_and_draws_nothing(
    house: House, engine: AsyncEngine, level: Any, quarters: int, state: State
) -> None:
    await a_gauge(engine, quarters, level)
    status, found = await asked(house)
    assert (status, found["state"], found["items"]) == (200, state.value, [])
    assert found["why"]["zh"] and found["why"]["en"]


@pytest.mark.parametrize(
    "level",
    [
        lambda row: 4.0,  # constant
        lambda row: 0.0,
        lambda row: tide(row) * (1_000 if row > 5 * DAY else 1),  # another unit
        lambda row: 1e308 if row % 50 == 0 else tide(row),
        lambda row: -1e308,
    ],
)
async def test_odd_series_are_answered_with_numbers(
    house: House, engine: AsyncEngine, level: Any
) -> None:
    await a_gauge(engine, 8 * DAY, level)
    status, found = await asked(house)
    assert status == 200
    for one in found["items"]:
        assert math.isfinite(one["expected"]) and one["low"] <= one["expected"] <= one["high"]


async def test_readings_of_bad_quality_are_not_heard(house: House, engine: AsyncEngine) -> None:
    end = await a_gauge(engine, 5 * DAY)
    bad = [
        {"sensor_id": "g", "metric": LEVEL, "quality": 2, "value": 1_000.0,
         "observed_at": end - QUARTER * row + timedelta(minutes=3)} for row in range(1, 200)
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(readings), bad)
    _, found = await asked(house)
    assert max(one["expected"] for one in found["items"]) < 10


async def test_who_is_not_chosen_is_told_so(house: House, engine: AsyncEngine) -> None:
    await a_gauge(engine, 3 * DAY, foretold=False)
    status, found = await asked(house)
    assert (status, found["state"], found["chosen_by"], found["items"]) == (
        200, "not_chosen", [], [],
    )  # fmt: skip


async def test_a_rule_in_force_chooses_its_series(engine: AsyncEngine) -> None:
    await a_gauge(engine, 0, foretold=False)
    asks = RULE.model_validate(
        RULE.model_dump(by_alias=True, exclude_none=True, exclude={"above", "deadband"})
        | {"metric": LEVEL, "forecast": {"above": 8}, "sensors": ["g*"]}
    )

    class InForce:
        current = (asks,)

    known = await Forecasts(engine, InForce(), lambda: datetime.now(UTC)).known(("g", LEVEL))
    assert not isinstance(known, str) and known.chosen == [asks.id]
    others = await Forecasts(engine, InForce(), lambda: datetime.now(UTC)).known(("h", LEVEL))
    assert others == "sensor"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"sensor_id": "nobody"}, 404, "unknown_sensor"),
        ({"metric": "no.such"}, 404, "unknown_metric"),
        ({"hours": 0}, 422, "invalid_request"),
        ({"hours": 7}, 422, "invalid_request"),
        ({"hours": "soon"}, 422, "invalid_request"),
        ({"sensor_id": "a%20b"}, 422, "invalid_request"),
        ({"metric": "A%00"}, 422, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_named(
    house: House, engine: AsyncEngine, query: dict[str, Any], status: int, code: str
) -> None:
    await a_gauge(engine, 0)
    found, problem = await asked(house, **query)
    assert (found, problem["code"]) == (status, code)


async def test_time_that_goes_on_or_back_is_followed(engine: AsyncEngine) -> None:
    end = await a_gauge(engine, 4 * DAY)
    now = end + timedelta(minutes=2)
    some = Forecasts(engine, Nobody(), lambda: now)
    first = await some.prospect(("g", LEVEL))
    assert first is await some.prospect(("g", LEVEL))
    now = end - timedelta(hours=3)
    back = await some.prospect(("g", LEVEL))
    assert back.outlook.made_us < first.outlook.made_us
    now = end + timedelta(minutes=2)
    again = await some.prospect(("g", LEVEL))
    assert again.outlook.ahead == first.outlook.ahead


async def test_what_is_kept_and_who_waits_is_bounded(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "MOST_KEPT", 2)
    end = await a_gauge(engine, 0)
    some = Forecasts(engine, Nobody(), lambda: end)
    for number in range(5):
        await some.prospect((f"s{number}", LEVEL))
    assert len(some._kept) == 2
    monkeypatch.setattr(forecasts, "MOST_WAITING", 0)
    with pytest.raises(Overloaded):
        await some.prospect(("s9", LEVEL))


async def test_where_nothing_was_known_it_is_looked_at_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "AGAIN_SECONDS", 0.0)
    end = await a_gauge(engine, 0)
    some = Forecasts(engine, Nobody(), lambda: end + timedelta(minutes=2))
    assert (await some.prospect(("g", LEVEL))).state is State.SILENT
    rows = [
        {"sensor_id": "g", "metric": LEVEL, "quality": 0, "value": tide(row),
         "observed_at": end - QUARTER * (3 * DAY - row)} for row in range(3 * DAY)
    ]  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(readings), rows)
    assert (await some.prospect(("g", LEVEL))).state is State.READY
