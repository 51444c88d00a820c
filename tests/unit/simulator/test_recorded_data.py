"""The shipped mappings on the real files: exact counts."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import pytest

from services.simulator.mapping import load_mapping
from services.simulator.recorded import header_of, opened
from services.simulator.records import Reading
from services.simulator.table import Span, Table, Tally
from shared.errors import Misconfigured
from tests.unit.simulator.conftest import ROOT

SERIES = ROOT.parent / "shared" / "data" / "series"
MAPPINGS = ROOT / "services" / "simulator" / "mappings"


def read(file: str, mapping: str, rows: int | None = None) -> tuple[list[Reading], Tally]:
    path = SERIES / file
    if not path.exists():
        pytest.skip(f"recorded data is not here: {file}")
    described = load_mapping(MAPPINGS / f"{mapping}.yaml")
    tally = Tally()
    with opened(path, described) as lines:
        table = Table(described, header_of(lines, path))
        some = table.readings(islice(lines, rows), tally, Span())
        return [reading for readings in some for reading in readings], tally


def keys(readings: list[Reading]) -> set[tuple[str, str, datetime]]:
    return {(r.sensor_id, r.metric, r.observed_at) for r in readings}


def test_metr_la_is_207_sensors_of_2016_steps() -> None:
    readings, tally = read("metr_la_week_speed_mph.csv.gz", "metr_la_week")
    assert len(readings) == len(keys(readings)) == 417_312 == 207 * 2016
    assert len({r.sensor_id for r in readings}) == 207
    assert tally.missing == 0 and not tally.malformed
    assert readings[0] == Reading(
        "metr-773869", "traffic.speed", datetime(2012, 3, 1, 8, tzinfo=UTC), 103.60152
    )


def test_beijing_gaps_are_neither_readings_nor_errors() -> None:
    readings, tally = read("beijing_air_12stations_2013_2017.csv.gz", "beijing_air", rows=35_064)
    assert tally.rows == 35_064 and not tally.malformed
    assert tally.missing > 0
    assert len(readings) + tally.missing == 35_064 * 11
    assert len(keys(readings)) == len(readings)
    first = [r for r in readings if r.observed_at == datetime(2013, 2, 28, 16, tzinfo=UTC)]
    assert {r.metric: r.value for r in first}["air.co"] == 300
    assert {r.sensor_id for r in readings} == {"bj-Aotizhongxin"}


def test_metro_interstate_goes_out_with_its_repeats() -> None:
    readings, tally = read("metro_interstate_traffic_volume.csv.gz", "metro_interstate")
    assert tally.rows == 48_204 and tally.missing == 0
    assert Counter(r.metric for r in readings) == dict.fromkeys(
        ("traffic.flow", "weather.temperature", "weather.rain", "weather.cloud_cover"), 48_204
    )
    flow = [r for r in readings if r.metric == "traffic.flow"]
    assert len(keys(flow)) == 40_575
    assert flow[0].observed_at == datetime(2012, 10, 2, 15, tzinfo=UTC)
    impossible = [r for r in readings if r.metric == "weather.temperature" and r.value < -60]
    assert [r.value for r in impossible] == [-273.15] * 10
    assert [r.value for r in readings if r.metric == "weather.rain" and r.value > 300] == [9831.3]


def test_uk_grid_keeps_its_half_hours_through_clock_changes() -> None:
    readings, tally = read("uk_grid_demand_30min_2005_2019.csv.gz", "uk_grid")
    assert tally.rows == 254_592 and not tally.malformed
    counts = Counter(r.sensor_id for r in readings)
    assert counts["uk-grid-national"] == 254_592 - 28
    assert counts["uk-grid-transmission"] == 254_592 - 28 - 479  # zeros mean: not recorded
    assert counts["uk-grid-england-wales"] == 254_592 - 28 - 21
    assert len(keys(readings)) == len(readings)
    moments = sorted(r.observed_at for r in readings if r.sensor_id == "uk-grid-national")
    steps = Counter((b - a).seconds for a, b in pairwise(moments))
    assert set(steps) == {1800, 5400}  # an hour is missing in each autumn, none in spring
    assert steps[5400] == 14


def test_absent_data_says_where_it_can_be_had() -> None:
    described = load_mapping(MAPPINGS / "metro_interstate.yaml")
    reading = opened(Path("absent.csv.gz"), described)
    with pytest.raises(Misconfigured, match="UCI Machine Learning Repository 492"), reading:
        pass
