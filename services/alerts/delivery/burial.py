"""Deliveries that are given up; pages among them go to the next contact of their person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, cast, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.delivery import schedule
from services.alerts.delivery.verdict import entry
from services.alerts.outgoing import Outgoing, queue
from shared.store.tables import deliveries, endpoints

_BROKEN = "not sent: the receiver is not reachable now"


async def lock(connection: AsyncConnection, endpoint_id: UUID) -> None:
    """Nothing new is queued for an endpoint until the transaction ends."""
    mine = endpoints.c.endpoint_id == endpoint_id
    await connection.execute(select(endpoints.c.endpoint_id).where(mine).with_for_update())


async def bury(connection: AsyncConnection, endpoint_id: UUID, why: str, now: datetime) -> None:
    """What was queued for an endpoint is dead; pages go to the next contact."""
    queued = (deliveries.c.endpoint_id == endpoint_id) & (deliveries.c.state == "queued")
    await _give_up(connection, queued, why, now)


async def fail_over(connection: AsyncConnection, now: datetime) -> None:
    """Pages for who cannot be reached there now do not wait: the next contact gets them."""
    broken = (~endpoints.c.enabled) | (
        (endpoints.c.failures >= schedule.BREAK_AFTER) & (endpoints.c.not_before > now)
    )
    query = (
        select(deliveries.c.delivery_id)
        .join(endpoints, endpoints.c.endpoint_id == deliveries.c.endpoint_id)
        .where(
            deliveries.c.state == "queued", deliveries.c.purpose == "paging",
            deliveries.c.due_at <= now, deliveries.c.fallbacks != [], broken,
        )
        .with_for_update(of=deliveries, skip_locked=True)
    )  # fmt: skip
    stuck = list((await connection.execute(query)).scalars())
    if stuck:
        await _give_up(connection, deliveries.c.delivery_id.in_(stuck), _BROKEN, now)


async def hand_on(connection: AsyncConnection, dead: Sequence[UUID], now: datetime) -> None:
    """Queue pages that are dead for the first of their fallbacks."""
    if not dead:
        return
    query = select(deliveries).where(
        deliveries.c.delivery_id.in_(dead), deliveries.c.fallbacks != []
    )
    following = [
        Outgoing(
            row.fallbacks[0], row.event_id, row.incident_id, row.type, row.body, now, now,
            "paging", row.person, tuple(row.fallbacks[1:]),
        )
        for row in await connection.execute(query)
    ]  # fmt: skip
    await queue(connection, following)


async def _give_up(
    connection: AsyncConnection, which: ColumnElement[bool], why: str, now: datetime
) -> None:
    said: Any = cast([entry(now, None, why, 0.0)], JSONB)
    values = {"state": "dead", "attempts": deliveries.c.attempts.op("||")(said)}
    statement = update(deliveries).where(which).values(values)
    dead = await connection.execute(statement.returning(deliveries.c.delivery_id))
    await hand_on(connection, list(dead.scalars()), now)
