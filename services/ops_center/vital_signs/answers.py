"""What `/v1/vital-signs` answers, and how it is made of surveys and kept steps."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel

from services.ops_center.history.span import BadParameter
from services.ops_center.registry import Registry
from services.ops_center.vital_signs.index import (
    FATES,
    KEY_FIGURES,
    Band,
    Cause,
    Summary,
    Vital,
    band_of,
)
from shared.contracts.live import CityDomain, SeriesState

DAY, WEEK = timedelta(days=1), timedelta(days=7)  # what is compared with


class Step(Protocol):
    """A kept step: a row of `ops.vital_signs`."""

    at: datetime
    area_id: str
    domain: CityDomain
    score: float | None
    heard: float
    counted: int
    alarm: int
    outside: int
    silent: int
    bad: int
    never: int
    figures: Mapping[str, float]


class Place(BaseModel):
    """The city (no `parent_id`) or a district."""

    area_id: str
    parent_id: str | None
    name_zh: str
    name_en: str


class Sensors(BaseModel):
    """Placed sensors by how they are; `counted`: those that ever spoke, all but `never`."""

    counted: int
    normal: int
    alarm: int
    outside: int
    silent: int
    bad: int
    never: int


class Earlier(BaseModel):
    """How it was at the same time of day."""

    at: datetime
    index: float | None
    sensors: Sensors


class Figure(BaseModel):
    """One metric's figure over the area. null: nothing was heard, or nothing kept of then."""

    metric: str
    summary: Summary
    unit: str
    name_zh: str
    name_en: str
    value: float | None
    yesterday: float | None
    last_week: float | None


class VitalSign(Place):
    """One domain of one area. `index`: null when less than half is `heard`."""

    domain: CityDomain
    index: float | None
    band: Band
    heard: float
    sensors: Sensors
    yesterday: Earlier | None
    last_week: Earlier | None
    figures: list[Figure]


class VitalSigns(BaseModel):
    """The city first, then its districts."""

    at: datetime
    items: list[VitalSign]
    next: None = None


class Contribution(BaseModel):
    """A sensor that costs points, by the worst of its series. `outside_by`: how far beyond the
    normal range, in the unit; `at_least`: since then or earlier."""

    sensor_id: str
    name: str
    area_id: str | None
    metric: str
    name_zh: str
    name_en: str
    unit: str
    cause: Cause
    state: SeriesState
    value: float | None
    normal: tuple[float | None, float | None]
    outside_by: float | None
    since: datetime | None
    at_least: bool
    points: float


class Kind(BaseModel):
    """What the sensors of one metric cost together."""

    metric: str
    name_zh: str
    name_en: str
    cause: Cause
    sensors: int
    points: float


class Explanation(VitalSign):
    """A vital sign, and where its points went: the sensors that cost most, and all by metric."""

    at: datetime
    by_metric: list[Kind]
    contributions: list[Contribution]
    more: int


class Moment(BaseModel):
    """One bucket: mean and least index, and the most sensors of each kind at a time."""

    at: datetime
    index: float | None
    lowest: float | None
    heard: float
    counted: int
    alarm: int
    outside: int
    silent: int
    bad: int


class Past(BaseModel):
    """Oldest first; where nothing was kept there is no item."""

    area_id: str
    domain: CityDomain
    resolution_seconds: int
    kept_days: int
    items: list[Moment]
    next: None = None


# By area and domain: yesterday and last week at the same time of day; None where nothing was kept.
Then = Callable[[str, str], tuple[Step | None, Step | None]]


def live(vital: Vital, registry: Registry, then: Then) -> VitalSign:
    """As it is now."""
    counted = sum(vital.sensors.values()) - vital.sensors["never"]
    return VitalSign(
        **place(vital.area_id, registry),
        domain=vital.domain,
        index=rounded(vital.index),
        band=vital.band,
        heard=round(vital.heard, 3),
        sensors=Sensors(counted=counted, **{fate: vital.sensors[fate] for fate in FATES}),
        **_compared(vital.domain, vital.figures, registry, then(vital.area_id, vital.domain)),
    )


def kept(step: Step, registry: Registry, then: Then) -> VitalSign:
    """As it was at a step."""
    return VitalSign(
        **place(step.area_id, registry),
        domain=step.domain,
        index=rounded(step.score),
        band=band_of(step.score),
        heard=round(step.heard, 3),
        sensors=_sensors(step),
        **_compared(step.domain, step.figures, registry, then(step.area_id, step.domain)),
    )


def place(area_id: str, registry: Registry) -> dict[str, Any]:
    """The fields of `Place`."""
    area = registry.areas[area_id]
    return {
        "area_id": area_id, "parent_id": area.parent_id, "name_zh": area.name_zh,
        "name_en": area.name_en,
    }  # fmt: skip


def refuse_unknown(area_id: str, registry: Registry) -> None:
    """Raises `BadParameter` unless it is the city or a district."""
    if area_id not in registry.areas:
        detail = f"there is no city or district {area_id}"
        raise BadParameter("area_id", detail, "unknown_area")


def rounded(index: float | None) -> float | None:
    """Tenths."""
    return None if index is None else round(index, 1)


def _compared(
    domain: CityDomain,
    figures: Mapping[str, float],
    registry: Registry,
    then: tuple[Step | None, Step | None],
) -> dict[str, Any]:
    yesterday, last_week = then
    known = [
        metric
        for code in KEY_FIGURES
        if (metric := registry.metrics.get(code)) is not None and metric.domain == domain
    ]
    return {
        "yesterday": _earlier(yesterday),
        "last_week": _earlier(last_week),
        "figures": [
            Figure(
                metric=metric.metric, summary=KEY_FIGURES[metric.metric], unit=metric.unit,
                name_zh=metric.name_zh, name_en=metric.name_en, value=figures.get(metric.metric),
                yesterday=yesterday and yesterday.figures.get(metric.metric),
                last_week=last_week and last_week.figures.get(metric.metric),
            )
            for metric in known
        ],
    }  # fmt: skip


def _earlier(step: Step | None) -> Earlier | None:
    if step is None:
        return None
    return Earlier(at=step.at, index=rounded(step.score), sensors=_sensors(step))


def _sensors(step: Step) -> Sensors:
    unwell = {name: getattr(step, name) for name in ("alarm", "outside", "silent", "bad")}
    return Sensors(
        counted=step.counted, normal=step.counted - sum(unwell.values()), never=step.never,
        **unwell,
    )  # fmt: skip
