"""Keeps the in-memory registry true: loaded from the database, then along `city.sensors`.

Beside that it looks into the database every `LOOK_SECONDS`, so that a change whose announcement
was lost (its author died in between) is learned of too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import ValidationError

from services.ingest.registry.catalogue import Definition
from services.ingest.registry.lookup import Registry
from services.ingest.registry.sensor import Sensor
from shared.clock import monotonic
from shared.contracts.topics import SENSORS
from shared.eventlog.log import EventLog, Outgoing, Record

_log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
LOOK_SECONDS = 15.0
BATCH_RECORDS = 500
PUBLISH_RECORDS = 2_000
# Keys of `city.sensors` that are no sensor's: an id has no slash.
METRIC_PREFIX = "metric/"
AREAS_KEY = "areas/"
_DAY_US = 86_400_000_000
_CLOCK_SKEW = timedelta(minutes=5)  # between the processes that write the registry


class Source(Protocol):
    """Where the registry is loaded from; see `repository.Repository`."""

    async def all_sensors(self) -> list[Sensor]:
        """Every sensor."""
        ...

    async def all_metrics(self) -> list[Definition]:
        """The catalogue."""
        ...

    async def kept_days(self) -> dict[str, int]:
        """Metric → days that its readings are kept, for those that are not kept for ever."""
        ...

    async def changes_since(self, moment: datetime) -> dict[str, datetime]:
        """The sensors changed at or after `moment`, and when."""
        ...

    async def find_sensors(self, sensor_ids: Sequence[str]) -> list[Sensor]:
        """Those of them that are registered."""
        ...

    async def area_parents(self) -> dict[str, str | None]:
        """Area → the area it lies in."""
        ...

    async def areas_changed_at(self) -> datetime | None:
        """When an area changed last."""
        ...


class Follower:
    """Loads and follows for one registry."""

    def __init__(self, log: EventLog, source: Source, registry: Registry) -> None:
        self._log = log
        self._source = source
        self._registry = registry
        self._areas_at: datetime | None = None
        self._on_areas: list[Callable[[], Awaitable[None]]] = []

    def listen(self, on_areas: Callable[[], Awaitable[None]]) -> None:
        """Call `on_areas` whenever areas have changed."""
        self._on_areas.append(on_areas)

    async def load(self) -> dict[int, int]:
        """Load all; returns the positions from which changes are still to be read."""
        ends = await self._log.ends(SENSORS)
        metrics = await self._source.all_metrics()
        self._areas_at = await self._source.areas_changed_at()
        parents = await self._source.area_parents()
        self._registry.load(metrics, await self._source.all_sensors(), parents)
        self._registry.kept_us = await self._kept_us()
        return ends

    async def introduce(self) -> None:
        """Tell a log that knows nothing of the registry all of it: a new one, or one whose
        sensors were seeded before there was a log to tell."""
        if any((await self._log.ends(SENSORS)).values()):
            return
        told = definitions_told(await self._source.all_metrics())
        await announce(self._log, told + sensors_told(await self._source.all_sensors()))

    async def follow(self, stop: asyncio.Event) -> None:
        """Load again, then apply changes until `stop`. Raises `Unavailable`."""
        start = await self.load()
        await self._tell_of_areas()
        async with self._log.read(SENSORS, start) as reader:
            looked = monotonic()
            while not stop.is_set():
                for record in await reader.batch(BATCH_RECORDS, WAIT_SECONDS):
                    await self._apply(record)
                if monotonic() - looked > LOOK_SECONDS:
                    await self.look()
                    looked = monotonic()

    async def look(self) -> None:
        """Take up what the database has and the log did not tell."""
        for metric in await self._source.all_metrics():
            self._registry.define(metric)
        self._registry.kept_us = await self._kept_us()
        known = self._registry.sensors
        newest = max((entry.updated_at for entry in known.values()), default=None)
        if newest is not None:
            changes = await self._source.changes_since(newest - _CLOCK_SKEW)
            missed = [
                sensor_id
                for sensor_id, at in changes.items()
                if sensor_id not in known or known[sensor_id].updated_at < at
            ]
            for sensor in await self._source.find_sensors(missed):
                self._registry.apply(sensor)
        if await self._source.areas_changed_at() != self._areas_at:
            await self._tell_of_areas()

    async def _kept_us(self) -> dict[str, int]:
        return {code: days * _DAY_US for code, days in (await self._source.kept_days()).items()}

    async def _apply(self, record: Record) -> None:
        try:
            if record.key.startswith(METRIC_PREFIX):
                self._registry.define(Definition.model_validate_json(record.value))
            elif record.key == AREAS_KEY:
                await self._tell_of_areas()
            else:
                self._registry.apply(Sensor.model_validate_json(record.value))
        except ValidationError as error:
            _log.error("a record of %s is neither sensor nor metric: %s", SENSORS, error)

    async def _tell_of_areas(self) -> None:
        self._areas_at = await self._source.areas_changed_at()
        for listener in self._on_areas:
            await listener()


async def announce(log: EventLog, records: Sequence[Outgoing]) -> None:
    """Publish in portions. Raises `Unavailable`."""
    for start in range(0, len(records), PUBLISH_RECORDS):
        await log.publish(records[start : start + PUBLISH_RECORDS])


def sensors_told(sensors: Sequence[Sensor]) -> list[Outgoing]:
    """Records that tell everybody of changed sensors."""
    return [
        Outgoing(SENSORS, sensor.sensor_id, sensor.model_dump_json().encode()) for sensor in sensors
    ]


def definitions_told(metrics: Sequence[Definition]) -> list[Outgoing]:
    """Records that tell everybody of changed metrics."""
    return [
        Outgoing(SENSORS, METRIC_PREFIX + metric.metric, metric.model_dump_json().encode())
        for metric in metrics
    ]


def areas_told(level: str) -> Outgoing:
    """A record that tells everybody to look at the areas again."""
    return Outgoing(SENSORS, AREAS_KEY, b'{"areas":"%s"}' % level.encode())
