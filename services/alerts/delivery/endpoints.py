"""Endpoints, and the ledger of deliveries as people see it, on PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.channels import standard_webhooks
from services.alerts.connection import reachable
from services.alerts.delivery.burial import bury, lock
from services.alerts.outgoing import Outgoing, queue
from shared.clock import Clock
from shared.store.audit import SYSTEM, Action, By, record, record_change
from shared.store.tables import alerts_audit, deliveries, endpoints

ROTATION = timedelta(hours=24)  # a replaced secret stays valid so long
RESENT_AT_MOST = 10_000  # deliveries by one command
NOBODY = UUID(int=0)  # the incident of a test message
OUR_SECRET = ("webhook", "cap")  # channels whose messages we sign, with a secret made here
# Columns of an endpoint that is enabled again: past failures are forgotten.
FORGIVEN = {"failures": 0, "failing_since": None, "not_before": None, "slow": False}
_SECRETS = ("secret", "previous_secret")
_HERE = endpoints.c.removed_at.is_(None)


@dataclass(frozen=True)
class Which:
    """Deliveries of the ledger that are meant; None: any. `since`, `until`: of their making."""

    state: str | None = None
    endpoint_id: UUID | None = None
    incident_id: UUID | None = None
    purpose: str | None = None
    person: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """In SQL."""
        names = ("state", "endpoint_id", "incident_id", "purpose", "person")
        found = [
            deliveries.c[name] == getattr(self, name)
            for name in names
            if getattr(self, name) is not None
        ]
        if self.since is not None:
            found.append(deliveries.c.created_at >= self.since)
        if self.until is not None:
            found.append(deliveries.c.created_at < self.until)
        return found


@dataclass(frozen=True)
class NewEndpoint:
    """What an administrator says of a receiver. `secret`: of a bot that signs, or that a neighbour
    has made; else a webhook's own is made here."""

    url: str
    events: Sequence[str] = ("*",)
    name: str = ""
    channel: str = "webhook"
    language: str = "zh"
    options: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    level: str = "internal"


class Endpoints:
    """Both tables, for people."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def add(self, url: str, events: Sequence[str]) -> dict[str, Any]:
        """A new webhook, with its secret (which is shown this once)."""
        return await self.put(NewEndpoint(url, events))

    async def put(self, new: NewEndpoint, by: By = SYSTEM) -> dict[str, Any]:
        """A new endpoint, with its secret (which is shown this once)."""
        async with reachable(self._engine.begin()) as connection:
            return await make(connection, new, self._clock(), by)

    async def everyone(self) -> list[dict[str, Any]]:
        """Every endpoint, without secrets."""
        async with reachable(self._engine.connect()) as connection:
            rows = await connection.execute(_shown().order_by(endpoints.c.created_at))
            return [dict(row._mapping) for row in rows]

    async def get(self, endpoint_id: UUID) -> dict[str, Any] | None:
        """One, without its secrets."""
        query = _shown().where(endpoints.c.endpoint_id == endpoint_id)
        async with reachable(self._engine.connect()) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else dict(row._mapping)

    async def change(
        self, endpoint_id: UUID, values: Mapping[str, Any], by: By = SYSTEM
    ) -> dict[str, Any] | None:
        """Change some columns; enabling one again forgets its failures. None: there is none."""
        wanted = dict(values)
        if wanted.get("enabled"):
            wanted |= FORGIVEN
        mine = (endpoints.c.endpoint_id == endpoint_id) & _HERE
        async with reachable(self._engine.begin()) as connection:
            before = await _seen(connection, endpoint_id)
            if wanted and before is not None:
                await connection.execute(update(endpoints).where(mine).values(wanted))
                after = await _seen(connection, endpoint_id)
                now, subject = self._clock(), str(endpoint_id)
                action = Action("endpoint.changed", subject, now, before, after)
                await record_change(connection, alerts_audit, by, action)
        return await self.get(endpoint_id)

    async def rotate(self, endpoint_id: UUID, by: By = SYSTEM) -> str | None:
        """A new secret; the old one signs along for `ROTATION`. None: there is no such webhook."""
        made, now = standard_webhooks.new_secret(), self._clock()
        mine = (endpoints.c.endpoint_id == endpoint_id) & _HERE
        ours = endpoints.c.channel.in_(OUR_SECRET)
        statement = update(endpoints).where(mine, ours).values(replaced(made, now))
        async with reachable(self._engine.begin()) as connection:
            done = await connection.execute(statement)
            if done.rowcount:
                action = Action("endpoint.rotated", str(endpoint_id), now)
                await record(connection, alerts_audit, by, action)
        return made if done.rowcount else None

    async def remove(self, endpoint_id: UUID, by: By = SYSTEM) -> bool:
        """Send it nothing more and forget its secret; False if there is none. Its deliveries stay
        in the ledger; what was queued is dead."""
        async with reachable(self._engine.begin()) as connection:
            return await take_away(connection, endpoint_id, self._clock(), by)

    async def deliveries(
        self,
        which: Which | None = None,
        *,
        after: tuple[Any, UUID] | None = None,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """The ledger, newest first, from `after` (created_at, delivery_id) on."""
        query = select(deliveries).where(*(which or Which()).conditions())
        order = tuple_(deliveries.c.created_at, deliveries.c.delivery_id)
        if after is not None:
            query = query.where(order < after)
        query = query.order_by(
            deliveries.c.created_at.desc(), deliveries.c.delivery_id.desc()
        ).limit(limit)
        async with reachable(self._engine.connect()) as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]

    async def delivery(self, delivery_id: UUID) -> dict[str, Any] | None:
        """One of the ledger."""
        query = select(deliveries).where(deliveries.c.delivery_id == delivery_id)
        async with reachable(self._engine.connect()) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else dict(row._mapping)

    async def resend(
        self, which: Which, delivery_id: UUID | None = None, by: By = SYSTEM
    ) -> list[UUID]:
        """Queue again what was sent or given up, under its old id, as if for the first time; those
        whose endpoint is disabled are left alone. Which ones: at most `RESENT_AT_MOST`."""
        chosen = [*which.conditions(), deliveries.c.state != "queued"]
        if delivery_id is not None:
            chosen.append(deliveries.c.delivery_id == delivery_id)
        mine = (
            select(deliveries.c.delivery_id)
            .join(endpoints, endpoints.c.endpoint_id == deliveries.c.endpoint_id)
            .where(*chosen, endpoints.c.enabled, _HERE)
            .order_by(deliveries.c.created_at)
            .limit(RESENT_AT_MOST)
        )
        values = {"state": "queued", "tries": 0, "due_at": self._clock()}
        statement = update(deliveries).where(deliveries.c.delivery_id.in_(mine)).values(values)
        async with reachable(self._engine.begin()) as connection:
            done = await connection.execute(statement.returning(deliveries.c.delivery_id))
            again = list(done.scalars())
            if again:
                subject = str(delivery_id or "many")
                action = Action(
                    "delivery.resent", subject, self._clock(), None, {"count": len(again)}
                )
                await record(connection, alerts_audit, by, action)
            return again

    async def test(self, endpoint_id: UUID, body: str) -> UUID:
        """Queue a test message; its delivery."""
        now = self._clock()
        message = Outgoing(endpoint_id, uuid4(), NOBODY, "test", body, now, now, "test")
        async with reachable(self._engine.begin()) as connection:
            await queue(connection, [message])
        return message.delivery_id


async def make(
    connection: AsyncConnection, new: NewEndpoint, now: datetime, by: By
) -> dict[str, Any]:
    """A new endpoint, with its secret, in a transaction."""
    ours = standard_webhooks.new_secret() if new.channel in OUR_SECRET else ""
    endpoint_id = uuid4()
    values = {
        "endpoint_id": endpoint_id,
        "url": new.url,
        "events": list(new.events),
        "secret": new.secret or ours,
        "enabled": True,
        "created_at": now,
        "name": new.name,
        "channel": new.channel,
        "language": new.language,
        "options": dict(new.options),
        "level": new.level,
    }
    await connection.execute(insert(endpoints).values(values))
    after = await _seen(connection, endpoint_id)
    action = Action("endpoint.made", str(endpoint_id), now, None, after)
    await record_change(connection, alerts_audit, by, action)
    return values


async def take_away(connection: AsyncConnection, endpoint_id: UUID, now: datetime, by: By) -> bool:
    """See `Endpoints.remove`; in a transaction."""
    gone = {
        "enabled": False, "events": [], "secret": "", "previous_secret": None, "removed_at": now,
    }  # fmt: skip
    mine = (endpoints.c.endpoint_id == endpoint_id) & _HERE
    await lock(connection, endpoint_id)
    before = await _seen(connection, endpoint_id)
    done = await connection.execute(update(endpoints).where(mine).values(gone))
    if done.rowcount:
        await bury(connection, endpoint_id, "the endpoint was removed", now)
        action = Action("endpoint.removed", str(endpoint_id), now, before)
        await record_change(connection, alerts_audit, by, action)
    return done.rowcount > 0


def replaced(secret: str, now: datetime) -> dict[str, Any]:
    """Columns of an endpoint that gets another secret; the old one holds for `ROTATION` more."""
    return {
        "secret": secret, "previous_secret": endpoints.c.secret, "previous_until": now + ROTATION,
    }  # fmt: skip


async def _seen(connection: AsyncConnection, endpoint_id: UUID) -> dict[str, Any] | None:
    """An endpoint as people see it."""
    row = (await connection.execute(_shown().where(endpoints.c.endpoint_id == endpoint_id))).first()
    return None if row is None else dict(row._mapping)


def _shown() -> Any:
    columns = [column for column in endpoints.c if column.name not in _SECRETS]
    return select(*columns).where(_HERE)
