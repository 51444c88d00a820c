"""`python -m tests.bench.forecasts`: how well the next hours are foretold.

One JSON line per data set. Rolling origin: at every reading a forecast from what is known then,
compared with what came. The yardstick is the seasonal naive forecast (the same time yesterday or,
if that is better, a week ago). The first month (of a week's data: two days) does not count.
"""

import argparse
import csv
import gzip
import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from services.alerts.detect.forecast import DAY_US, WEEK_US, Ahead, forecaster
from tests.bench import report

VARIABLE = "YIWANG_SERIES"
USUAL = Path(__file__).parents[3] / "shared" / "data" / "series"
GRID, ROADS = "uk_grid_demand_30min_2005_2019.csv.gz", "metr_la_week_speed_mph.csv.gz"
HOUR_US = 3_600_000_000
Readings = Sequence[tuple[int, float]]


@dataclass
class Errors:
    """Of one horizon: sums of absolute errors, ours and of what was the same a day and a week
    before; how many values lay within the band."""

    number: int = 0
    ours: float = 0.0
    naive: dict[int, float] = field(default_factory=dict)
    inside: int = 0

    def add(self, value: float, ahead: Ahead, before: dict[int, float]) -> None:
        """One forecast and what came."""
        self.number += 1
        self.ours += abs(value - ahead.expected)
        self.inside += ahead.low <= value <= ahead.high
        for period, then in before.items():
            self.naive[period] = self.naive.get(period, 0.0) + abs(value - then)

    @property
    def ratio(self) -> float:
        """Of our error to the better naive one's: less than 1 is better."""
        return self.ours / min(self.naive.values())


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.forecasts", description=__doc__)
    default = Path(os.environ.get(VARIABLE, USUAL))
    parser.add_argument("--data", type=Path, default=default, help=f"default: {VARIABLE}")
    parser.add_argument("--quick", action="store_true", help="fewer series, a shorter time")
    given = parser.parse_args()
    missing = [name for name in (GRID, ROADS) if not (given.data / name).exists()]
    if missing:
        sys.exit(f"NOT MEASURED HERE  forecasts: no {', '.join(missing)} in {given.data}")
    years = grid(given.data / GRID, 20_000 if given.quick else 70_000)
    hours: tuple[float, ...] = (1, 2, 3, 4, 5, 6)
    found = rolling([years], 30 * 60_000_000, hours, 30 * DAY_US, (DAY_US, WEEK_US))
    print(line("forecast_grid", found, 0.8, hours))
    loops = roads(given.data / ROADS, 16 if given.quick else 4)
    found = rolling(loops, 5 * 60_000_000, (1, 2, 3), 2 * DAY_US, (DAY_US,))
    print(line("forecast_roads", found, 0.9, (1,)))


def rolling(
    every: Iterable[Readings],
    step_us: int,
    hours: tuple[float, ...],
    learning_us: int,
    periods: tuple[int, ...],
) -> dict[float, Errors]:
    """Errors by horizon, over all series."""
    errors = {hour: Errors() for hour in hours}
    for readings in every:
        model = forecaster(step_us, hours)
        past: dict[int, float] = {}
        due: dict[int, list[tuple[float, Ahead]]] = {}
        begin_us = readings[0][0] + learning_us
        for given_us, value in readings:
            at_us = given_us // step_us * step_us
            before = {p: past[at_us - p] for p in periods if at_us - p in past}
            for hour, ahead in due.pop(at_us, ()):
                if given_us > begin_us and len(before) == len(periods):
                    errors[hour].add(value, ahead, before)
            past[at_us] = value
            model.update(given_us, value)
            for hour, ahead in zip(hours, model.ahead(), strict=False):
                due.setdefault(ahead.at_us, []).append((hour, ahead))
    return errors


def line(bench: str, errors: dict[float, Errors], limit: float, counted: Sequence[float]) -> str:
    """The value is the worst ratio of the horizons that count."""
    value = max(errors[hour].ratio for hour in counted)
    fields = {
        "bench": bench,
        "value": round(value, 3),
        "unit": "mean absolute error / seasonal naive's",
        "limit": limit,
        "ratio": round(value / limit, 3),
        "by_hour": {
            f"{hour:g}": {
                "mae": report.rounded(one.ours / one.number),
                "naive": report.rounded(min(one.naive.values()) / one.number),
                "ratio": round(one.ratio, 3),
                "inside": round(one.inside / one.number, 3),
            }
            for hour, one in errors.items()
        },
        "forecasts": sum(one.number for one in errors.values()),
        "seconds": round(time.process_time(), 1),
    }
    return json.dumps(fields | report.machine(), ensure_ascii=False)


def grid(path: Path, newest: int) -> Readings:
    """The last so many half-hours of Great Britain's demand, MW; zeros are missing values."""
    rows = list(_rows(path))[-newest:]
    return [one for row in rows if (one := _reading(row["TIMESTAMP"], row["ND"]))]


def roads(path: Path, every: int) -> list[Readings]:
    """Every so many'th loop's speed in mph."""
    rows = list(_rows(path))
    names = [name for name in rows[0] if name != "time_local"][::every]
    return [
        [one for row in rows if (one := _reading(row["time_local"], row[name]))] for name in names
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def _reading(moment: str, text: str) -> tuple[int, float] | None:
    value = float(text) if text else math.nan
    if value == 0 or math.isnan(value):
        return None
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return round(at.timestamp()) * 1_000_000, value


if __name__ == "__main__":
    main()
