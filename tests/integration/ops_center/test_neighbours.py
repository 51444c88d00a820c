"""What neighbouring cities warn of, from the database to the socket."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center import neighbourhood
from services.ops_center.neighbourhood import Watch
from shared.clock import system_clock
from shared.contracts.live import Neighbours
from shared.store.tables import endpoints, neighbour_warnings, neighbours
from tests.integration.ops_center.conftest import Centre, Screen

WAY = UUID(int=440100)
WORDING = {
    "zh": {"event": "洪水", "headline": "广州市发布洪水橙色预警", "area": "广州市"},
    "en": {"event": "Flood", "headline": "Orange warning: Flood", "area": "Guangzhou"},
}


async def name(engine: AsyncEngine, **fields: Any) -> None:
    """Guangzhou is a neighbour."""
    way = {"endpoint_id": WAY, "url": "http://127.0.0.1:9/", "events": [], "secret": ""}
    city = {"adcode": 440100, "endpoint_id": WAY, "name_zh": "广州", "name_en": "Guangzhou"}
    async with engine.begin() as connection:
        await connection.execute(insert(endpoints).values(way))
        await connection.execute(insert(neighbours).values(city | fields))


async def warn(engine: AsyncEngine, identifier: str, **fields: Any) -> None:
    now = system_clock()
    row = {
        "adcode": 440100, "sender": "g", "identifier": identifier, "kind": "Alert",
        "exercise": False, "sent_at": now, "since": now, "expires_at": now + timedelta(hours=1),
        "severity": "Severe", "category": "Met", "wording": WORDING,
        "outline": [[[113.1, 23.0], [113.2, 23.0], [113.2, 23.1], [113.1, 23.0]]],
        "replaces": [], "document": "", "received_at": now,
    }  # fmt: skip
    async with engine.begin() as connection:
        await connection.execute(insert(neighbour_warnings).values(row | fields))


async def look(engine: AsyncEngine, ahead: timedelta = timedelta()) -> Neighbours | None:
    return await Watch(engine, lambda: system_clock() + ahead, lambda _: None).look()


async def test_a_screen_hears_of_a_warning_and_of_its_end(
    centre: Centre, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbourhood, "LOOK_SECONDS", 0.05)
    async with centre.connect(f"?token={centre.screen_token}") as socket:
        await socket.send(json.dumps({"type": "hello"}))
        screen = Screen(socket)
        assert (await screen.next("hello"))["neighbours"] is None
        await name(engine)
        assert (await screen.next("neighbours"))["neighbours"]["warnings"] == []
        await warn(engine, "1")
        told = (await screen.next("neighbours"))["neighbours"]
        assert told["warnings"][0]["headline_zh"] == "广州市发布洪水橙色预警"
        assert told["warnings"][0]["outline"][0][0] == [113.1, 23.0]
        assert told["cities"][0]["name_zh"] == "广州"
        await warn(engine, "2", kind="Cancel", replaces=["g,1"])
        assert (await screen.next("neighbours"))["neighbours"]["warnings"] == []
        assert "incident" not in {frame["type"] for frame in screen.frames}


async def test_what_holds_is_told_the_gravest_first_until_it_expires(engine: AsyncEngine) -> None:
    assert await look(engine) is None
    await name(engine)
    await warn(engine, "mild", severity="Minor")
    await warn(engine, "grave", severity="Extreme")
    found = await look(engine)
    assert found is not None
    assert [one.identifier for one in found.warnings] == ["grave", "mild"]
    later = await look(engine, timedelta(hours=2))
    assert later is not None
    assert later.warnings == []
    async with engine.begin() as connection:
        await connection.execute(update(neighbours).values(removed_at=system_clock()))
    assert await look(engine) is None


async def test_a_neighbour_that_says_nothing_is_called_silent(engine: AsyncEngine) -> None:
    await name(engine, silent_after_minutes=60, heard_at=system_clock())
    for minutes, silent in ((59, False), (61, True)):
        found = await look(engine, timedelta(minutes=minutes))
        assert found is not None
        assert found.cities[0].silent is silent
    async with engine.begin() as connection:
        await connection.execute(update(neighbours).values(silent_after_minutes=None))
    found = await look(engine, timedelta(days=9))
    assert found is not None
    assert not found.cities[0].silent
