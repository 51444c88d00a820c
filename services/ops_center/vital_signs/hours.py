"""The air and the traffic of a full hour, by area and by station."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, TypeVar

from services.ops_center.registry import Registry
from services.ops_center.vital_signs.air import (
    DAILY,
    HOURLY,
    POLLUTANTS,
    Average,
    Pollutant,
    Quality,
    quality,
)
from services.ops_center.vital_signs.records import Records
from services.ops_center.vital_signs.traffic import LEAST_HOURS, Flowing, Passage, flowing
from shared.clock import Clock
from shared.store.rollups import floor_to

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# GB 3095-2012, table 4, and HJ 663-2013: hours that make an average of 24, and means of eight hours
# of which the greatest stands for a day.
LEAST_OF_DAY, LEAST_OF_EIGHTS = 20, 14
METRICS: Mapping[str, Pollutant] = {f"air.{name}": name for name in POLLUTANTS}

T = TypeVar("T")
Means = Mapping[tuple[Pollutant, Average], float]
Report = Mapping[Pollutant, Sequence[Average]]


@dataclass(frozen=True, slots=True)
class Air:
    """One place's air. `stations`: how many of them say something."""

    means: Means
    stations: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class Roads:
    """One area's traffic. `learning`: sensors whose free flow is not known yet; `silent`: those
    without a speed in this hour."""

    flowing: Flowing | None
    learning: int
    silent: int


class Hours:
    """Reads the rollups of an hour. Raises `Unavailable`."""

    def __init__(self, records: Records, registry: Callable[[], Registry], clock: Clock) -> None:
        self._records = records
        self._registry = registry
        self._clock = clock

    async def last(self, at: datetime | None) -> datetime | None:
        """The start of the last full hour at `at` (default: now) that is rolled up."""
        return await self._last(at, HOUR)

    async def last_day(self, at: datetime | None) -> datetime | None:
        """The start of the last full day (Chinese time), likewise."""
        return await self._last(at, DAY)

    async def air(self, hour: datetime) -> tuple[Mapping[str, Air], Mapping[str, Air]]:
        """By area, and by station. An area's concentrations are the means of its stations'."""
        rows = await self._records.air(hour, list(METRICS))
        return self._reported(((row, _of_hour(row)) for row in rows), HOURLY)

    async def air_of_day(self, day: datetime) -> tuple[Mapping[str, Air], Mapping[str, Air]]:
        """The same of a day."""
        rows = await self._records.day(day, list(METRICS))
        return self._reported(((row, _of_day(row)) for row in rows), DAILY)

    async def traffic(self, hour: datetime) -> tuple[Mapping[str, Roads], Sequence[Passage]]:
        """By area, and every sensor, the slowest against its free flow first."""
        found: list[tuple[str, Passage | str]] = []
        for row in await self._records.traffic(hour):
            if row.speed is None:
                found.append((row.area_id, "silent"))
            elif row.hours < LEAST_HOURS:
                found.append((row.area_id, "learning"))
            else:
                passage = Passage(row.sensor_id, row.speed, row.free, row.flow)
                found.append((row.area_id, passage))
        passages = [one for _, one in found if isinstance(one, Passage)]
        areas = self._by_area(found)
        slowest = sorted(passages, key=lambda one: (-one.time_index, one.sensor_id))
        return {area: _roads(members) for area, members in areas.items()}, slowest

    async def _last(self, at: datetime | None, width: timedelta) -> datetime | None:
        rolled_to = await self._records.rolled_to()
        if rolled_to is None:
            return None
        end = min(rolled_to, self._clock() if at is None else at)
        return floor_to(end, int(width.total_seconds())) - width

    def _reported(
        self, rows: Iterable[tuple[Any, Mapping[Average, float]]], report: Report
    ) -> tuple[Mapping[str, Air], Mapping[str, Air]]:
        stations: dict[str, dict[tuple[Pollutant, Average], float]] = defaultdict(dict)
        homes: dict[str, str] = {}
        for row, means in rows:
            homes[row.sensor_id] = row.area_id
            pollutant = METRICS[row.metric]
            stations[row.sensor_id] |= {(pollutant, each): mean for each, mean in means.items()}
        speaking = {name: means for name, means in stations.items() if means}
        areas = self._by_area((homes[name], means) for name, means in speaking.items())
        return (
            {area: _air(members, report) for area, members in areas.items()},
            {name: _air([means], report) for name, means in speaking.items()},
        )

    def _by_area(self, found: Iterable[tuple[str, T]]) -> Mapping[str, list[T]]:
        """Each area with what is in it and in all below, in the registry's order."""
        registry = self._registry()
        areas: dict[str, list[T]] = {area_id: [] for area_id in registry.areas}
        for home, one in found:
            for area_id in registry.lineage(home):
                if area_id in areas:
                    areas[area_id].append(one)
        return areas


def _of_hour(row: Any) -> Mapping[Average, float]:
    found: dict[Average, float] = {} if row.hour is None else {"1h": row.hour}
    return found | ({"24h": row.day} if row.hours >= LEAST_OF_DAY else {})


def _of_day(row: Any) -> Mapping[Average, float]:
    found: dict[Average, float] = {}
    if row.hours >= LEAST_OF_DAY:
        found |= {"24h": row.day, "1h": row.hour}
    return found | ({"8h": row.eight} if row.eights >= LEAST_OF_EIGHTS else {})


def _air(members: Sequence[Means], report: Report) -> Air:
    keys = {key for means in members for key in means}
    means = {key: fmean(one[key] for one in members if key in one) for key in keys}
    return Air(means, len(members), quality(means, report))


def _roads(members: Sequence[Passage | str]) -> Roads:
    passages = [one for one in members if isinstance(one, Passage)]
    return Roads(flowing(passages), members.count("learning"), members.count("silent"))
