"""Forecasts of chosen series, made from stored means when they are asked for, and kept a while.

What is made is bounded: `MOST_KEPT` series in memory, one computed at a time in a thread,
`MOST_WAITING` questions waiting, `LEARNED` of history read for each.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.detect.outlook import STEP_US
from services.alerts.foresight.choice import chosen_by
from services.alerts.foresight.prospect import Prospect, State
from services.alerts.means import Series, means
from services.alerts.rules.rule import Rule
from shared.clock import Clock, from_micros, monotonic, to_micros
from shared.errors import Overloaded
from shared.store.tables import areas, metrics, sensors

MOST_KEPT = 300
MOST_WAITING = 16
LEARNED = timedelta(days=15)  # longer, and the first answer takes longer than a second
ANEW_SECONDS = 6 * 3_600.0  # so that late readings count too
AGAIN_SECONDS = 15.0  # where there was nothing to say, there may be now
SETTLE = timedelta(seconds=60)  # readings of a quarter still come in for so long
STEP_SECONDS = STEP_US // 1_000_000


class Rules(Protocol):
    """Those in force."""

    @property
    def current(self) -> Iterable[Rule]:
        """Now."""
        ...


@dataclass(frozen=True)
class Known:
    """A series of the registry, and who has chosen it."""

    unit: str
    chosen: list[str]


class Forecasts:
    """See above."""

    def __init__(self, engine: AsyncEngine, rules: Rules, clock: Clock) -> None:
        self._engine = engine
        self._rules = rules
        self._clock = clock
        self._kept: OrderedDict[Series, tuple[float, Prospect]] = OrderedDict()
        self._one = asyncio.Lock()
        self._waiting = 0

    async def known(self, series: Series) -> Known | str:
        """The series, or which of its names is unknown: `sensor` or `metric`."""
        sensor_id, metric = series
        async with reachable(self._engine.connect()) as connection:
            query = select(metrics.c.unit, metrics.c.foretold).where(metrics.c.metric == metric)
            kind = (await connection.execute(query)).first()
            lies_in = await _areas_of(connection, sensor_id)
        if kind is None or lies_in is None:
            return "metric" if kind is None else "sensor"
        chosen = chosen_by(self._rules.current, *series, lies_in, marked=kind.foretold)
        return Known(kind.unit, chosen)

    async def prospect(self, series: Series) -> Prospect:
        """Up to the last complete quarter of an hour. Raises `Overloaded`."""
        until = _complete(self._clock())
        made = self._kept.get(series)
        if made is not None and made[1].until_us == to_micros(until) and _holds(*made):
            self._kept.move_to_end(series)
            return made[1]
        if self._waiting >= MOST_WAITING:
            raise Overloaded("too many forecasts at once", retry_after_seconds=2)
        self._waiting += 1
        try:
            async with self._one:
                return await self._brought_up(series, until)
        finally:
            self._waiting -= 1

    async def _brought_up(self, series: Series, until: datetime) -> Prospect:
        began, found = self._kept.get(series, (0.0, None))
        now = monotonic()
        oldest_us = to_micros(until - LEARNED)
        if found is None or not _holds(began, found) or found.until_us > to_micros(until):
            began, found = now, Prospect(oldest_us)
        start = from_micros(max(found.until_us, oldest_us))
        if start < until:
            async with reachable(self._engine.connect()) as connection:
                (heard,) = await means(connection, [series], start, until, STEP_SECONDS)
            await asyncio.to_thread(found.hear, heard, to_micros(until))
        self._kept[series] = (began, found)
        self._kept.move_to_end(series)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found


def _holds(began: float, prospect: Prospect) -> bool:
    """Whether it may be gone on with."""
    ready = prospect.state is State.READY
    return monotonic() - began < (ANEW_SECONDS if ready else AGAIN_SECONDS)


def _complete(now: datetime) -> datetime:
    """The end of the last quarter of an hour whose readings are here."""
    return from_micros(to_micros(now - SETTLE) // STEP_US * STEP_US)


async def _areas_of(connection: AsyncConnection, sensor_id: str) -> Set[str] | None:
    """Every area that a sensor lies in; None: there is no such sensor."""
    query = (
        select(sensors.c.area_id, sensors.c.town_id, sensors.c.cell_id, areas.c.parent_id)
        .outerjoin(areas, areas.c.area_id == sensors.c.area_id)
        .where(sensors.c.sensor_id == sensor_id)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else frozenset(filter(None, row))
