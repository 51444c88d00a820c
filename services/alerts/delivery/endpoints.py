"""Endpoints and the ledger of deliveries, on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import cast, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.delivery import signing
from services.alerts.delivery.deliverer import Attempt, Delivery
from shared.clock import Clock
from shared.store.tables import deliveries, endpoints

# Whose turn it is: the first of the queue that is due, unless an earlier one that is being tried
# again quickly holds it up. Steps of one incident never overtake each other.
_CLAIM = text("""
WITH turns AS (
  SELECT head.delivery_id FROM alerts.endpoints e CROSS JOIN LATERAL (
    SELECT d.delivery_id, d.due_at FROM alerts.deliveries d
    WHERE d.endpoint_id = e.endpoint_id AND d.state = 'queued'
      AND (d.due_at <= :now OR (
        jsonb_array_length(d.attempts) <= :quick
        AND coalesce((d.attempts -> -1 ->> 'status')::int, 0) NOT BETWEEN 400 AND 499
        OR (d.attempts -> -1 ->> 'status')::int IN (408, 429)))
      AND NOT EXISTS (
        SELECT FROM alerts.deliveries p WHERE p.endpoint_id = d.endpoint_id
          AND p.incident_id = d.incident_id AND p.state = 'queued'
          AND (p.created_at, p.delivery_id) < (d.created_at, d.delivery_id))
    ORDER BY d.created_at, d.delivery_id LIMIT 1
  ) head
  WHERE e.enabled AND NOT e.endpoint_id = ANY(:busy) AND head.due_at <= :now
  ORDER BY head.due_at LIMIT :limit
), due AS (
  SELECT d.delivery_id FROM alerts.deliveries d JOIN turns USING (delivery_id)
  WHERE d.state = 'queued' AND d.due_at <= :now FOR UPDATE OF d SKIP LOCKED
)
UPDATE alerts.deliveries d SET due_at = :leased_until
FROM due, alerts.endpoints e
WHERE d.delivery_id = due.delivery_id AND e.endpoint_id = d.endpoint_id
RETURNING d.delivery_id, d.endpoint_id, e.url, e.secret, d.body,
          jsonb_array_length(d.attempts) AS attempts
""")
_REMOVED: list[str] = []  # the events of an endpoint that is only kept for its ledger


class Endpoints:
    """Both tables; also the deliverer's `DeliveryLedger`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def add(self, url: str, events: Sequence[str]) -> dict[str, Any]:
        """A new endpoint, with its secret (which is shown this once)."""
        values = {
            "endpoint_id": uuid4(),
            "url": url,
            "events": list(events),
            "secret": signing.new_secret(),
            "enabled": True,
            "created_at": self._clock(),
        }
        async with self._engine.begin() as connection:
            await connection.execute(insert(endpoints).values(values))
        return values

    async def everyone(self) -> list[dict[str, Any]]:
        """Every endpoint, without secrets."""
        shown = [column for column in endpoints.c if column.name != "secret"]
        query = select(*shown).where(endpoints.c.events != _REMOVED)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(endpoints.c.created_at))
            return [dict(row._mapping) for row in rows]

    async def remove(self, endpoint_id: UUID) -> bool:
        """Send it nothing more and forget its secret; False if there is none. Its deliveries stay
        in the ledger; what was queued is dead."""
        gone = {"enabled": False, "events": _REMOVED, "secret": ""}
        mine = (endpoints.c.endpoint_id == endpoint_id) & (endpoints.c.events != _REMOVED)
        async with self._engine.begin() as connection:
            done = await connection.execute(update(endpoints).where(mine).values(gone))
            if done.rowcount:
                await self._bury(connection, endpoint_id, "the endpoint was removed")
        return done.rowcount > 0

    async def deliveries(
        self,
        *,
        state: str | None,
        endpoint_id: UUID | None,
        after: tuple[Any, UUID] | None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """The ledger, newest first, from `after` (created_at, delivery_id) on."""
        query = select(deliveries)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        if endpoint_id is not None:
            query = query.where(deliveries.c.endpoint_id == endpoint_id)
        order = tuple_(deliveries.c.created_at, deliveries.c.delivery_id)
        if after is not None:
            query = query.where(order < after)
        query = query.order_by(
            deliveries.c.created_at.desc(), deliveries.c.delivery_id.desc()
        ).limit(limit)
        async with self._engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]

    async def claim(self, busy: set[UUID], limit: int, lease: timedelta) -> list[Delivery]:
        """See `DeliveryLedger.claim`."""
        now = self._clock()
        values = {
            "busy": list(busy),
            "now": now,
            "limit": limit,
            "leased_until": now + lease,
            "quick": signing.PAGING_ATTEMPTS,
        }
        async with reachable(self._engine.begin()) as connection:
            rows = (await connection.execute(_CLAIM, values)).all()
        return [Delivery(**row._mapping) for row in rows]

    async def settle(self, delivery: Delivery, attempt: Attempt) -> None:
        """See `DeliveryLedger.settle`. What was queued for a receiver that is gone is dead."""
        entry = _entry(attempt.at, attempt.status, attempt.error, attempt.latency_ms)
        state: Any = attempt.state
        if attempt.state == "queued":  # unless its endpoint was removed meanwhile
            state = deliveries.c.state
        values: dict[str, Any] = {"state": state, "attempts": _and(entry)}
        if attempt.due_at is not None:
            values["due_at"] = attempt.due_at
        mine = deliveries.c.delivery_id == delivery.delivery_id
        async with reachable(self._engine.begin()) as connection:
            if attempt.disable_endpoint:
                gone = endpoints.c.endpoint_id == delivery.endpoint_id
                await connection.execute(update(endpoints).where(gone).values(enabled=False))
            await connection.execute(update(deliveries).where(mine).values(values))
            if attempt.disable_endpoint:
                await self._bury(connection, delivery.endpoint_id, attempt.error)

    async def _bury(self, connection: AsyncConnection, endpoint_id: UUID, why: str) -> None:
        queued = (deliveries.c.endpoint_id == endpoint_id) & (deliveries.c.state == "queued")
        values = {"state": "dead", "attempts": _and(_entry(self._clock(), None, why, 0.0))}
        await connection.execute(update(deliveries).where(queued).values(values))


def _entry(at: datetime, status: int | None, error: str, latency_ms: float) -> dict[str, Any]:
    return {"at": at.isoformat(), "status": status, "error": error, "latency_ms": latency_ms}


def _and(entry: dict[str, Any]) -> Any:
    return deliveries.c.attempts.op("||")(cast([entry], JSONB))
