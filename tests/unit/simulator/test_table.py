"""Rows become readings; what cannot be read is counted with its line."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from services.simulator.mapping import BadMapping, parse_mapping
from services.simulator.records import Reading
from services.simulator.table import Span, Table, Tally

HEAD = 'title: T\nsource: S\ntime: {column: at, zone: "+00:00"}\n'
WIDE = (
    HEAD + 'sensor: {header: true, prefix: w-}\ncolumns: {"*": {metric: traffic.speed, factor: 2}}'
)
CONSTANT = (
    HEAD + "sensor: {id: one}\ncolumns: {temp: {metric: weather.temperature, offset: -273.15}}"
)
BY_COLUMN = (
    HEAD
    + "sensor: {column: station, prefix: s-}\n"
    + 'missing: ["", NA]\n'
    + "columns: {a: {metric: air.pm25}, b: {metric: air.o3, missing: [-1]}}"
)
LONG = (
    HEAD
    + "sensor: {column: station}\n"
    + "long: {name: what, value: value}\n"
    + "columns: {PM: {metric: air.pm25}, OZ: {metric: air.o3, factor: 1000}}"
)
GATED = HEAD + "sensor: {id: sun}\ncolumns: {mw: {metric: power.generation, requires: cap}}"


def read(
    mapping: str, header: str, *rows: str, span: Span | None = None, skip: int = 0
) -> tuple[list[Reading], Tally, Table]:
    table = Table(parse_mapping(mapping, "m.yaml"), header.split(","), "m.yaml")
    tally = Tally()
    split: list[Sequence[str]] = [row.split(",") for row in rows]
    found = [r for some in table.readings(split, tally, span or Span(), skip) for r in some]
    return found, tally, table


def brief(readings: list[Reading]) -> list[tuple[str, str, float]]:
    return [(r.sensor_id, r.metric, r.value) for r in readings]


def test_wide_form_has_a_sensor_for_each_column() -> None:
    found, _, table = read(WIDE, "at,1,2", "2012-03-01 00:00,10,0.0")
    assert brief(found) == [("w-1", "traffic.speed", 20.0), ("w-2", "traffic.speed", 0.0)]
    assert [s.sensor_id for s in table.known_sensors()] == ["w-1", "w-2"]
    assert all(s.location is None for s in table.known_sensors())


def test_units_are_converted_without_binary_dust() -> None:
    found, _, _ = read(CONSTANT, "at,temp", "2012-03-01 00:00,288.28", "2012-03-01 01:00,0")
    assert [r.value for r in found] == [15.13, -273.15]


def test_missing_values_are_neither_readings_nor_errors() -> None:
    found, tally, _ = read(
        BY_COLUMN, "at,station,a,b",
        "2012-03-01 00:00,x,NA,3", "2012-03-01 00:00,y,,-1", "2012-03-01 00:00,x,-1,NA",
    )  # fmt: skip
    assert brief(found) == [("s-x", "air.o3", 3.0), ("s-x", "air.pm25", -1.0)]
    assert tally.missing == 4
    assert not tally.malformed


def test_long_form_has_a_reading_for_each_row() -> None:
    found, tally, table = read(
        LONG, "station,at,what,value",
        "x,2012-03-01 00:00,PM,7", "x,2012-03-01 00:00,OZ,0.02", "x,2012-03-01 00:00,??,1",
    )  # fmt: skip
    assert brief(found) == [("x", "air.pm25", 7.0), ("x", "air.o3", 20.0)]
    assert table.found_sensor("x").metrics == ("air.pm25", "air.o3")
    assert tally.rows == 3


def test_a_value_without_what_it_requires_is_missing() -> None:
    found, tally, _ = read(
        GATED, "at,mw,cap",
        "2012-03-01 00:00,0,0", "2012-03-01 00:30,0,5", "2012-03-01 01:00,2,",
    )  # fmt: skip
    assert [r.value for r in found] == [0.0]
    assert tally.missing == 2


def test_what_cannot_be_read_is_counted_with_its_line_and_spoils_nothing_else() -> None:
    found, tally, _ = read(
        BY_COLUMN, "at,station,a,b",
        "2012-03-01 00:00,x,1,lots", "never,x,1,1", "2012-03-01 00:00,x y,1,1",
        "2012-03-01 00:00,x", "2012-03-01 00:00,x,inf,nan", "2012-03-01 01:00,x,5,6",
    )  # fmt: skip
    assert brief(found) == [
        ("s-x", "air.pm25", 1.0),
        ("s-x", "air.pm25", 5.0),
        ("s-x", "air.o3", 6.0),
    ]
    assert tally.malformed == {"value": 3, "time": 1, "sensor": 1, "columns": 1}
    assert tally.samples[0] == "line 2: column b: 'lots' is no number"
    assert tally.samples[1].startswith("line 3: 'never'")


def test_a_span_includes_its_start_and_excludes_its_end() -> None:
    span = Span(
        datetime.fromisoformat("2012-03-01T01:00Z"), datetime.fromisoformat("2012-03-01T03:00Z")
    )
    rows = [f"2012-03-01 0{hour}:00,{hour}" for hour in range(5)]
    found, tally, _ = read(WIDE, "at,1", *rows, span=span)
    assert [r.observed_at.hour for r in found] == [1, 2]
    assert tally.outside == 3


def test_skipped_rows_are_not_read_again() -> None:
    rows = [f"2012-03-01 0{hour}:00,{hour}" for hour in range(5)]
    found, tally, _ = read(WIDE, "at,1", *rows, skip=3)
    assert [r.observed_at.hour for r in found] == [3, 4]
    assert tally.rows == 5


@pytest.mark.parametrize(
    ("mapping", "header", "says"),
    [
        (CONSTANT, "at,temperature", "columns.temp: the file has no column 'temp'"),
        (CONSTANT, "time,temp", "time.column: the file has no column 'at'"),
        (BY_COLUMN, "at,a,b", "sensor.column: the file has no column 'station'"),
        (GATED, "at,mw", "columns.mw.requires: the file has no column 'cap'"),
        (LONG, "at,station,value", "long.name: the file has no column 'what'"),
        (WIDE, "at,with blank", "cannot be a sensor's id"),
    ],
)
def test_a_file_that_the_mapping_does_not_fit_is_refused(
    mapping: str, header: str, says: str
) -> None:
    with pytest.raises(BadMapping, match=r"m\.yaml") as caught:
        read(mapping, header)
    assert says in str(caught.value)
