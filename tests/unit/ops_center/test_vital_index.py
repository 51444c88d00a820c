"""The vital signs' index: what takes points off, by how much, and what is not known."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.registry import Area, Registry, Sensor
from services.ops_center.vital_signs.index import (
    DOMAINS,
    FATES,
    Columns,
    Vital,
    band_of,
    outside_by,
    survey,
)
from shared.contracts.live import MetricInfo

CITY, WEST, EAST = "441200", "441202", "441203"
AREAS = [Area(CITY, None, "肇庆市", "Zhaoqing"), Area(WEST, CITY, "端州区", "Duanzhou"),
         Area(EAST, CITY, "鼎湖区", "Dinghu")]  # fmt: skip
METRICS = [
    MetricInfo("traffic.speed", "traffic", "km/h", "车速", "speed", 20, 80, 60),
    MetricInfo("traffic.flow", "traffic", "vehicles/h", "流量", "flow", 0, 4000, 60),
    MetricInfo("gas.concentration", "utilities", "%LEL", "燃气", "gas", 0, 10, 30),
    MetricInfo("water.pressure", "utilities", "kPa", "水压", "pressure", 200, None, 60),
]


def road(number: int, area: str | None = WEST) -> Sensor:
    metrics = ("traffic.flow", "traffic.speed")
    return Sensor(f"road-{number:02d}", "", 112.4, 23.0, area, metrics)


def gas(number: int, area: str | None = WEST) -> Sensor:
    return Sensor(f"gas-{number:02d}", "", 112.4, 23.0, area, ("gas.concentration",))


def pipe(number: int, area: str | None = WEST) -> Sensor:
    return Sensor(f"pipe-{number:02d}", "", 112.4, 23.0, area, ("water.pressure",))


def columns(
    sensors: list[Sensor], said: Mapping[tuple[str, str], tuple[Any, float | None]] | None = None
) -> Columns:
    """Everything is normal and in the middle of its range, unless it is `said` otherwise."""
    registry = Registry(AREAS, METRICS, sensors)
    usual = {"traffic.speed": 50.0, "traffic.flow": 900.0, "gas.concentration": 1.0,
             "water.pressure": 350.0}  # fmt: skip
    keys = [(registry.sensors[sensor].sensor_id, metric) for sensor, metric in registry.series]
    told = [(said or {}).get(key, ("normal", usual[key[1]])) for key in keys]
    return Columns(registry, [v for _, v in told], [1] * len(told), [s for s, _ in told])


def vital(made: Columns, area: str, domain: str) -> Vital:
    return next(one for one in survey(made) if (one.area_id, one.domain) == (area, domain))


def test_a_city_within_its_ranges_has_a_hundred_everywhere() -> None:
    made = columns([road(1), road(2, EAST), gas(1), gas(2, EAST)])
    found = survey(made)
    assert [(one.area_id, one.domain) for one in found] == [
        (area, domain) for area in (CITY, WEST, EAST) for domain in DOMAINS
    ]
    spoken = [one for one in found if one.domain != "environment"]
    assert {one.index for one in spoken} == {100.0}
    assert {one.band for one in spoken} == {"steady"}
    assert not [one for one in found if one.faults]


@pytest.mark.parametrize(
    ("state", "value", "points"),
    [
        ("p4", 12.0, 20.0), ("p3", 12.0, 40.0), ("p2", 12.0, 80.0), ("p1", 12.0, 200.0),
        ("stale", 1.0, 10.0), ("bad", 1.0, 10.0), ("normal", 15.0, 15.0), ("normal", 20.0, 20.0),
        ("normal", 90.0, 20.0), ("normal", 10.0, None), ("p2", 1.0, 80.0),
    ],
)  # fmt: skip
def test_one_sensor_of_ten_costs_by_how_it_is(
    state: str, value: float, points: float | None
) -> None:
    made = columns([gas(n) for n in range(10)], {("gas-03", "gas.concentration"): (state, value)})
    found = vital(made, WEST, "utilities")
    assert found.index == pytest.approx(max(0.0, 100 - (points or 0)))
    assert [fault.points for fault in found.faults] == ([] if points is None else [points])


def test_what_endangers_life_weighs_more() -> None:
    said = {("gas-00", "gas.concentration"): ("stale", 1.0)}
    made = columns([gas(0), *(pipe(n) for n in range(7))], said)
    assert vital(made, WEST, "utilities").index == pytest.approx(70)  # 3 of 10


def test_a_sensor_counts_once_by_the_worst_of_its_series() -> None:
    said = {("road-01", "traffic.flow"): ("stale", 1.0), ("road-01", "traffic.speed"): ("p3", 5.0)}
    made = columns([road(n) for n in range(10)], said)
    found = vital(made, CITY, "traffic")
    assert found.index == pytest.approx(60)
    [fault] = found.faults
    registry = made.registry
    assert registry.series[fault.series][1] == "traffic.speed"
    assert (found.sensors["alarm"], found.sensors["silent"]) == (1, 0)


def test_silence_is_not_health_and_too_much_of_it_leaves_no_index() -> None:
    sensors = [road(n) for n in range(10)]
    quiet = {(f"road-{n:02d}", metric): ("stale", 50.0)
             for n in range(5) for metric in ("traffic.flow", "traffic.speed")}  # fmt: skip
    half = vital(columns(sensors, quiet), WEST, "traffic")
    assert (half.index, half.heard, half.sensors["silent"]) == (50, 0.5, 5)
    more = quiet | {("road-05", "traffic.flow"): ("stale", 1.0)}
    most = vital(columns(sensors, more), WEST, "traffic")
    assert (most.index, most.band) == (None, "unknown")
    assert len(most.faults) == 6


def test_what_never_spoke_is_told_but_neither_healthy_nor_ill() -> None:
    said = {("gas-01", "gas.concentration"): ("never", None)}
    found = vital(columns([gas(1), gas(2)], said), WEST, "utilities")
    assert (found.index, found.sensors["never"], found.sensors["normal"]) == (100, 1, 1)
    alone = vital(columns([gas(1)], said), WEST, "utilities")
    assert (alone.index, alone.band) == (None, "unknown")


def test_an_area_is_the_sum_of_what_lies_in_it() -> None:
    said = {("gas-01", "gas.concentration"): ("p4", 12.0)}
    made = columns([gas(1), gas(2, EAST), gas(3, EAST), gas(4, None)], said)
    assert vital(made, WEST, "utilities").index == 0
    assert vital(made, EAST, "utilities").index == 100
    assert vital(made, CITY, "utilities").index == pytest.approx(100 - 200 / 3)
    assert sum(vital(made, CITY, "utilities").sensors.values()) == 3


def test_figures_stand_for_what_was_heard() -> None:
    said = {("gas-01", "gas.concentration"): ("p1", 30.0),
            ("gas-02", "gas.concentration"): ("stale", 99.0),
            ("road-01", "traffic.speed"): ("normal", 30.0)}  # fmt: skip
    made = columns([gas(1), gas(2), gas(3), road(1), road(2, EAST)], said)
    assert vital(made, CITY, "utilities").figures == {"gas.concentration": 30.0}
    assert vital(made, CITY, "traffic").figures["traffic.speed"] == 40.0


@pytest.mark.parametrize(
    ("value", "low", "high", "away"),
    [(5, 0, 10, None), (0, 0, 10, None), (10, 0, 10, None), (12, 0, 10, 2), (-3, 0, 10, -3),
     (5, None, None, None), (-1e9, None, 10, None), (11, None, 10, 1), (150, 200, None, -50),
     (None, 0, 10, None)],
)  # fmt: skip
def test_how_far_outside(
    value: float | None, low: float | None, high: float | None, away: float | None
) -> None:
    assert outside_by(value, low, high) == away


def test_bands() -> None:
    indexes = [100, 90, 89.9, 75, 74.9, 60, 59.9, 0, None]
    assert [band_of(one) for one in indexes] == [
        "steady", "steady", "watch", "watch", "strained", "strained", "critical", "critical",
        "unknown",
    ]  # fmt: skip


STATES = ("never", "normal", "stale", "bad", "p1", "p2", "p3", "p4")


@given(
    st.lists(st.tuples(st.sampled_from((WEST, EAST)), st.sampled_from(STATES), st.floats(0, 60)),
             min_size=1, max_size=30)
)  # fmt: skip
def test_points_and_index_add_up(said: list[tuple[str, str, float]]) -> None:
    sensors = [gas(number, area) for number, (area, _, _) in enumerate(said)]
    told = {(f"gas-{n:02d}", "gas.concentration"): (s, v) for n, (_, s, v) in enumerate(said)}
    for one in survey(columns(sensors, told)):
        assert set(one.sensors) == set(FATES)
        lost = sum(fault.points for fault in one.faults)
        if one.index is None:
            assert one.heard < 0.5
        else:
            assert 0 <= one.index <= 100
            assert one.index == pytest.approx(max(0, 100 - lost))
        unwell = sum(one.sensors[fate] for fate in ("alarm", "outside", "silent", "bad"))
        assert len(one.faults) == unwell
