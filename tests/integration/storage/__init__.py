"""What is stored, and what is made of it."""

from datetime import timedelta
from typing import Any

from services.ingest.storage.rollups.refresher import Refresher

AT_ONCE = timedelta(0)  # the rollups' marks are worked off without waiting for quiet


async def settle(refresher: Refresher, connection: Any) -> None:
    """Until nothing is left to be rolled up."""
    for _ in range(200):
        if not await refresher.step(connection):
            return
    raise AssertionError("the rollups never catch up")


async def rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    """What a raw connection answers."""
    found: list[tuple[Any, ...]] = await (await connection.execute(query)).fetchall()
    return found
