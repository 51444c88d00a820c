"""Silences beside everybody else who changes incidents: nobody waits for each other in a circle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.incidents import ledger
from tests.integration.test_alerts_http import House
from tests.integration.test_grants import at, house
from tests.integration.test_silences import body
from tests.waiting import eventually

__all__ = ["house"]
_WAITING = text(
    "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
    " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
)
SECONDS = 20.0


@pytest.fixture
async def gathering(engine: AsyncEngine, house: House) -> AsyncIterator[AsyncConnection]:
    """Whoever has alerts to gather, before he has locked the incidents that they concern."""
    async with engine.connect() as connection:
        yield connection


async def locks(gathering: AsyncConnection, incident: str, other: Awaitable[Any]) -> Any:
    """What `other` comes to that began before `gathering` locked the incident."""
    asked = asyncio.ensure_future(other)

    async def waiting() -> bool:
        return bool((await gathering.execute(_WAITING)).scalar())

    assert await eventually(waiting, SECONDS)
    assert await ledger.find(gathering, UUID(incident)) is not None
    await gathering.rollback()
    return await asked


async def test_to_shelve_waits_for_who_gathers_and_holds_nothing_meanwhile(
    house: House, engine: AsyncEngine, gathering: AsyncConnection
) -> None:
    incident = (await at(house, engine, area_id="441203")).rpartition("/")[2]
    shelve = body(kind="shelving", incident_id=incident)
    await ledger.one_at_a_time(gathering)
    call = house.call("POST", "/v1/silences", shelve, "dinghu")  # whose place has to be looked up
    status, made = await locks(gathering, incident, call)
    assert (status, made["state"]) == (201, "active")
    await ledger.one_at_a_time(gathering)
    call = house.call("DELETE", f"/v1/silences/{made['silence_id']}", None, "dinghu")
    status, ended = await locks(gathering, incident, call)
    assert (status, ended["state"]) == (200, "expired")


async def test_a_preview_waits_for_nobody(house: House, gathering: AsyncConnection) -> None:
    [incident] = await house.opened()
    await ledger.one_at_a_time(gathering)
    assert await ledger.find(gathering, UUID(incident["id"])) is not None
    asked = {"matchers": {"rule": ["gas"], "subject": ["*"]}}
    async with asyncio.timeout(SECONDS):
        status, preview = await house.call("POST", "/v1/silences/preview", asked, "operator")
    assert (status, preview["priority_1_not_hidden"]) == (200, 1)
