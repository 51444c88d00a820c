"""Sends the readings of a recorded file: as fast as it is taken, or at a multiple of its own pace.

A sensor's readings always take the same lane, and a lane has one batch under way: so they arrive
in the file's order, while several lanes keep the receiver busy.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from zlib import crc32

import msgspec

from services.simulator.persistence import Persistence, Say, Sender, Stopped
from services.simulator.progress import Outcome, Receipts, ResumeFile, Watermark
from services.simulator.records import Answer, Location, Reading, Registration
from services.simulator.table import Table
from shared.clock import monotonic

UNKNOWN_SENSOR = "unknown_sensor"
UNKNOWN_TRIES, UNKNOWN_SECONDS = 20, 0.5  # until every gateway knows a new sensor
STEP_SECONDS = 0.25  # a paced replay sends what is due in steps of this
KEEP_SECONDS = 0.5
TELL_SECONDS = 10.0
_ROWS_AT_ONCE = 200  # between two chances for other tasks


class Registry(Protocol):
    """Where sensors are made known."""

    async def register(self, sensors: Sequence[Registration]) -> None:
        """One attempt. Raises `Unavailable` or `Misconfigured`."""
        ...


class Pace:
    """When a reading is due. `speed`: event seconds in a real one; None: at once.

    Where the file's time steps back (the next station of a file sorted by station), it starts anew.
    """

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._event: datetime | None = None
        self._real = 0.0
        self._newest: datetime | None = None

    def wait_seconds(self, observed_at: datetime, real: float) -> float:
        """How long to wait at `real` (monotonic seconds)."""
        if self._speed is None:
            return 0.0
        if self._event is None or (self._newest is not None and observed_at < self._newest):
            self._event, self._real = observed_at, real
        self._newest = observed_at
        return (observed_at - self._event).total_seconds() / self._speed - (real - self._real)


@dataclass(slots=True)
class _Batch:
    first_row: int
    readings: list[Reading]


class _Lane:
    """Batches of some of the sensors, one after the other. `queue`: bounded, so reading waits."""

    def __init__(self) -> None:
        self.open: _Batch | None = None
        self.queue: asyncio.Queue[_Batch | None] = asyncio.Queue(maxsize=2)


class Replay:
    """One replay. `outcome` and `watermark` tell how far it is."""

    def __init__(
        self,
        sender: Sender,
        registry: Registry,
        persistence: Persistence,
        pace: Pace,
        say: Say,
        *,
        places: Mapping[str, Location],
        batch_size: int,
        lanes: int,
    ) -> None:
        self.outcome = Outcome()
        self.watermark = Watermark()
        self._sender = sender
        self._registry = registry
        self._persistence = persistence
        self._pace = pace
        self._say = say
        self._places = places
        self._batch_size = batch_size
        self._lanes = [_Lane() for _ in range(lanes)]
        self._lane_of: dict[str, _Lane] = {}

    async def register(self, sensors: Sequence[Registration]) -> None:
        """Make sensors known before their first reading, with the places known of them."""
        known = [
            msgspec.structs.replace(s, location=self._places.get(s.sensor_id)) for s in sensors
        ]
        await self._persistence.until_done(lambda: self._registry.register(known))
        for sensor in sensors:
            number = crc32(sensor.sensor_id.encode()) % len(self._lanes)
            self._lane_of[sensor.sensor_id] = self._lanes[number]

    async def run(
        self,
        table: Table,
        rows: Iterable[tuple[int, list[Reading]]],
        receipts: Receipts,
        resume: ResumeFile,
    ) -> None:
        """Send all of `rows`: (number of the row, its readings). Raises `Stopped`."""
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep(resume))
                carriers = [group.create_task(self._carry(lane, receipts)) for lane in self._lanes]
                await self._distribute(table, rows)
                for lane in self._lanes:
                    await lane.queue.put(None)
                await asyncio.wait(carriers)
                keeping.cancel()
        except BaseExceptionGroup as failures:
            raise _reason(failures) from None
        finally:
            resume.keep(self.watermark.rows)

    async def _distribute(self, table: Table, rows: Iterable[tuple[int, list[Reading]]]) -> None:
        since_pause = 0
        for number, readings in rows:
            self.watermark.read(number)
            since_pause += 1
            if since_pause >= _ROWS_AT_ONCE:
                since_pause = 0
                await asyncio.sleep(0)
            if not readings:
                continue
            wait = self._pace.wait_seconds(readings[0].observed_at, monotonic())
            if wait >= STEP_SECONDS:
                await self._flush()
                await self._persistence.pause(wait)
            for reading in readings:
                await self._add(table, number, reading)
        await self._flush()

    async def _add(self, table: Table, row: int, reading: Reading) -> None:
        lane = self._lane_of.get(reading.sensor_id)
        if lane is None:
            await self.register([table.found_sensor(reading.sensor_id)])
            lane = self._lane_of[reading.sensor_id]
        batch = lane.open
        if batch is None:
            batch = lane.open = _Batch(row, [])
            self.watermark.begin(row)
        batch.readings.append(reading)
        if len(batch.readings) >= self._batch_size:
            lane.open = None
            await lane.queue.put(batch)

    async def _flush(self) -> None:
        for lane in self._lanes:
            if lane.open is not None:
                batch, lane.open = lane.open, None
                await lane.queue.put(batch)

    async def _carry(self, lane: _Lane, receipts: Receipts) -> None:
        while (batch := await lane.queue.get()) is not None:
            await self._deliver(batch.readings, receipts)
            self.watermark.end(batch.first_row)

    async def _deliver(self, readings: list[Reading], receipts: Receipts) -> None:
        for attempt in range(UNKNOWN_TRIES):
            answer = await self._persistence.until_done(partial(self._sender.send, readings))
            again = [r.index for r in answer.rejected if r.code == UNKNOWN_SENSOR]
            receipts.note(readings, answer)
            if not again or attempt + 1 == UNKNOWN_TRIES:
                self.outcome.count(answer)
                return
            known = [r for r in answer.rejected if r.code != UNKNOWN_SENSOR]
            self.outcome.count(Answer(answer.receipt, answer.accepted, known))
            readings = [readings[index] for index in again]
            await self._persistence.pause(UNKNOWN_SECONDS)

    async def _keep(self, resume: ResumeFile) -> None:
        told = monotonic()
        while True:
            await self._persistence.pause(KEEP_SECONDS)
            resume.keep(self.watermark.rows)
            if monotonic() - told >= TELL_SECONDS:
                told = monotonic()
                done = self.outcome
                self._say(
                    f"row {self.watermark.rows}: accepted {done.accepted}"
                    f" of {done.sent}, rejected {dict(done.rejected)}"
                )


def _reason(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one to report: being stopped only if nothing went wrong."""
    return min(failures.exceptions, key=lambda error: isinstance(error, Stopped))
