"""The air-quality index of HJ 633-2012, from averages of concentrations. Pure.

Concentrations are in µg/m³ throughout, carbon monoxide too (the standard has mg/m³ there).
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Pollutant = Literal["pm25", "pm10", "so2", "no2", "co", "o3"]
Average = Literal["1h", "8h", "24h"]

POLLUTANTS: Sequence[Pollutant] = ("pm25", "pm10", "so2", "no2", "co", "o3")
INDEX = (0, 50, 100, 150, 200, 300, 400, 500)
# Table 1: the concentrations at which the individual index is one of `INDEX`.
LIMITS: Mapping[tuple[Pollutant, Average], Sequence[float]] = {
    ("so2", "24h"): (0, 50, 150, 475, 800, 1600, 2100, 2620),
    ("so2", "1h"): (0, 150, 500, 650, 800),  # above, the 24-hour average decides
    ("no2", "24h"): (0, 40, 80, 180, 280, 565, 750, 940),
    ("no2", "1h"): (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    ("pm10", "24h"): (0, 50, 150, 250, 350, 420, 500, 600),
    ("co", "24h"): (0, 2_000, 4_000, 14_000, 24_000, 36_000, 48_000, 60_000),
    ("co", "1h"): (0, 5_000, 10_000, 35_000, 60_000, 90_000, 120_000, 150_000),
    ("o3", "1h"): (0, 160, 200, 300, 400, 800, 1000, 1200),
    ("o3", "8h"): (0, 100, 160, 215, 265, 800),  # above, the 1-hour average decides
    ("pm25", "24h"): (0, 35, 75, 115, 150, 250, 350, 500),
}
# What the hourly report goes by (particles: the average of the past 24 hours); and the daily one
# (ozone: the greatest 8-hour average of the day, and the greatest hour where that table ends).
HOURLY: Mapping[Pollutant, Sequence[Average]] = {
    "pm25": ("24h",), "pm10": ("24h",), "so2": ("1h", "24h"), "no2": ("1h",), "co": ("1h",),
    "o3": ("1h",),
}  # fmt: skip
DAILY: Mapping[Pollutant, Sequence[Average]] = {
    "pm25": ("24h",), "pm10": ("24h",), "so2": ("24h",), "no2": ("24h",), "co": ("24h",),
    "o3": ("8h", "1h"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """A class of air quality, up to and with `most`. `colour`: the standard's own."""

    number: int
    most: int
    name_zh: str
    name_en: str
    colour: str


LEVELS = (
    Level(1, 50, "优", "Excellent", "#00e400"),
    Level(2, 100, "良", "Good", "#ffff00"),
    Level(3, 150, "轻度污染", "Lightly polluted", "#ff7e00"),
    Level(4, 200, "中度污染", "Moderately polluted", "#ff0000"),
    Level(5, 300, "重度污染", "Heavily polluted", "#99004c"),
    Level(6, 500, "严重污染", "Severely polluted", "#7e0023"),
)


@dataclass(frozen=True, slots=True)
class Quality:
    """`aqi`: the greatest of `individual`; with pollutants `missing` the true one may be greater.
    `averages`: what each goes by; `primary`: what decides above 50; `exceeding`: above 100."""

    aqi: int | None
    individual: Mapping[Pollutant, int]
    averages: Mapping[Pollutant, Average]
    missing: Sequence[Pollutant]

    @property
    def level(self) -> Level | None:
        """None without an index."""
        return None if self.aqi is None else next(one for one in LEVELS if self.aqi <= one.most)

    @property
    def primary(self) -> Sequence[Pollutant]:
        """One, or several with the same index."""
        if self.aqi is None or self.aqi <= INDEX[1]:
            return ()
        return [name for name in POLLUTANTS if self.individual.get(name) == self.aqi]

    @property
    def exceeding(self) -> Sequence[Pollutant]:
        """In the order of the pollutants."""
        return [name for name in POLLUTANTS if self.individual.get(name, 0) > INDEX[2]]


def individual(pollutant: Pollutant, average: Average, concentration: float) -> int | None:
    """IAQI: between two limits by proportion, always rounded up; 500 at most. None where the
    table ends before and another average decides, or for what is no concentration."""
    limits = LIMITS[pollutant, average]
    if not concentration >= 0:  # NaN too
        return None
    if concentration > limits[-1]:
        return INDEX[-1] if len(limits) == len(INDEX) else None
    upper = max(1, bisect_left(limits, concentration))
    low, high = limits[upper - 1], limits[upper]
    rise = (INDEX[upper] - INDEX[upper - 1]) * (concentration - low) / (high - low)
    return math.ceil(round(INDEX[upper - 1] + rise, 9))  # 0.1 + 0.2 does not make a unit


def quality(
    means: Mapping[tuple[Pollutant, Average], float],
    report: Mapping[Pollutant, Sequence[Average]] = HOURLY,
) -> Quality:
    """The index by the averages there are; of a pollutant the first that says something."""
    found: dict[Pollutant, int] = {}
    by: dict[Pollutant, Average] = {}
    for pollutant, averages in report.items():
        for average in averages:
            if (pollutant, average) not in means:
                break  # what only stands in for it says nothing by itself
            value = individual(pollutant, average, means[pollutant, average])
            if value is not None:
                found[pollutant], by[pollutant] = value, average
                break
    missing = [pollutant for pollutant in POLLUTANTS if pollutant not in found]
    return Quality(max(found.values(), default=None), found, by, missing)
