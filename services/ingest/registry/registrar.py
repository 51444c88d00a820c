"""Registers sensors: placed in an area, kept, taken up here at once, announced to everybody."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from services.ingest.registry.atlas import Atlas, Cell, cell
from services.ingest.registry.follower import announcement
from services.ingest.registry.lookup import Registry
from services.ingest.registry.sensor import Sensor, SensorIn
from shared.clock import Clock
from shared.eventlog.log import EventLog


class Keeper(Protocol):
    """See `repository.Repository`."""

    async def save(self, made: Sequence[Sensor], cells: Iterable[Cell]) -> None:
        """Make or replace."""
        ...


class Registrar:
    """The only way a sensor gets into the registry after the seed."""

    def __init__(
        self, keeper: Keeper, registry: Registry, atlas: Atlas, log: EventLog, clock: Clock
    ) -> None:
        self._keeper = keeper
        self._registry = registry
        self._atlas = atlas
        self._log = log
        self._clock = clock

    def unknown_metrics(self, metrics: Sequence[str]) -> list[tuple[int, str]]:
        """(place, code) of the metrics that the catalogue does not have."""
        return [
            (n, code) for n, code in enumerate(metrics) if not self._registry.knows_metric(code)
        ]

    async def register(self, wanted: Sequence[SensorIn]) -> list[Sensor]:
        """Make or replace; their metrics must be known. Raises `Unavailable`: repeat it then."""
        sensors = [self._placed(one) for one in wanted]
        cells = {s.cell_id: s.area_id for s in sensors if s.cell_id and s.area_id}
        await self._keeper.save(sensors, [cell(*pair) for pair in cells.items()])
        for sensor in sensors:
            self._registry.apply(sensor)
        await self._log.publish(announcement(sensors))
        return sensors

    def _placed(self, wanted: SensorIn) -> Sensor:
        place = self._atlas.place(wanted.location)
        return Sensor(
            sensor_id=wanted.sensor_id,
            name=wanted.name,
            metrics=wanted.metrics,
            location=wanted.location,
            area_id=place.district_id,
            cell_id=place.cell_id,
            retired=wanted.retired,
            updated_at=self._clock(),
        )
