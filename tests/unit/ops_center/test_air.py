"""The air-quality index against the tables of HJ 633-2012 and values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.vital_signs.air import (
    DAILY,
    HOURLY,
    INDEX,
    LEVELS,
    LIMITS,
    Average,
    Pollutant,
    individual,
    quality,
)

# Table 1 of the standard, as it is printed: IAQI, then the concentrations in its columns' units
# (µg/m³; carbon monoxide mg/m³).
COLUMNS: tuple[tuple[Pollutant, Average], ...] = (
    ("so2", "24h"), ("so2", "1h"), ("no2", "24h"), ("no2", "1h"), ("pm10", "24h"), ("co", "24h"),
    ("co", "1h"), ("o3", "1h"), ("o3", "8h"), ("pm25", "24h"),
)  # fmt: skip
PRINTED = """
0    0    0   0    0    0   0   0    0   0   0
50   50   150 40   100  50  2   5    160 100 35
100  150  500 80   200  150 4   10   200 160 75
150  475  650 180  700  250 14  35   300 215 115
200  800  800 280  1200 350 24  60   400 265 150
300  1600 -   565  2340 420 36  90   800 800 250
400  2100 -   750  3090 500 48  120  1000 -  350
500  2620 -   940  3840 600 60  150  1200 -  500
"""


def printed() -> list[tuple[Pollutant, Average, float, int]]:
    found = []
    for line in PRINTED.split("\n"):
        cells = line.split()
        for (pollutant, average), cell in zip(COLUMNS, cells[1:], strict=False):
            if cell != "-":
                scale = 1000 if pollutant == "co" else 1
                found.append((pollutant, average, float(cell) * scale, int(cells[0])))
    return found


@pytest.mark.parametrize(("pollutant", "average", "concentration", "iaqi"), printed())
def test_the_printed_table(
    pollutant: Pollutant, average: Average, concentration: float, iaqi: int
) -> None:
    assert individual(pollutant, average, concentration) == iaqi


def test_the_table_is_complete() -> None:
    assert set(LIMITS) == set(COLUMNS)
    assert len(printed()) == sum(map(len, LIMITS.values())) == 75


@pytest.mark.parametrize(
    ("pollutant", "average", "concentration", "iaqi"),
    [
        ("pm25", "24h", 36, 52),  # 50 + 50 · 1/40 = 51.25, rounded up
        ("pm25", "24h", 90, 119),  # 100 + 50 · 15/40 = 118.75
        ("pm25", "24h", 200, 250), ("pm25", "24h", 501, 500), ("pm10", "24h", 51, 51),
        ("pm10", "24h", 385, 250), ("no2", "1h", 120, 60), ("co", "1h", 7_500, 75),
        ("o3", "1h", 180, 75), ("o3", "8h", 130, 75), ("so2", "24h", 100, 75),
        ("so2", "1h", 801, None), ("o3", "8h", 801, None),
        ("pm25", "24h", -0.1, None), ("pm25", "24h", math.nan, None),
    ],
)  # fmt: skip
def test_between_and_beyond_the_limits(
    pollutant: Pollutant, average: Average, concentration: float, iaqi: int | None
) -> None:
    assert individual(pollutant, average, concentration) == iaqi


@given(st.sampled_from(COLUMNS), st.floats(0, 4000), st.floats(0, 4000))
def test_more_of_it_is_never_better(
    column: tuple[Pollutant, Average], one: float, other: float
) -> None:
    less, more = (individual(*column, amount) for amount in sorted((one, other)))
    assert more is None or (less is not None and 0 <= less <= more <= INDEX[-1])


def test_the_worst_pollutant_decides_and_is_named() -> None:
    means = {("pm25", "24h"): 90.0, ("pm10", "24h"): 120.0, ("so2", "1h"): 20.0,
             ("no2", "1h"): 60.0, ("co", "1h"): 900.0, ("o3", "1h"): 30.0}  # fmt: skip
    found = quality(means)  # type: ignore[arg-type]
    assert (found.aqi, list(found.primary), list(found.exceeding)) == (119, ["pm25"], ["pm25"])
    assert found.level is not None
    assert (found.level.name_zh, found.level.number, found.level.colour) == (
        "轻度污染", 3, "#ff7e00",
    )  # fmt: skip
    assert found.missing == []


def test_excellent_air_has_no_primary_pollutant_and_two_may_share_it() -> None:
    assert quality({("pm25", "24h"): 35.0}).primary == ()
    both = quality({("pm25", "24h"): 75.0, ("pm10", "24h"): 150.0})
    assert (both.aqi, list(both.primary), list(both.exceeding)) == (100, ["pm25", "pm10"], [])


def test_what_is_missing_is_named_and_makes_no_index_by_itself() -> None:
    nothing = quality({})
    assert (nothing.aqi, nothing.level, len(nothing.missing)) == (None, None, 6)
    some = quality({("o3", "1h"): 180.0, ("pm25", "1h"): 999.0})
    assert (some.aqi, "pm25" in some.missing) == (75, True)  # particles need their 24 hours


def test_sulphur_dioxide_above_its_hourly_table_goes_by_the_day() -> None:
    assert "so2" in quality({("so2", "1h"): 900.0}).missing
    day = quality({("so2", "1h"): 900.0, ("so2", "24h"): 800.0})
    assert (day.individual["so2"], day.averages["so2"]) == (200, "24h")
    assert quality({("so2", "24h"): 800.0}).aqi is None  # without its hour there is no report


def test_the_daily_report_has_its_own_averages() -> None:
    means = {("o3", "8h"): 900.0, ("o3", "1h"): 1000.0, ("no2", "24h"): 80.0}
    found = quality(means, DAILY)  # type: ignore[arg-type]
    assert found.individual == {"no2": 100, "o3": 400}
    assert found.averages == {"no2": "24h", "o3": "1h"}
    assert set(HOURLY) == set(DAILY)


@pytest.mark.parametrize(
    ("aqi", "name"),
    [(0, "优"), (50, "优"), (51, "良"), (100, "良"), (101, "轻度污染"), (151, "中度污染"),
     (201, "重度污染"), (300, "重度污染"), (301, "严重污染"), (500, "严重污染")],
)  # fmt: skip
def test_levels(aqi: int, name: str) -> None:
    assert next(level for level in LEVELS if aqi <= level.most).name_zh == name
