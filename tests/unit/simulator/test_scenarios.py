"""What goes wrong breaks its rule, as far as it should and no further."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from services.simulator.places import Area, known_places
from services.simulator.population import Sensor, populate
from services.simulator.programme import GAP_SECONDS, Chosen, Programme
from services.simulator.records import Reading
from services.simulator.scenarios import Kind, Run, Scale, plan
from services.simulator.world import World
from tests.unit.simulator.breaking import broken
from tests.unit.simulator.conftest import SEED

START = int(datetime(2026, 5, 1, 2, tzinfo=UTC).timestamp())
BREAKS = {
    Kind.RAINSTORM: {"water.level", "drain.level", "weather.rain"},
    Kind.CRASH: {"traffic.speed"},
    Kind.PIPE_BURST: {"water.pressure", "drain.level"},
    Kind.GAS_LEAK: {"gas.concentration"},
    Kind.BLACKOUT: {"power.voltage"},
}


def played(sensors: list[Sensor], run: Run) -> list[Reading]:
    world = World(sensors, SEED, Chosen(run))
    span = range(run.start, run.start + run.duration)
    return [reading for t in span for reading in world.second(t)]


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("kind", list(Kind))
def test_each_scenario_breaks_its_rules_and_no_others(
    kind: Kind, scale: Scale, sensors: list[Sensor], rules: list[dict[str, Any]]
) -> None:
    run = plan(kind, scale, sensors, SEED, START)
    fired = broken(rules, played(sensors, run))
    metrics = {rule["metric"] for rule in rules if rule["id"] in fired}
    assert metrics == BREAKS[kind]
    incidents = sum(len(who) for who in fired.values())
    if scale is Scale.GENTLE:
        assert 1 <= incidents <= 6


@pytest.mark.parametrize("kind", list(Kind))
def test_afterwards_all_is_as_if_nothing_had_been(kind: Kind, sensors: list[Sensor]) -> None:
    run = plan(kind, Scale.FULL, sensors, SEED, START)
    end = run.start + run.duration
    after, calm = (World(sensors, SEED, Chosen(some)) for some in (run, None))
    for t in range(end, end + 60):
        assert after.second(t) == calm.second(t)


def test_a_blackout_silences_some_sensors_of_one_district(sensors: list[Sensor]) -> None:
    run = plan(Kind.BLACKOUT, Scale.FULL, sensors, SEED, START)
    by_number = {sensor.number: sensor for sensor in sensors}
    districts = {by_number[number].area_id for number in run.silent | set(run.effects)}
    assert run.silent and len(districts) == 1
    heard = {reading.sensor_id for reading in played(sensors, run)}
    assert not heard & {by_number[number].sensor_id for number in run.silent}


def test_a_crash_queues_up_behind_it_only(sensors: list[Sensor]) -> None:
    run = plan(Kind.CRASH, Scale.FULL, sensors, SEED, START)
    touched = [sensor for sensor in sensors if sensor.number in run.effects]
    assert len({sensor.road for sensor in touched}) == 1
    slow = [
        (sensor.milepost, effect)
        for sensor in touched
        for effect in run.effects[sensor.number]
        if effect.metric == "traffic.speed"
    ]
    place = max(milepost for milepost, _ in slow)
    delays = {milepost: effect.delay for milepost, effect in slow}
    assert delays[place] == 0
    assert all(delays[post] < delays[post - 1] for post in delays if post - 1 in delays)


def test_a_city_without_the_sensors_of_a_scenario_stays_calm(areas: list[Area]) -> None:
    few = [s for s in populate(areas, known_places(), SEED, 100) if s.kind == "ns"]
    for kind in Kind:
        for scale in Scale:
            assert not plan(kind, scale, few, SEED, START).effects


def test_the_programme_begins_soon_and_goes_on_gently(
    sensors: list[Sensor], rules: list[dict[str, Any]]
) -> None:
    programme = Programme(sensors, SEED, START)
    runs: list[Run] = []
    most = 0
    for t in range(START, START + 2 * 3600):
        going = programme.at(t)
        most = max(most, len(going))
        runs += [run for run in going if run not in runs]
    assert 20 <= runs[0].start - START <= 60
    gaps = [after.start - before.start for before, after in pairwise(runs)]
    assert all(GAP_SECONDS[0] <= gap <= GAP_SECONDS[1] for gap in gaps[1:])
    assert {run.kind for run in runs} == set(Kind)
    assert most <= 2
    first = World(sensors, SEED, Programme(sensors, SEED, START))
    opening = [reading for t in range(START, START + 90) for reading in first.second(t)]
    assert broken(rules, opening)
