"""Fills the registry: the catalogue and the areas at every start, sensors where there are none."""

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.registry import saving
from services.ingest.registry.area_files import atlas_of
from services.ingest.registry.atlas import Atlas
from services.ingest.registry.boundaries import Area, load_areas
from services.ingest.registry.catalogue import default_catalogue, definitions
from services.ingest.registry.registrar import cells_of, moved
from services.ingest.registry.repository import all_sensors, known_areas
from services.ingest.registry.seeding import first_sensors
from shared.clock import Clock, system_clock
from shared.settings import Settings
from shared.store.locks import Lock, hold
from shared.store.tables import areas, sensors


async def seed(engine: AsyncEngine, settings: Settings, clock: Clock = system_clock) -> int:
    """Idempotent, also when several processes start at once. Returns how many sensors were made.

    Metrics that people have edited stay as they are. Where the city or its boundaries have
    changed, sensors are placed anew: those of another city become `unplaced`.
    Raises `Misconfigured` for a city without known boundaries.
    """
    wanted = load_areas(settings.city, settings.data_dir / "boundaries.geojson")
    async with engine.begin() as connection:
        await hold(connection, Lock.REGISTRY)
        await saving.save_metrics(connection, definitions(default_catalogue(), clock()))
        changed = await _replace_areas(connection, wanted)
        if not await _has_sensors(connection):
            return await _make_sensors(connection, wanted, clock)
        if changed:
            await _place_anew(connection, clock)
        return 0


async def _replace_areas(connection: AsyncConnection, wanted: list[Area]) -> bool:
    """City and districts as they are wanted; True if that has changed any."""
    known = await _fingerprint(connection)
    gone = known.keys() - {area.area_id for area in wanted}
    await saving.remove_areas(connection, gone)
    await saving.save_areas(connection, wanted)
    return await _fingerprint(connection) != known


async def _fingerprint(connection: AsyncConnection) -> dict[str, str]:
    """City and districts: area → digest of its outline."""
    digest = func.md5(cast(areas.c.polygon, Text))
    rows = await connection.execute(
        select(areas.c.area_id, digest).where(areas.c.level.in_(("city", "district")))
    )
    return {row[0]: row[1] for row in rows}


async def _has_sensors(connection: AsyncConnection) -> bool:
    query = select(sensors.c.sensor_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def _make_sensors(connection: AsyncConnection, wanted: list[Area], clock: Clock) -> int:
    districts = [area for area in wanted if area.level == "district"]
    atlas = Atlas([(area.area_id, area.shape) for area in districts])
    made = first_sensors(districts, atlas, clock())
    await saving.save_sensors(connection, made)
    await saving.save_cells(connection, cells_of(made))
    return len(made)


async def _place_anew(connection: AsyncConnection, clock: Clock) -> None:
    atlas = atlas_of(await known_areas(connection))
    there = moved(await all_sensors(connection), atlas, clock)
    await saving.save_sensors(connection, there)
    await saving.save_cells(connection, cells_of(there))
