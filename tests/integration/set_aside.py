"""Items in quarantine, and the HTTP that works on them."""

import asyncio
from typing import Any

from services.ingest.quarantine.aside import SetAside
from services.ingest.quarantine.repository import Quarantine
from shared.contracts.reading import ItemCode
from tests.integration.cities import City
from tests.waiting import eventually

LIFE = "a-life"


def aside(
    offset: int, item: Any, code: ItemCode = ItemCode.OUT_OF_RANGE, source: str = "buses"
) -> SetAside:
    return SetAside("city.inbox", 0, offset, 0, source, code, "why", item)


async def fill(home: City, *rows: SetAside) -> None:
    await Quarantine(home.context.engine).set_aside(rows, LIFE)


async def listed(home: City, **query: Any) -> list[dict[str, Any]]:
    answer = await home.client.get("/v1/quarantine", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def do(home: City, action: str, status: int = 200, **body: Any) -> Any:
    answer = await home.client.post(f"/v1/quarantine/{action}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def written(home: City) -> list[tuple[Any, ...]]:
    """Let the writer take everything that is in the log; (value) by time."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(home.service.jobs["ingest-writer"](stop))

    async def done() -> bool:
        return await home.context.log.lag("city.readings", "writer") == 0

    assert await eventually(done, 10)
    stop.set()
    await task
    return await home.rows("SELECT value FROM ingest.readings ORDER BY observed_at")
