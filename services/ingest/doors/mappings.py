"""The doors' mappings in the database, and in memory for a few seconds."""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.doors.mapping import DoorMapping, Names
from shared.clock import monotonic, system_clock
from shared.store.audit import SYSTEM, Action, By, record_change, said
from shared.store.tables import door_mappings, ingest_audit, metrics

CACHE_SECONDS = 2.0


class Mappings:
    """One mapping per door; another process's change is known after `CACHE_SECONDS`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._known: dict[str, tuple[float, Names]] = {}

    async def names(self, door: str) -> Names:
        """The door's mapping together with the catalogue's units."""
        hit = self._known.get(door)
        if hit is not None and hit[0] > monotonic():
            return hit[1]
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(metrics.c.metric, metrics.c.unit))
            units = {row.metric: row.unit for row in rows}
        names = Names(await self.mapping(door), units)
        self._known[door] = (monotonic() + CACHE_SECONDS, names)
        return names

    async def mapping(self, door: str) -> DoorMapping:
        """As last put; an empty one before."""
        async with self._engine.connect() as connection:
            return await _mapping(connection, door)

    async def put(self, door: str, mapping: DoorMapping, actor: str, by: By = SYSTEM) -> None:
        """Replace it."""
        values = {"mapping": mapping.model_dump(mode="json"), "changed_by": actor}
        statement = insert(door_mappings).values(door=door, **values)
        statement = statement.on_conflict_do_update(
            index_elements=["door"], set_=values | {"changed_at": func.now()}
        )
        async with self._engine.begin() as connection:
            before = await _mapping(connection, door)
            await connection.execute(statement)
            action = Action("door.mapped", door, system_clock(), said(before), said(mapping))
            await record_change(connection, ingest_audit, by, action)
        self._known.pop(door, None)


async def _mapping(connection: AsyncConnection, door: str) -> DoorMapping:
    query = select(door_mappings.c.mapping).where(door_mappings.c.door == door)
    found = (await connection.execute(query)).scalar_one_or_none()
    return DoorMapping() if found is None else DoorMapping.model_validate(found)
