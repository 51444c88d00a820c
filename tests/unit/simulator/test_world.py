"""The city is repeatable, steady in its sending, and calm unless something happens."""

from datetime import UTC, datetime
from typing import Any

import shapely

from services.ingest.registry.boundaries import load_areas
from services.ingest.registry.catalogue import default_catalogue
from services.simulator.places import Area, known_places
from services.simulator.population import KINDS, Sensor, populate
from services.simulator.programme import Chosen, Programme
from services.simulator.records import Reading
from services.simulator.signals import SIGNALS
from services.simulator.world import World
from tests.unit.simulator.breaking import crosses
from tests.unit.simulator.conftest import ROOT, SEED

START = int(datetime(2026, 5, 1, 0, 0, tzinfo=UTC).timestamp())


def calm(sensors: list[Sensor], seed: int = SEED) -> World:
    return World(sensors, seed, Chosen(None))


def played(world: World, seconds: range) -> list[Reading]:
    return [reading for t in seconds for reading in world.second(t)]


def test_same_seed_and_start_give_the_same_readings(areas: list[Area]) -> None:
    runs = []
    for _ in range(2):
        sensors = populate(areas, known_places(), SEED, 400)
        world = World(sensors, SEED, Programme(sensors, SEED, START))
        runs.append(played(world, range(START, START + 200)))
    assert runs[0] == runs[1]


def test_another_seed_gives_another_city(areas: list[Area], sensors: list[Sensor]) -> None:
    others = populate(areas, known_places(), SEED + 1, 400)
    assert [s.place for s in others] != [s.place for s in sensors]
    span = range(START, START + 30)
    assert played(calm(others, SEED + 1), span) != played(calm(sensors), span)


def test_a_value_does_not_depend_on_what_was_asked_before(sensors: list[Sensor]) -> None:
    late = played(calm(sensors), range(START + 60, START + 90))
    assert played(calm(sensors), range(START, START + 90))[-len(late) :] == late


def test_each_sensor_reports_once_an_interval(sensors: list[Sensor]) -> None:
    readings = played(calm(sensors), range(START, START + 120))
    for sensor in sensors:
        mine = [r for r in readings if r.sensor_id == sensor.sensor_id]
        assert len(mine) == 120 // sensor.interval * len(sensor.metrics)
    assert {r.metric for r in readings} == set(SIGNALS)


def test_intervals_keep_every_series_fresh() -> None:
    catalogue = default_catalogue()
    for kind in KINDS:
        for metric in kind.metrics:
            assert max(kind.intervals) <= catalogue[metric].interval


def test_the_whole_city_sends_evenly_and_inside_its_districts() -> None:
    found = load_areas(441200, ROOT / "none.geojson")
    districts = [Area(a.area_id, a.name_zh, a.shape) for a in found if a.level == "district"]
    outlines = {area.area_id: area.outline for area in districts}
    sensors = populate(districts, known_places(), 1, 1200)
    assert 1150 <= len(sensors) <= 1250
    assert len({s.sensor_id for s in sensors}) == len(sensors)
    assert {s.area_id for s in sensors} == set(outlines)
    assert all(shapely.contains_xy(outlines[s.area_id], *s.place) for s in sensors)
    world = calm(sensors, 1)
    rates = [len(world.second(t)) for t in range(START, START + 60)]
    assert 40 <= sum(rates) / 60 <= 85
    assert max(rates) < 3 * sum(rates) / 60


def test_a_calm_day_breaks_no_rule_in_any_season(
    sensors: list[Sensor], rules: list[dict[str, Any]]
) -> None:
    by_metric = {rule["metric"]: rule for rule in rules}
    assert {code for code in by_metric if not code.startswith("platform.")} <= set(SIGNALS)
    world = calm(sensors)
    catalogue = default_catalogue()
    for month in (1, 7):
        start = int(datetime(2026, month, 20, tzinfo=UTC).timestamp())
        for reading in played(world, range(start, start + 86_400, 67)):
            rule = by_metric.get(reading.metric)
            assert rule is None or not crosses(rule, reading.value), reading
            low, high = catalogue[reading.metric].normal
            assert low is not None and high is not None
            assert low <= reading.value <= high, reading


def test_a_day_has_rush_hours_and_river_gauges_move_together(sensors: list[Sensor]) -> None:
    world = calm(sensors)
    monday = int(datetime(2026, 5, 3, 16, tzinfo=UTC).timestamp())  # 00:00 in China

    def mean(metric: str, hour: float) -> float:
        begin = monday + int(hour * 3600)
        found = [r.value for r in played(world, range(begin, begin + 60)) if r.metric == metric]
        return sum(found) / len(found)

    assert mean("traffic.speed", 8) < 0.85 * mean("traffic.speed", 3)
    assert mean("traffic.flow", 18) > 3 * mean("traffic.flow", 3)
    assert mean("power.load", 20) > 1.5 * mean("power.load", 4)
    assert mean("water.pressure", 19) < mean("water.pressure", 3) - 15
    assert mean("air.o3", 14.5) > mean("air.o3", 4) + 20
