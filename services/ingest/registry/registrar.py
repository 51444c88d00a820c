"""Changes the registry: sensors placed and kept, metrics defined, towns imported; each is taken
up here at once and announced to everybody."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from services.ingest.registry.area_files import Known, Plan, after, atlas_of
from services.ingest.registry.atlas import Atlas, Cell, cell
from services.ingest.registry.boundaries import Area
from services.ingest.registry.catalogue import Definition, MetricPut
from services.ingest.registry.follower import (
    announce,
    areas_told,
    definitions_told,
    sensors_told,
)
from services.ingest.registry.lookup import Registry
from services.ingest.registry.sensor import Sensor, SensorIn
from shared.clock import Clock
from shared.eventlog.log import EventLog
from shared.store.audit import SYSTEM, By


class UnitInUse(Exception):
    """Sensors have the metric in another unit: what is stored would change its meaning."""


class Keeper(Protocol):
    """See `repository.Repository`."""

    async def all_sensors(self) -> list[Sensor]:
        """Every sensor."""
        ...

    async def find_sensors(self, sensor_ids: Sequence[str]) -> list[Sensor]:
        """Those of them that are registered."""
        ...

    async def save(self, made: Sequence[Sensor], cells: Iterable[Cell], by: By) -> None:
        """Make or replace."""
        ...

    async def save_metric(self, metric: Definition, by: By) -> None:
        """Make or replace."""
        ...

    async def is_measured(self, metric: str) -> bool:
        """True when a sensor has the metric."""
        ...

    async def known_areas(self) -> Known:
        """Districts and towns with their outlines."""
        ...

    async def replace_towns(
        self, wanted: Sequence[Area], removed: Iterable[str], moved: Sequence[Sensor],
        cells: Iterable[Cell], by: By,
    ) -> None:  # fmt: skip
        """Towns, and the sensors as they lie then."""
        ...


class Registrar:
    """The only way into the registry after the seed."""

    def __init__(self, keeper: Keeper, registry: Registry, log: EventLog, clock: Clock) -> None:
        self._keeper = keeper
        self._registry = registry
        self._atlas = Atlas([])
        self._log = log
        self._clock = clock

    async def load_areas(self) -> None:
        """Take up the areas as they are now."""
        known = await self._keeper.known_areas()
        self._atlas = await asyncio.to_thread(atlas_of, known)

    def unknown_metrics(self, metrics: Sequence[str]) -> list[tuple[int, str]]:
        """(place, code) of the metrics that the catalogue does not have."""
        return [
            (n, code) for n, code in enumerate(metrics) if not self._registry.knows_metric(code)
        ]

    async def known(self, sensor_ids: Sequence[str]) -> dict[str, Sensor]:
        """Those of the sensors that are registered."""
        return {one.sensor_id: one for one in await self._keeper.find_sensors(sensor_ids)}

    def placed(self, wanted: Sequence[SensorIn]) -> list[Sensor]:
        """The sensors as they would be kept. Pure; 20,000 take half a second."""
        now = self._clock()
        made = (Sensor(**dict(one), updated_at=now) for one in wanted)
        return [_in_place(one, self._atlas) for one in made]

    async def register(self, wanted: Sequence[SensorIn], by: By = SYSTEM) -> list[Sensor]:
        """Make or replace; their metrics must be known. Raises `Unavailable`: repeat it then."""
        sensors = await asyncio.to_thread(self.placed, wanted)
        await self._keeper.save(sensors, cells_of(sensors), by)
        await self._tell(sensors)
        return sensors

    async def define(self, code: str, wanted: MetricPut, by: By = SYSTEM) -> Definition:
        """Make or replace a metric; the new range counts for what comes in from now on.

        Raises `UnitInUse`, `Unavailable`.
        """
        known = self._registry.metric(code)
        changes_unit = known is not None and known.unit != wanted.unit
        if changes_unit and await self._keeper.is_measured(code):
            raise UnitInUse
        metric = Definition(
            **wanted.model_dump(), metric=code, origin="edited", updated_at=self._clock()
        )
        await self._keeper.save_metric(metric, by)
        self._registry.define(metric)
        await announce(self._log, definitions_told([metric]))
        return metric

    async def moved_by(self, plan: Plan) -> list[Sensor]:
        """The sensors that would lie elsewhere after an import of towns."""
        known = await self._keeper.known_areas()
        sensors = await self._keeper.all_sensors()
        return await asyncio.to_thread(moved, sensors, atlas_of(after(plan, known)), self._clock)

    async def replace_towns(self, plan: Plan, by: By = SYSTEM) -> list[Sensor]:
        """Do what the plan says; returns the sensors that moved. Raises `Unavailable`."""
        sensors = await self.moved_by(plan)
        cells = cells_of(sensors)
        await self._keeper.replace_towns(plan.towns, plan.removed, sensors, cells, by)
        await self.load_areas()
        await announce(self._log, [areas_told("town")])
        await self._tell(sensors)
        return sensors

    async def _tell(self, sensors: Sequence[Sensor]) -> None:
        for sensor in sensors:
            self._registry.apply(sensor)
        await announce(self._log, sensors_told(sensors))


def moved(sensors: Iterable[Sensor], atlas: Atlas, clock: Clock) -> list[Sensor]:
    """Those that lie elsewhere by `atlas`, as they lie there."""
    now = clock()
    found = ((one, _in_place(one, atlas)) for one in sensors)
    return [there.model_copy(update={"updated_at": now}) for one, there in found if one != there]


def _in_place(sensor: Sensor, atlas: Atlas) -> Sensor:
    place = atlas.place(sensor.location)
    where = {
        "area_id": place.district_id,
        "town_id": place.town_id,
        "cell_id": place.cell_id,
    }
    return sensor.model_copy(update=where)


def cells_of(sensors: Iterable[Sensor]) -> list[Cell]:
    """The cells that sensors stand in."""
    parents = {s.cell_id: s.town_id or s.area_id for s in sensors if s.cell_id and s.area_id}
    return [cell(cell_id, parent) for cell_id, parent in parents.items() if parent]
