"""How well a domain of an area runs, 0 to 100, and what takes points off. Pure.

Every placed sensor that has ever spoken counts once per domain, with a weight. The worst of its
series decides how much of the weight is lost: nothing within the normal range, once for silence,
bad data or just outside of it, twenty times for an urgent alarm. Index = 100 · (1 − lost / weight),
not below 0. Without at least half of the weight being heard of there is no index: nobody can tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Literal

from services.ops_center.registry import Registry
from shared.contracts.live import CityDomain, MetricInfo, SeriesState

Band = Literal["steady", "watch", "strained", "critical", "unknown"]
Cause = Literal["alarm", "outside", "silent", "bad"]
Fate = Literal["normal", "alarm", "outside", "silent", "bad", "never"]
Summary = Literal["mean", "max", "min", "sum"]

DOMAINS: Sequence[CityDomain] = ("traffic", "environment", "utilities")
FATES: Sequence[Fate] = ("normal", "alarm", "outside", "silent", "bad", "never")
BANDS: Sequence[tuple[float, Band]] = ((90, "steady"), (75, "watch"), (60, "strained"))
LEAST_HEARD = 0.5
# What endangers life or stands for many weighs more; everything else 1.
WEIGHTS: Mapping[str, float] = {"gas.concentration": 3, "water.level": 2, "drain.level": 2}
# So many times its weight a series loses.
LOST: Mapping[SeriesState, tuple[Fate, float]] = {
    "never": ("never", -1), "normal": ("normal", 0), "stale": ("silent", 1), "bad": ("bad", 1),
    "p4": ("alarm", 2), "p3": ("alarm", 4), "p2": ("alarm", 8), "p1": ("alarm", 20),
}  # fmt: skip
# Just outside of the normal range 1; by the width of the range or more 2.
OUTSIDE, FURTHEST = 1.0, 1.0
# The figure that stands for a metric.
KEY_FIGURES: Mapping[str, Summary] = {
    "traffic.speed": "mean", "traffic.flow": "mean", "traffic.occupancy": "mean",
    "air.pm25": "mean", "weather.temperature": "mean", "weather.rain": "max",
    "water.level": "max", "noise.level": "max",
    "water.pressure": "min", "drain.level": "max", "gas.concentration": "max",
    "power.load": "sum", "power.voltage": "min",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """The picture at one moment, by series number."""

    registry: Registry
    value: Sequence[float | None]
    observed_us: Sequence[int]
    state: Sequence[SeriesState]


@dataclass(frozen=True, slots=True)
class Fault:
    """A sensor that loses points by one of its series (its number). `points`: of 100."""

    series: int
    cause: Cause
    points: float


@dataclass(frozen=True, slots=True)
class Vital:
    """One area's domain. `sensors`: how many by fate; `heard`: share of the weight that is heard
    of; `figures`: by metric; `faults`: what costs most first."""

    area_id: str
    domain: CityDomain
    index: float | None
    sensors: Mapping[Fate, int]
    heard: float
    figures: Mapping[str, float]
    faults: Sequence[Fault] = ()

    @property
    def band(self) -> Band:
        """The index in a word."""
        return band_of(self.index)


@dataclass(slots=True)
class _Figure:
    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.low, self.high = min(self.low, value), max(self.high, value)

    def merge(self, other: "_Figure") -> None:
        self.count += other.count
        self.total += other.total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    def summary(self, kind: Summary) -> float:
        return {"mean": self.total / self.count, "max": self.high, "min": self.low,
                "sum": self.total}[kind]  # fmt: skip


@dataclass(slots=True)
class _Tally:
    """`lost`: by series, with the fate that it has."""

    weight: float = 0.0
    heard: float = 0.0
    sensors: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    lost: list[tuple[int, Fate, float]] = field(default_factory=list)
    figures: dict[str, _Figure] = field(default_factory=dict)

    def add(self, series: int, fate: Fate, factor: float, weight: float) -> None:
        self.sensors[fate] += 1
        if fate == "never":
            return
        self.weight += weight
        self.heard += weight * (fate not in ("silent", "bad"))
        if factor > 0:
            self.lost.append((series, fate, factor * weight))

    def merge(self, other: "_Tally") -> None:
        self.weight += other.weight
        self.heard += other.heard
        self.lost += other.lost
        for fate in FATES:
            self.sensors[fate] += other.sensors[fate]
        for metric, figure in other.figures.items():
            self.figures.setdefault(metric, _Figure()).merge(figure)


def survey(columns: Columns) -> list[Vital]:
    """Every area of the registry in every domain: the city first, then by id."""
    registry = columns.registry
    leaves = _leaves(columns)
    tallies = {(area, domain): _Tally() for area in registry.areas for domain in DOMAINS}
    for (leaf, domain), tally in leaves.items():
        for area_id in registry.lineage(leaf):
            if (area_id, domain) in tallies:
                tallies[area_id, domain].merge(tally)
    order = sorted(registry.areas.values(), key=lambda area: (area.parent_id or "", area.area_id))
    return [
        _vital(area.area_id, domain, tallies[area.area_id, domain])
        for area in order
        for domain in DOMAINS
    ]


def band_of(index: float | None) -> Band:
    """From 90 on steady, from 75 on to be watched, from 60 on strained."""
    if index is None:
        return "unknown"
    return next((band for least, band in BANDS if index >= least), "critical")


def outside_by(value: float | None, low: float | None, high: float | None) -> float | None:
    """How far a value lies above (negative: below) a normal range; None: not outside."""
    if value is None:
        return None
    if high is not None and value > high:
        return value - high
    return value - low if low is not None and value < low else None


def _leaves(columns: Columns) -> Mapping[tuple[str | None, CityDomain], _Tally]:
    """By the sensors' own area."""
    registry = columns.registry
    found: dict[tuple[str | None, CityDomain], _Tally] = {}
    for sensor, group in groupby(enumerate(registry.series), key=lambda one: one[1][0]):
        area_id = registry.sensors[sensor].area_id
        worst: dict[CityDomain, tuple[int, Fate, float]] = {}
        weights: dict[CityDomain, float] = {}
        for number, (_, code) in group:
            metric = registry.metrics[code]
            domain: CityDomain = metric.domain  # type: ignore[assignment]
            fate, factor = _judged(columns.state[number], columns.value[number], metric)
            weights[domain] = max(weights.get(domain, 0.0), WEIGHTS.get(code, 1.0))
            if domain not in worst or factor > worst[domain][2]:
                worst[domain] = (number, fate, factor)
            value = columns.value[number]
            if code in KEY_FIGURES and value is not None and fate not in ("silent", "bad"):
                tally = found.setdefault((area_id, domain), _Tally())
                tally.figures.setdefault(code, _Figure()).add(value)
        for domain, (number, fate, factor) in worst.items():
            tally = found.setdefault((area_id, domain), _Tally())
            tally.add(number, fate, factor, weights[domain])
    return found


def _judged(state: SeriesState, value: float | None, metric: MetricInfo) -> tuple[Fate, float]:
    if state == "normal" and value is not None:
        low, high = metric.normal_low, metric.normal_high
        away = outside_by(value, low, high)
        if away is not None:
            width = high - low if low is not None and high is not None else 0.0
            return "outside", OUTSIDE + min(FURTHEST, abs(away) / (width or 1.0))
    return LOST[state]


def _vital(area_id: str, domain: CityDomain, tally: _Tally) -> Vital:
    weight = tally.weight
    heard = tally.heard / weight if weight else 0.0
    lost = sum(map(itemgetter(2), tally.lost))
    index = max(0.0, 100 * (1 - lost / weight)) if heard >= LEAST_HEARD else None
    figures = {
        metric: figure.summary(KEY_FIGURES[metric]) for metric, figure in tally.figures.items()
    }
    faults = sorted(_faults(tally), key=lambda fault: (-fault.points, fault.series))
    return Vital(area_id, domain, index, tally.sensors, heard, figures, faults)


def _faults(tally: _Tally) -> Iterator[Fault]:
    for series, fate, lost in tally.lost:
        match fate:
            case "alarm" | "outside" | "silent" | "bad":
                yield Fault(series, fate, 100 * lost / tally.weight)
