"""Keeps the in-memory registry true: loaded from the database, then along `city.sensors`."""

import asyncio
import logging
import math
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from services.ingest.registry.lookup import Channel, Registry
from services.ingest.registry.sensor import Sensor
from shared.contracts.topics import SENSORS
from shared.eventlog.log import EventLog, Outgoing

_log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5


class Source(Protocol):
    """Where the registry is loaded from; see `repository.Repository`."""

    async def all_sensors(self) -> list[Sensor]:
        """Every sensor."""
        ...

    async def all_metrics(self) -> list[dict[str, Any]]:
        """Rows of the catalogue."""
        ...

    async def area_parents(self) -> dict[str, str | None]:
        """Area → the area it lies in."""
        ...


class Follower:
    """Loads and follows for one registry."""

    def __init__(self, log: EventLog, source: Source, registry: Registry) -> None:
        self._log = log
        self._source = source
        self._registry = registry

    async def load(self) -> dict[int, int]:
        """Load all; returns the positions from which changes are still to be read."""
        ends = await self._log.ends(SENSORS)
        channels = {row["metric"]: channel(row) for row in await self._source.all_metrics()}
        parents = await self._source.area_parents()
        self._registry.load(channels, await self._source.all_sensors(), parents)
        return ends

    async def follow(self, stop: asyncio.Event) -> None:
        """Load again, then apply changes until `stop`. Raises `Unavailable`."""
        async with self._log.read(SENSORS, await self.load()) as reader:
            while not stop.is_set():
                for record in await reader.batch(500, WAIT_SECONDS):
                    self._apply(record.value)

    def _apply(self, value: bytes) -> None:
        try:
            self._registry.apply(Sensor.model_validate_json(value))
        except ValidationError as error:
            _log.error("a record of %s is no sensor: %s", SENSORS, error)


def announcement(sensors: Sequence[Sensor]) -> list[Outgoing]:
    """Records that tell everybody of changed sensors."""
    return [
        Outgoing(SENSORS, sensor.sensor_id, sensor.model_dump_json().encode()) for sensor in sensors
    ]


def channel(row: dict[str, Any]) -> Channel:
    """A row of the catalogue as the judge needs it."""
    minimum, maximum = row["minimum"], row["maximum"]
    return Channel(
        -math.inf if minimum is None else minimum,
        math.inf if maximum is None else maximum,
        row["max_age_seconds"] * 1_000_000,
        row.get("domain", ""),
    )
