"""`/v1/air-quality` and `/v1/traffic-state`: the last full hour, or any past one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query

from services.ops_center.history.routes import as_problems
from services.ops_center.history.span import moment_of
from services.ops_center.registry import Registry
from services.ops_center.vital_signs import examples
from services.ops_center.vital_signs.answers import DAY, WEEK, refuse_unknown
from services.ops_center.vital_signs.hourly_answers import (
    AirQuality,
    Report,
    TrafficState,
    area_air,
    area_traffic,
    sensor_traffic,
    station_air,
)
from services.ops_center.vital_signs.hours import Hours
from shared.web.auth import require_role

T = TypeVar("T")
AreaId = Annotated[str | None, Query(max_length=64, description="The city or a district")]
At = Annotated[str | None, Query(max_length=40, description="The last full hour at this moment")]


def hours_router(hours: Hours, registry: Callable[[], Registry]) -> APIRouter:
    """For everybody who may look."""
    router = APIRouter(tags=["vital signs"], dependencies=[Depends(require_role("viewer"))])

    @router.get("/v1/air-quality", summary="The official air-quality index (HJ 633-2012)",
                responses=examples.AIR)  # fmt: skip
    async def air_quality(
        area_id: AreaId = None, at: At = None, stations: bool = False, report: Report = "hourly"
    ) -> AirQuality:
        """The index of every area, its level and primary pollutant, beside that of the same time
        yesterday and a week ago; `stations`: of every station too.

        The hourly report: gases by the mean of the hour, particles by that of the past 24 hours,
        of which 20 must be there. The daily one, of the last full day: by the day's means, ozone
        by its greatest mean of eight hours."""
        known = registry()
        moment = _moment(area_id, at, known)
        last, of = (
            (hours.last, hours.air) if report == "hourly" else (hours.last_day, hours.air_of_day)
        )
        start = await last(moment)
        if start is None:
            return AirQuality(report=report, start=None, items=[], stations=[])
        areas, single = await of(start)
        yesterday, last_week = [(await of(start - back))[0] for back in (DAY, WEEK)]
        own = {name for name in single if stations and _within(name, area_id, known)}
        return AirQuality(
            report=report,
            start=start,
            items=[
                area_air(one, air, known, (yesterday.get(one), last_week.get(one)))
                for one, air in _chosen(areas, area_id).items()
            ],
            stations=[station_air(name, single[name], known) for name in sorted(own)],
        )

    @router.get("/v1/traffic-state", summary="How the roads run, against their free flow",
                responses=examples.TRAFFIC)  # fmt: skip
    async def traffic_state(
        area_id: AreaId = None,
        at: At = None,
        sensors: Annotated[int, Query(ge=0, le=200, description="So many of the slowest")] = 0,
    ) -> TrafficState:
        """The hour's travel time index and level of service of every area, beside the same hour
        yesterday and a week ago."""
        known = registry()
        hour = await hours.last(_moment(area_id, at, known))
        if hour is None:
            return TrafficState(hour=None, items=[], sensors=[])
        areas, slowest = await hours.traffic(hour)
        yesterday, last_week = [(await hours.traffic(hour - back))[0] for back in (DAY, WEEK)]
        own = [one for one in slowest if _within(one.sensor_id, area_id, known)]
        return TrafficState(
            hour=hour,
            items=[
                area_traffic(one, roads, known, (yesterday.get(one), last_week.get(one)))
                for one, roads in _chosen(areas, area_id).items()
            ],
            sensors=[sensor_traffic(one, known) for one in own[:sensors]],
        )

    return router


def _moment(area_id: str | None, at: str | None, registry: Registry) -> datetime | None:
    """What `at` says. Raises `Problem`."""
    with as_problems():
        if area_id is not None:
            refuse_unknown(area_id, registry)
        return None if at is None else moment_of("at", at)


def _chosen(areas: Mapping[str, T], area_id: str | None) -> Mapping[str, T]:
    return areas if area_id is None else {area_id: areas[area_id]}


def _within(sensor_id: str, area_id: str | None, registry: Registry) -> bool:
    sensor = registry.sensor(sensor_id)
    return area_id is None or (sensor is not None and area_id in registry.lineage(sensor.area_id))
