"""Keeps the vital signs every five minutes, and what traffic flows freely at."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from services.ops_center.vital_signs.records import STEP_SECONDS, Records
from services.ops_center.vital_signs.surveyor import Surveyor
from services.ops_center.vital_signs.traffic import LEAST_HOURS
from shared.clock import Clock
from shared.store.rollups import floor_to

DAY_SECONDS = 86_400
# The free flow: the 85th percentile of the hourly means of four weeks.
FREE_SHARE = 0.85
LEARNED_FROM = timedelta(days=28)
LEARN_EVERY_SECONDS = 900.0
LOT = 500  # sensors in one transaction


class Recorder:
    """`run` is a job. Steps lie on full five minutes; what is missed stays a gap."""

    def __init__(self, surveyor: Surveyor, records: Records, clock: Clock) -> None:
        self._surveyor = surveyor
        self._records = records
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`."""
        while not await _stopped(stop, self._seconds_to_next()):
            await self.step()

    async def step(self) -> None:
        """Keep how it is now; once a day forget what is too old."""
        at = floor_to(self._clock(), STEP_SECONDS)
        survey = await self._surveyor.survey(0)
        await self._records.keep(at, survey.vitals)
        if at == floor_to(at, DAY_SECONDS):
            await self._records.forget(at)

    def _seconds_to_next(self) -> float:
        now = self._clock()
        return STEP_SECONDS - (now - floor_to(now, STEP_SECONDS)).total_seconds()


class Learner:
    """`run` is a job: learns the free flow of each sensor, again every day."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`."""
        while not stop.is_set():
            await self.step()
            await _stopped(stop, LEARN_EVERY_SECONDS)

    async def step(self) -> None:
        """Learn what is due."""
        now = self._clock()
        due = await self._records.due(now, LEAST_HOURS)
        for first in range(0, len(due), LOT):
            lot = due[first : first + LOT]
            await self._records.learn(lot, now - LEARNED_FROM, now, FREE_SHARE)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
