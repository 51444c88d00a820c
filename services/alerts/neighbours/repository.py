"""Neighbouring cities on PostgreSQL, as administrators see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal_column, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.channels.cap import SENDER
from services.alerts.connection import reachable
from services.alerts.delivery.discretion import WARNING
from services.alerts.delivery.endpoints import FORGIVEN, NewEndpoint, make, replaced, take_away
from services.alerts.neighbours.interest import Interest
from shared.clock import Clock
from shared.disclosure.level import Level
from shared.store.audit import Action, By, record, record_change
from shared.store.tables import alerts_audit, deliveries, endpoints, neighbours

_HERE = neighbours.c.removed_at.is_(None)
_CITY = ("adcode", "name_zh", "name_en", "interest", "silent_after_minutes", "heard_at",
         "created_at", "endpoint_id")  # fmt: skip
_WAY = ("url", "enabled", "failures", "failing_since")


@dataclass(frozen=True)
class NewNeighbour:
    """What an administrator says of a city. `url`: of its platform, where it takes warnings;
    `secret`: that its administrator has handed over; None: one is made here, for him."""

    adcode: int
    name_zh: str
    name_en: str
    url: str
    interest: Interest | None
    silent_after_minutes: int | None
    secret: str | None = None


class Neighbours:
    """`sender`: our own CAP sender."""

    def __init__(self, engine: AsyncEngine, clock: Clock, sender: str) -> None:
        self._engine = engine
        self._clock = clock
        self._sender = sender

    async def everyone(self) -> list[dict[str, Any]]:
        """By adcode, each with the health of the way to it; without secrets."""
        async with reachable(self._engine.connect()) as connection:
            return await _shown(connection)

    async def get(self, adcode: int) -> dict[str, Any] | None:
        """One of them."""
        async with reachable(self._engine.connect()) as connection:
            return await _seen(connection, adcode)

    async def add(self, new: NewNeighbour, by: By) -> str | None:
        """The secret that both share, which is shown this once; None: it is a neighbour already."""
        now = self._clock()
        way = NewEndpoint(
            new.url, (), f"{new.name_zh} {new.adcode}", "cap", options={SENDER: self._sender},
            secret=new.secret, level=Level.PUBLIC.name.lower(),
        )  # fmt: skip
        async with reachable(self._engine.begin()) as connection:
            if await _seen(connection, new.adcode) is not None:
                return None
            made = await make(connection, way, now, by)
            values = {
                "adcode": new.adcode, "endpoint_id": made["endpoint_id"],
                "name_zh": new.name_zh, "name_en": new.name_en, "created_at": now,
                "interest": None if new.interest is None else new.interest.model_dump(),
                "silent_after_minutes": new.silent_after_minutes,
                "heard_at": None, "beat_at": None, "removed_at": None,
            }  # fmt: skip
            row = insert(neighbours).values(values)
            again = row.on_conflict_do_update(index_elements=["adcode"], set_=values)
            await connection.execute(again)
            after = await _seen(connection, new.adcode)
            action = Action("neighbour.made", str(new.adcode), now, None, after)
            await record_change(connection, alerts_audit, by, action)
        return str(made["secret"])

    async def change(
        self, adcode: int, city: Mapping[str, Any], way: Mapping[str, Any], by: By
    ) -> dict[str, Any] | None:
        """Change columns of a city and of the way to it (`secret` among them: the old one holds
        for a day more). None: there is none."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            before = await _seen(connection, adcode)
            if before is None:
                return None
            if city:
                mine = neighbours.c.adcode == adcode
                await connection.execute(update(neighbours).where(mine).values(dict(city)))
            if way:
                await _change_way(connection, before["endpoint_id"], dict(way), now)
            after = await _seen(connection, adcode)
            action = Action("neighbour.changed", str(adcode), now, before, after)
            await record_change(connection, alerts_audit, by, action)
            if "secret" in way:
                await record(
                    connection, alerts_audit, by, Action("neighbour.rotated", str(adcode), now)
                )
        return after

    async def remove(self, adcode: int, by: By) -> bool:
        """Tell it nothing more, and take nothing more from it; False: there is none. What it
        warned of is shown no more, and kept."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            before = await _seen(connection, adcode)
            if before is None:
                return False
            mine = neighbours.c.adcode == adcode
            await connection.execute(update(neighbours).where(mine).values(removed_at=now))
            await take_away(connection, before["endpoint_id"], now, by)
            action = Action("neighbour.removed", str(adcode), now, before)
            await record_change(connection, alerts_audit, by, action)
        return True


async def _change_way(
    connection: AsyncConnection, endpoint_id: UUID, way: dict[str, Any], now: Any
) -> None:
    secret = way.pop("secret", None)
    if secret is not None:
        way |= replaced(secret, now)
    if way.get("enabled"):
        way |= FORGIVEN
    mine = endpoints.c.endpoint_id == endpoint_id
    await connection.execute(update(endpoints).where(mine).values(way))


async def _seen(connection: AsyncConnection, adcode: int) -> dict[str, Any] | None:
    found = await _shown(connection, adcode)
    return found[0] if found else None


async def _shown(connection: AsyncConnection, adcode: int | None = None) -> list[dict[str, Any]]:
    """`delivered_at`: of the last warning that it has taken; `queued`: warnings that wait."""
    sent = (
        select(
            func.max(deliveries.c.created_at)
            .filter(deliveries.c.state == "delivered")
            .label("delivered_at"),
            func.count().filter(deliveries.c.state == "queued").label("queued"),
        )
        .where(
            deliveries.c.endpoint_id == neighbours.c.endpoint_id,
            deliveries.c.type.like(literal_column(f"'{WARNING}%'")),
        )
        .lateral()
    )
    columns = [*(neighbours.c[name] for name in _CITY), *(endpoints.c[name] for name in _WAY)]
    query = (
        select(*columns, sent.c.delivered_at, sent.c.queued)
        .join(endpoints, endpoints.c.endpoint_id == neighbours.c.endpoint_id)
        .join(sent, true())
        .where(_HERE)
        .order_by(neighbours.c.adcode)
    )
    if adcode is not None:
        query = query.where(neighbours.c.adcode == adcode)
    rows: Sequence[Any] = (await connection.execute(query)).all()
    return [dict(row._mapping) for row in rows]
