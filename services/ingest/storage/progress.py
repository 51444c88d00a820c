"""How far the writer has come, as the database knows it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.topics import READINGS
from shared.store.tables import progress


class Progress:
    """Committed with the rows, so it is what is stored."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def progress(self) -> dict[int, tuple[str, int]]:
        """Partition of `city.readings` → (incarnation, next offset) of the writer."""
        query = select(progress).where(progress.c.topic == READINGS)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query)
            return {row.partition: (row.incarnation, row.next_offset) for row in rows}
