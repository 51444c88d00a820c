"""History's answers are those that the raw rows alone would give."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.history import exports
from services.ops_center.history.archive import Archive
from services.ops_center.history.density import UNKNOWN, Density, density
from services.ops_center.history.question import (
    AreasQuestion,
    ExportQuestion,
    MomentQuestion,
    Selection,
    SeriesQuestion,
)
from services.ops_center.history.sources import aligned
from services.ops_center.history.span import BadParameter, Span
from shared.errors import Overloaded
from shared.store.rollups import WIDTHS
from tests.integration.ops_center import past
from tests.integration.ops_center.conftest import seed

START = datetime(2026, 5, 1, tzinfo=UTC)
DATA = Span(START, START + timedelta(days=4))
SPEED, SENSORS = "traffic.speed", ("road-1", "road-2", "both-1")
DISTRICTS = {"road-1": "441202", "road-2": "441203", "both-1": "441203"}


@pytest.fixture
async def archive(engine: AsyncEngine) -> Archive:
    await seed(engine)
    return Archive(engine)


def close(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    return all(found[name] == pytest.approx(value, abs=1e-9) for name, value in expected.items())


def some_span(random: Random) -> Span:
    length = random.choice((600, 7_200, 86_400, 4 * 86_400))
    start = START + timedelta(seconds=random.uniform(-3_600, 3 * 86_400))
    return Span(start, start + timedelta(seconds=random.uniform(1, length)))


def rolled(random: Random) -> dict[int, datetime]:
    """Some rollups, made up to different moments."""
    return {
        width: aligned(START + timedelta(hours=random.uniform(0, 100)), width)
        for width in WIDTHS
        if random.random() < 0.8
    }


@pytest.mark.parametrize("number", range(4))
async def test_one_series_is_the_same_with_and_without_rollups(
    engine: AsyncEngine, archive: Archive, number: int
) -> None:
    random = Random(number)
    rows = past.some_readings(random, SENSORS, SPEED, DATA)
    await past.store(engine, rows)
    for _ in range(4):
        await past.roll_up(engine, rolled(random))
        for _ in range(12):
            span, points = some_span(random), random.choice((2, 5, 30, 500))
            asked = SeriesQuestion("road-1", SPEED, span, points)
            table = await archive.series(asked)
            own = [row for row in past.within(rows, span) if row["sensor_id"] == "road-1"]
            width = table.meta["resolution_seconds"]
            found = await past.items(table)
            assert len(found) <= points
            assert (width == 0) == (len(own) <= points)
            if width == 0:
                assert [i["last"] for i in found] == [row["value"] for row in own]
                continue
            expected = past.buckets(own, width)
            assert [item["at"] for item in found] == list(expected)
            for item, inside in zip(found, expected.values(), strict=True):
                wanted = past.summary(inside) | {"last": past.last(inside)}
                assert close(item, wanted), (asked, item, wanted)


@pytest.mark.parametrize("number", range(3))
async def test_areas_are_the_same_with_and_without_rollups(
    engine: AsyncEngine, archive: Archive, number: int
) -> None:
    random = Random(number)
    rows = past.some_readings(random, SENSORS, SPEED, DATA)
    await past.store(engine, rows)
    for _ in range(8):
        await past.roll_up(engine, rolled(random))
        span, points = some_span(random), random.choice((2, 5, 30, 500))
        table = await archive.areas(AreasQuestion(SPEED, "district", (), span, points))
        found = {(i["area_id"], i["at"]): i for i in await past.items(table)}
        expected: dict[Any, list[past.Reading]] = {}
        for area in sorted(set(DISTRICTS.values())):
            own = [r for r in past.within(rows, span) if DISTRICTS[r["sensor_id"]] == area]
            inside = past.buckets(own, table.meta["resolution_seconds"])
            expected |= {(area, at): rows_in for at, rows_in in inside.items()}
        assert list(found) == list(expected)
        for key, some in expected.items():
            assert close(found[key], past.summary(some))
            assert found[key]["sensors"] == len({row["sensor_id"] for row in some})
            highest = {r["sensor_id"] for r in some if r["value"] == found[key]["max"]}
            assert found[key]["max_sensor_id"] in highest


async def test_areas_can_be_of_any_level_and_narrowed(
    engine: AsyncEngine, archive: Archive
) -> None:
    at = START + timedelta(hours=1)
    names = {"metric": SPEED, "observed_at": at, "quality": 0}
    values = dict(zip(SENSORS, (1.0, 2.0, 4.0), strict=True))
    await past.store(engine, [names | {"sensor_id": s, "value": v} for s, v in values.items()])

    async def means(level: str, *area_ids: str) -> dict[str, float]:
        table = await archive.areas(AreasQuestion(SPEED, level, area_ids, DATA, 2))
        return {item["area_id"]: item["mean"] for item in await past.items(table)}

    assert await means("city") == {"441200": pytest.approx(7 / 3)}
    assert await means("district", "441203") == {"441203": 3.0}
    assert await means("district", "441200") == {"441202": 1.0, "441203": 3.0}
    with pytest.raises(BadParameter, match="city, district"):
        await means("planet")
    with pytest.raises(BadParameter, match="no area 999"):
        await means("district", "999")


async def test_a_spike_never_disappears(engine: AsyncEngine, archive: Archive) -> None:
    rows = [
        {"sensor_id": "road-1", "metric": SPEED, "observed_at": START + timedelta(seconds=30 * n),
         "value": 999.0 if n == 7_001 else 40.0, "quality": 0}
        for n in range(11_520)
    ]  # fmt: skip
    await past.store(engine, rows)
    await past.roll_up(engine, dict.fromkeys(WIDTHS, aligned(DATA.end, 86_400)))
    for points in (2, 10, 100, 2_000):
        asked = SeriesQuestion("road-1", SPEED, DATA, points)
        found = await past.items(await archive.series(asked))
        assert max(item["max"] for item in found) == 999.0
        assert sum(item["count"] for item in found) == len(rows)


async def test_a_few_rollups_tell_how_dense_readings_are(
    engine: AsyncEngine, archive: Archive
) -> None:
    names = {"metric": SPEED, "value": 1.0, "quality": 0}
    minutes = [START + timedelta(minutes=n) for n in range(600)]
    rows = [names | {"sensor_id": "road-1", "observed_at": m} for m in minutes]
    rows += [names | {"sensor_id": "both-1", "observed_at": m} for m in minutes[::10]]
    await past.store(engine, rows)
    rolled_to = dict.fromkeys(WIDTHS, START + timedelta(hours=5))
    await past.roll_up(engine, rolled_to)
    span = Span(START + timedelta(minutes=7), START + timedelta(hours=9))
    async with engine.connect() as connection:
        alone = await density(connection, SPEED, ["road-1"], span, rolled_to)
        assert alone == Density(4 * 60, 1 / 60)
        # The silent and the sparse do not make the others sparse.
        several = await density(connection, SPEED, [*SENSORS], span, rolled_to)
        assert several == Density(4 * 66, 1 / 60)
        assert await density(connection, SPEED, ["road-2"], span, rolled_to) == UNKNOWN
        assert await density(connection, SPEED, [], span, rolled_to) == UNKNOWN
        assert await density(connection, SPEED, ["road-1"], span, {}) == UNKNOWN
    table = await archive.series(SeriesQuestion("road-1", SPEED, span, 100))
    assert sum(item["count"] for item in await past.items(table)) == 9 * 60 - 7


async def test_dropped_raw_rows_live_on_in_the_rollups(
    engine: AsyncEngine, archive: Archive
) -> None:
    rows = past.some_readings(Random(1), SENSORS, SPEED, DATA)
    await past.store(engine, rows)
    await past.roll_up(engine, dict.fromkeys(WIDTHS, aligned(DATA.end, 86_400)))
    kept = START + timedelta(days=3)
    span = Span(START + timedelta(hours=5), DATA.end)
    asked = SeriesQuestion("road-1", SPEED, span, 2_000)
    areas = AreasQuestion(SPEED, "district", (), span, 100)
    before = await past.items(await archive.areas(areas))
    async with engine.begin() as connection:
        query = "DELETE FROM ingest.readings WHERE observed_at < :kept"
        await connection.execute(text(query), {"kept": kept})
        query = "INSERT INTO ingest.retention_floors VALUES (:metric, 0, :kept)"
        await connection.execute(text(query), {"metric": SPEED, "kept": kept})
    table = await archive.series(asked)
    assert table.meta["resolution_seconds"] >= 60
    own = [row for row in past.within(rows, span) if row["sensor_id"] == "road-1"]
    found = await past.items(table)
    assert sum(item["count"] for item in found) == len(own)
    assert max(item["max"] for item in found) == max(past.summary([r])["max"] for r in own)
    after = await past.items(await archive.areas(areas))
    assert len(after) == len(before)
    for item, same in zip(after, before, strict=True):
        assert item | {"mean": 0} == same | {"mean": 0}
        assert item["mean"] == pytest.approx(same["mean"])
    young = SeriesQuestion("road-1", SPEED, Span(kept, DATA.end), 2_000)
    assert (await archive.series(young)).meta["resolution_seconds"] == 0


@pytest.mark.parametrize("number", range(3))
async def test_the_city_at_a_past_moment(
    engine: AsyncEngine, archive: Archive, number: int
) -> None:
    random = Random(number)
    rows = past.some_readings(random, SENSORS, SPEED, DATA)
    rows += past.some_readings(random, ("gauge-1", "both-1"), "water.level", DATA)
    await past.store(engine, rows)
    for _ in range(10):
        at = random.choice(rows)["observed_at"] + timedelta(seconds=random.choice((0, 1, 400)))
        table = await archive.moment(MomentQuestion(at, Selection()))
        found = {(i["sensor_id"], i["metric"]): i for i in await past.items(table)}
        assert len(found) == 7
        for (sensor, metric), item in found.items():
            series = [r for r in rows if (r["sensor_id"], r["metric"]) == (sensor, metric)]
            bound = timedelta(seconds=table.meta["silent_after_seconds"])
            known = [r for r in series if at - bound < r["observed_at"] <= at]
            if not known:
                assert (item["value"], item["state"]) == (None, "no_data")
                continue
            newest = max(known, key=lambda row: row["observed_at"])
            age = at - newest["observed_at"]
            stale = age >= timedelta(seconds=3 * (60 if metric == SPEED else 300))
            state = "stale" if stale else "bad" if newest["quality"] == 2 else "normal"
            seen = (item["value"], item["age_seconds"], item["state"])
            assert seen == (newest["value"], age.total_seconds(), state)


async def test_a_past_moment_can_be_narrowed(engine: AsyncEngine, archive: Archive) -> None:
    async def series(**selection: tuple[str, ...]) -> list[tuple[str, str]]:
        table = await archive.moment(MomentQuestion(START, Selection(**selection)))
        return [(i["sensor_id"], i["metric"]) for i in await past.items(table)]

    assert await series(metrics=(SPEED,), area_ids=("441203",)) == [
        ("both-1", SPEED),
        ("road-2", SPEED),
    ]
    assert await series(domains=("environment",), sensor_ids=("both-1", "road-1")) == [
        ("both-1", "water.level")
    ]
    with pytest.raises(BadParameter) as caught:
        await series(sensor_ids=("road-1", "nobody"))
    assert caught.value.code == "unknown_sensor"


async def test_an_export_has_every_reading_once_in_order(
    engine: AsyncEngine, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "ROWS", 7)
    monkeypatch.setattr(exports, "SERIES", 2)
    rows = past.some_readings(Random(5), (*SENSORS, "la-1"), SPEED, DATA)
    await past.store(engine, rows)
    for span in (DATA, Span(START + timedelta(hours=9), START + timedelta(hours=60, seconds=7))):
        table = await archive.export(ExportQuestion(Selection(metrics=(SPEED,)), span))
        found = [(i["sensor_id"], i["observed_at"], i["value"]) for i in await past.items(table)]
        inside = past.within(rows, span)
        assert found == sorted((r["sensor_id"], r["observed_at"], r["value"]) for r in inside)


async def test_a_statement_that_takes_too_long_is_ended(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ops_center.history.archive.STATEMENT_SECONDS", 0.05)
    with pytest.raises(Overloaded):
        async with archive._reading() as connection:
            await connection.execute(text("SELECT pg_sleep(20)"))
