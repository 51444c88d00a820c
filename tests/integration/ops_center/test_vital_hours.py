"""The air and the traffic of full hours, on a real database and HTTP server."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from services.ops_center.vital_signs.recorder import LEARNED_FROM, Learner
from services.ops_center.vital_signs.records import Records
from shared.clock import system_clock
from shared.store.rollups import floor_to
from shared.store.tables import free_flow, metrics, rollup_state, rollups_1h, sensors
from tests.integration.ops_center.conftest import Centre
from tests.waiting import eventually

CITY, WEST, EAST = "441200", "441202", "441203"
HOUR = timedelta(hours=1)


def hour_of(sensor: str, metric: str, bucket: datetime, mean: float, count: int) -> dict[str, Any]:
    same = dict.fromkeys(("min", "max", "mean", "last"), mean)
    return same | {"sensor_id": sensor, "metric": metric, "bucket": bucket, "count": count,
                   "good": count, "bad": 0, "last_at": bucket}  # fmt: skip


async def loaded(centre: Centre) -> None:
    """The picture, and with it the areas."""

    async def there() -> bool:
        async with centre.http(centre.screen_token) as http:
            return (await http.get("/v1/air-quality")).is_success

    assert await eventually(there, 20)


async def roll(centre: Centre, rows: Sequence[dict[str, Any]], to: datetime) -> None:
    async with centre.engine.begin() as connection:
        await connection.execute(insert(rollups_1h), rows)
        await connection.execute(insert(rollup_state).values(width_seconds=3600, rolled_to=to))


async def stations(centre: Centre) -> None:
    """Two air stations in the west, one in the east."""
    names = {"pm25": "PM2.5", "o3": "O3", "no2": "NO2", "pm10": "PM10", "so2": "SO2", "co": "CO"}
    async with centre.engine.begin() as connection:
        for code, name in names.items():
            await connection.execute(insert(metrics).values(
                metric=f"air.{code}", domain="environment", unit="µg/m³", name_zh=name,
                name_en=name, interval_seconds=300,
            ))  # fmt: skip
        for number, area in ((1, WEST), (2, WEST), (3, EAST)):
            await connection.execute(insert(sensors).values(
                sensor_id=f"air-{number}", name=f"站 {number}", lon=112.5, lat=23.0, area_id=area,
                metrics=[f"air.{code}" for code in names],
            ))  # fmt: skip


async def test_the_air_quality_index_of_stations_and_areas(idle_centre: Centre) -> None:
    await stations(idle_centre)
    now = floor_to(system_clock(), 3600)
    last = now - HOUR
    rows = [hour_of(f"air-{n}", "air.pm25", last - k * HOUR, 70.0 + 40 * (n == 2), 12)
            for n in (1, 2) for k in range(24)]  # fmt: skip
    rows += [hour_of("air-1", "air.o3", last, 180.0, 9), hour_of("air-2", "air.o3", last, 400.0, 8)]
    rows += [hour_of("air-3", "air.pm25", last - k * HOUR, 300.0, 12) for k in range(19)]
    rows += [hour_of("air-3", "air.no2", last, 90.0, 12),
             hour_of("air-1", "air.no2", last - 24 * HOUR, 120.0, 12)]  # fmt: skip
    await roll(idle_centre, rows, now)
    async with idle_centre.running():
        await loaded(idle_centre)
        told = await idle_centre.ask("/v1/air-quality", stations=True)
        earlier = await idle_centre.ask("/v1/air-quality", area_id=WEST,
                            at=(now - 23.5 * HOUR).isoformat())  # fmt: skip
    assert (told["report"], datetime.fromisoformat(told["start"])) == ("hourly", last)
    areas = {one["area_id"]: one for one in told["items"]}
    assert list(areas) == [CITY, WEST, EAST]
    west = areas[WEST]
    # PM2.5: (70 + 110) / 2 = 90 → 118.75; ozone of the one station with three quarters of its hour
    assert (west["aqi"], west["primary"], west["exceeding"]) == (119, ["pm25"], ["pm25"])
    assert (west["level"]["name_zh"], west["stations"]) == ("轻度污染", 2)
    assert {one["pollutant"]: one["iaqi"] for one in west["pollutants"]} == {"pm25": 119, "o3": 75}
    assert west["missing"] == ["pm10", "so2", "no2", "co"]
    assert west["yesterday"] == 60
    east = areas[EAST]  # 19 hours make no day
    assert (east["aqi"], "pm25" in east["missing"], east["level"]["name_zh"]) == (45, True, "优")
    single = {one["sensor_id"]: one["aqi"] for one in told["stations"]}
    assert single == {"air-1": 94, "air-2": 144, "air-3": 45}
    assert [one["aqi"] for one in earlier["items"]] == [60]
    assert earlier["stations"] == []


async def test_before_the_first_full_hour_nothing_is_told(centre: Centre) -> None:
    await loaded(centre)
    for path, query in (("/v1/air-quality", {}), ("/v1/air-quality", {"report": "daily"}),
                        ("/v1/traffic-state", {})):  # fmt: skip
        told = await centre.ask(path, **query)
        assert (told.get("hour", told.get("start")), told["items"]) == (None, [])


async def test_the_daily_report_goes_by_the_days_means(idle_centre: Centre) -> None:
    await stations(idle_centre)
    today = floor_to(system_clock(), 86_400)
    day = today - timedelta(days=1)
    rows = [hour_of("air-1", "air.no2", day + k * HOUR, 60.0, 12) for k in range(24)]
    rows += [hour_of("air-1", "air.o3", day + k * HOUR, 240.0 if 10 <= k < 18 else 40.0, 12)
             for k in range(24)]  # fmt: skip
    rows += [hour_of("air-2", "air.o3", day + k * HOUR, 300.0, 12) for k in range(13)]
    rows += [hour_of("air-3", "air.pm25", day + k * HOUR, 90.0, 12) for k in range(20)]
    rows += [hour_of("air-1", "air.no2", today, 900.0, 12)]
    await roll(idle_centre, rows, today + HOUR)
    async with idle_centre.running():
        await loaded(idle_centre)
        told = await idle_centre.ask("/v1/air-quality", report="daily", stations=True)
    assert (told["report"], datetime.fromisoformat(told["start"])) == ("daily", day)
    single = {one["sensor_id"]: one for one in told["stations"]}
    assert list(single) == ["air-1", "air-3"]  # half a day of ozone makes no report
    first = single["air-1"]
    # NO2: 50 + 50 · 20/40; O3 by eight hours: 150 + 50 · 25/50
    assert {one["pollutant"]: (one["iaqi"], one["average"]) for one in first["pollutants"]} == {
        "no2": (75, "24h"), "o3": (175, "8h"),
    }  # fmt: skip
    assert (first["aqi"], first["primary"], first["level"]["name_zh"]) == (175, ["o3"], "中度污染")
    assert single["air-3"]["aqi"] == 119


async def test_traffic_is_judged_by_the_free_flow_that_was_learned(centre: Centre) -> None:
    await loaded(centre)
    now = floor_to(system_clock(), 3600)
    last = now - HOUR
    rows = [hour_of("road-1", "traffic.speed", last - k * HOUR, 60 - k % 10, 60)
            for k in range(1, 100)]  # fmt: skip
    rows += [hour_of("road-1", "traffic.speed", last, 29.0, 60),
             hour_of("road-2", "traffic.speed", last, 40.0, 60),
             hour_of("road-1", "traffic.speed", now - LEARNED_FROM - HOUR, 199.0, 60)]  # fmt: skip
    await roll(centre, rows, now)
    async with centre.engine.begin() as connection:
        await connection.execute(update(metrics).values(interval_seconds=60))
        await connection.execute(delete(free_flow))  # what was learned before the past was there
    clock = [now]
    learner = Learner(Records(centre.engine), lambda: clock[0])
    await learner.step()
    async with centre.engine.connect() as connection:
        found = {row.sensor_id: row for row in await connection.execute(select(free_flow))}
        best = await connection.scalar(text(
            "SELECT percentile_cont(0.85) WITHIN GROUP (ORDER BY mean) FROM ingest.rollups_1h"
            " WHERE sensor_id = 'road-1' AND mean < 100"
        ))  # fmt: skip
    assert (found["road-1"].kmh, found["road-1"].hours) == (best, 100)
    assert found["road-2"].hours == 1
    told = await centre.ask("/v1/traffic-state", sensors=5)
    areas = {one["area_id"]: one for one in told["items"]}
    west, east = areas[WEST], areas[EAST]
    assert best == pytest.approx(58, abs=1)
    assert (west["service"], west["time_index"], west["congested"]) == (
        "D", round(best / 29, 2), 1,
    )  # fmt: skip
    assert (west["learning"], west["silent"]) == (0, 0)
    assert (east["service"], east["learning"], east["silent"]) == (None, 1, 1)
    assert west["yesterday"]["service"] == "A"
    assert [one["sensor_id"] for one in told["sensors"]] == ["road-1"]
    await learner.step()  # nothing is due
    clock[0] = now + 25 * HOUR
    await learner.step()
    async with centre.engine.connect() as connection:
        newest = await connection.scalar(select(func.min(free_flow.c.learned_at)))
    assert newest == clock[0]
