"""What `/v1/air-quality` and `/v1/traffic-state` answer, and how it is made."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from services.ops_center.registry import Registry
from services.ops_center.vital_signs.air import POLLUTANTS, Average, Pollutant
from services.ops_center.vital_signs.answers import Place, place
from services.ops_center.vital_signs.hours import Air, Roads
from services.ops_center.vital_signs.traffic import SERVICES, Passage, Service

Report = Literal["hourly", "daily"]


class AirLevel(BaseModel):
    """A class of HJ 633-2012, with the standard's colour."""

    level: int
    name_zh: str
    name_en: str
    colour: str


class Individual(BaseModel):
    """One pollutant's own index (IAQI), and the concentration (µg/m³) that it is of."""

    pollutant: Pollutant
    iaqi: int
    average: Average
    concentration: float


class Index(BaseModel):
    """`missing`: pollutants without a valid average; the true index may be greater."""

    aqi: int | None
    level: AirLevel | None
    primary: list[Pollutant]
    exceeding: list[Pollutant]
    missing: list[Pollutant]
    pollutants: list[Individual]


class AreaAir(Place, Index):
    """An area, by the mean concentrations of its stations."""

    stations: int
    yesterday: int | None
    last_week: int | None


class StationAir(Index):
    """One station."""

    sensor_id: str
    name: str
    area_id: str | None


class AirQuality(BaseModel):
    """`start`: of the hour or the day; null: no full one is there yet."""

    report: Report
    start: datetime | None
    items: list[AreaAir]
    stations: list[StationAir]
    next: None = None


class Congestion(BaseModel):
    """An hour of another day."""

    time_index: float
    service: Service


class AreaTraffic(Place):
    """An area's roads. `sensors`: of each class; `congested`: the share of D, E and F;
    `learning`: sensors whose free flow is not known yet; `silent`: those without an hour."""

    time_index: float | None
    service: Service | None
    congested: float | None
    sensors: dict[Service, int]
    learning: int
    silent: int
    yesterday: Congestion | None
    last_week: Congestion | None


class SensorTraffic(BaseModel):
    """One sensor: mean speed of the hour and free flow, km/h."""

    sensor_id: str
    name: str
    area_id: str | None
    speed_kmh: float
    free_kmh: float
    time_index: float
    service: Service


class TrafficState(BaseModel):
    """`hour`: its beginning; null: no full hour is there yet. `sensors`: the slowest against their
    free flow."""

    hour: datetime | None
    items: list[AreaTraffic]
    sensors: list[SensorTraffic]
    next: None = None


def area_air(
    area_id: str, air: Air, registry: Registry, earlier: tuple[Air | None, Air | None]
) -> AreaAir:
    """Beside its index of yesterday and of a week ago."""
    yesterday, last_week = (one and one.quality.aqi for one in earlier)
    return AreaAir(
        **place(area_id, registry), **dict(_index(air)), stations=air.stations,
        yesterday=yesterday, last_week=last_week,
    )  # fmt: skip


def station_air(sensor_id: str, air: Air, registry: Registry) -> StationAir:
    """One station."""
    return StationAir(**_named(sensor_id, registry), **dict(_index(air)))


def area_traffic(
    area_id: str, roads: Roads, registry: Registry, earlier: tuple[Roads | None, Roads | None]
) -> AreaTraffic:
    """Beside its state of yesterday and of a week ago."""
    now = roads.flowing
    yesterday, last_week = map(_congestion, earlier)
    counts: Mapping[Service, int] = dict(
        zip(SERVICES, now.sensors if now is not None else [0] * len(SERVICES), strict=True)
    )
    return AreaTraffic(
        **place(area_id, registry), time_index=now and round(now.time_index, 2),
        service=now and now.service, congested=now and round(now.congested, 3),
        sensors=dict(counts), learning=roads.learning, silent=roads.silent, yesterday=yesterday,
        last_week=last_week,
    )  # fmt: skip


def sensor_traffic(passage: Passage, registry: Registry) -> SensorTraffic:
    """One sensor."""
    return SensorTraffic(
        **_named(passage.sensor_id, registry), speed_kmh=round(passage.speed, 1),
        free_kmh=round(passage.free, 1), time_index=round(passage.time_index, 2),
        service=passage.service,
    )  # fmt: skip


def _index(air: Air) -> Index:
    quality, level = air.quality, air.quality.level
    return Index(
        aqi=quality.aqi,
        level=level and AirLevel(
            level=level.number, name_zh=level.name_zh, name_en=level.name_en, colour=level.colour
        ),
        primary=list(quality.primary),
        exceeding=list(quality.exceeding),
        missing=list(quality.missing),
        pollutants=[_individual(name, air) for name in POLLUTANTS if name in quality.individual],
    )  # fmt: skip


def _individual(pollutant: Pollutant, air: Air) -> Individual:
    average = air.quality.averages[pollutant]
    concentration = round(air.means[pollutant, average], 1)
    iaqi = air.quality.individual[pollutant]
    return Individual(pollutant=pollutant, iaqi=iaqi, average=average, concentration=concentration)


def _congestion(roads: Roads | None) -> Congestion | None:
    if roads is None or roads.flowing is None:
        return None
    flowing = roads.flowing
    return Congestion(time_index=round(flowing.time_index, 2), service=flowing.service)


def _named(sensor_id: str, registry: Registry) -> dict[str, str | None]:
    sensor = registry.sensor(sensor_id)
    return {
        "sensor_id": sensor_id, "name": "" if sensor is None else sensor.name,
        "area_id": None if sensor is None else sensor.area_id,
    }  # fmt: skip
