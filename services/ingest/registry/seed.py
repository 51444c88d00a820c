"""Fills the registry: the catalogue and the areas at every start, sensors where there are none."""

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.registry import repository
from services.ingest.registry.atlas import Atlas, cell
from services.ingest.registry.boundaries import load_areas
from services.ingest.registry.catalogue import default_catalogue
from services.ingest.registry.seeding import first_sensors
from shared.clock import Clock, system_clock
from shared.settings import Settings


async def seed(engine: AsyncEngine, settings: Settings, clock: Clock = system_clock) -> int:
    """Idempotent, also when several processes start at once. Returns how many sensors were made.

    Raises `Misconfigured` for a city without known boundaries.
    """
    areas = load_areas(settings.city, settings.data_dir / "boundaries.geojson")
    async with engine.begin() as connection:
        await repository.lock_seed(connection)
        await repository.save_metrics(connection, default_catalogue())
        await repository.save_areas(connection, areas)
        if await repository.has_sensors(connection):
            return 0
        districts = [area for area in areas if area.level == "district"]
        atlas = Atlas([(area.area_id, area.shape) for area in districts])
        sensors = first_sensors(districts, atlas, clock())
        cells = {s.cell_id: s.area_id for s in sensors if s.cell_id and s.area_id}
        await repository.save_sensors(connection, sensors)
        await repository.save_cells(connection, (cell(*pair) for pair in cells.items()))
        return len(sensors)
