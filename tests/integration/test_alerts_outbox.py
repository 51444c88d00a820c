"""The outbox: what was committed reaches the log, whatever happens at the same moment."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.delivery.relay import Relay
from services.alerts.incidents.lifecycle import Command
from shared.contracts.topics import INCIDENTS
from shared.errors import Unavailable
from shared.eventlog.log import EventLog, Outgoing, Position
from shared.store.tables import outbox
from tests.integration.alerting import all_incidents, desk, gas, post
from tests.integration.test_alerts import command


class Interrupted:
    """The log, with something that happens after it has taken a batch."""

    def __init__(self, log: EventLog, happens: Callable[[], Awaitable[None]]) -> None:
        self._log = log
        self._happens = happens

    async def publish(self, records: Sequence[Outgoing]) -> list[Position]:
        positions = await self._log.publish(records)
        await self._happens()
        return positions


async def put(connection: AsyncConnection, name: str) -> None:
    await connection.execute(insert(outbox).values(incident_id=uuid4(), event={"name": name}))


async def published(log: EventLog) -> list[str]:
    async with log.read(INCIDENTS, {}) as reader:
        return [json.loads(record.value)["name"] for record in await reader.batch(100, 5)]


async def left(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(outbox))).scalar() or 0


async def test_an_event_that_commits_late_is_not_lost(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    async with engine.connect() as slow:
        await put(slow, "early number, late commit")
        async with engine.begin() as quick:
            await put(quick, "late number, early commit")
        relay = Relay(engine, Interrupted(event_log, slow.commit), asyncio.Event())  # type: ignore[arg-type]
        assert await relay.publish_some() == 1
        assert await relay.publish_some() == 1
    assert await published(event_log) == ["late number, early commit", "early number, late commit"]
    assert await left(engine) == 0


async def test_a_relay_that_dies_after_publishing_repeats_itself(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    async def die() -> None:
        raise Unavailable("killed")

    async with engine.begin() as connection:
        await put(connection, "once at least")
    with pytest.raises(Unavailable):
        await Relay(engine, Interrupted(event_log, die), asyncio.Event()).publish_some()  # type: ignore[arg-type]
    assert await left(engine) == 1
    assert await Relay(engine, event_log, asyncio.Event()).publish_some() == 1
    assert await published(event_log) == ["once at least"] * 2


async def test_only_one_relay_publishes_at_a_time(engine: AsyncEngine, event_log: EventLog) -> None:
    other = Relay(engine, event_log, asyncio.Event())
    counts: list[int | None] = []

    async def look() -> None:
        counts.append(await other.publish_some())

    async with engine.begin() as connection:
        for number in range(3):
            await put(connection, str(number))
    relay = Relay(engine, Interrupted(event_log, look), asyncio.Event())  # type: ignore[arg-type]
    assert await relay.publish_some() == 3
    assert counts == [None]
    assert await published(event_log) == ["0", "1", "2"]


async def test_every_step_reaches_the_log_in_order(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await post(engine, event_log, gas(0, 30))
    [found] = await all_incidents(engine)
    await command(desk(engine), found, Command.ACKNOWLEDGE)
    relay = Relay(engine, event_log, asyncio.Event())
    assert await relay.publish_some() == 2
    assert await relay.publish_some() == 0
    async with event_log.read(INCIDENTS, {}) as reader:
        records = await reader.batch(10, 5)
    kinds = [json.loads(record.value)["type"] for record in records]
    assert kinds == ["incident.opened", "incident.acknowledged"]
