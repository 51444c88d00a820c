"""Endpoints and the ledger of deliveries, on PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import cast, delete, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts import signing
from services.alerts.deliverer import Attempt, Delivery
from shared.clock import Clock
from shared.errors import Unavailable
from shared.store.tables import deliveries, endpoints

# The head of each endpoint's queue, if it is due: a later one never overtakes it.
_CLAIM = text("""
WITH heads AS (
  SELECT DISTINCT ON (endpoint_id) delivery_id, due_at FROM alerts.deliveries
  WHERE state = 'queued' AND NOT endpoint_id = ANY(:busy)
  ORDER BY endpoint_id, created_at, delivery_id
), due AS (
  SELECT d.delivery_id FROM alerts.deliveries d JOIN heads USING (delivery_id)
  WHERE heads.due_at <= :now AND d.state = 'queued'
  ORDER BY heads.due_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
)
UPDATE alerts.deliveries d SET due_at = :leased_until
FROM due, alerts.endpoints e
WHERE d.delivery_id = due.delivery_id AND e.endpoint_id = d.endpoint_id AND e.enabled
RETURNING d.delivery_id, d.endpoint_id, e.url, e.secret, d.body,
          jsonb_array_length(d.attempts) AS attempts
""")


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
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(*shown).order_by(endpoints.c.created_at))
            return [dict(row._mapping) for row in rows]

    async def remove(self, endpoint_id: UUID) -> bool:
        """Forget an endpoint and its deliveries; False if there was none."""
        async with self._engine.begin() as connection:
            mine = deliveries.c.endpoint_id == endpoint_id
            await connection.execute(delete(deliveries).where(mine))
            done = await connection.execute(
                delete(endpoints).where(endpoints.c.endpoint_id == endpoint_id)
            )
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
        values = {"busy": list(busy), "now": now, "limit": limit, "leased_until": now + lease}
        try:
            async with self._engine.begin() as connection:
                rows = (await connection.execute(_CLAIM, values)).all()
        except (OperationalError, InterfaceError) as error:
            raise Unavailable(f"database: {error.orig}") from error
        return [Delivery(**row._mapping) for row in rows]

    async def settle(self, delivery: Delivery, attempt: Attempt) -> None:
        """See `DeliveryLedger.settle`."""
        entry = {
            "at": attempt.at.isoformat(),
            "status": attempt.status,
            "error": attempt.error,
            "latency_ms": attempt.latency_ms,
        }
        values: dict[str, Any] = {
            "state": attempt.state,
            "attempts": deliveries.c.attempts.op("||")(cast([entry], JSONB)),
        }
        if attempt.due_at is not None:
            values["due_at"] = attempt.due_at
        mine = deliveries.c.delivery_id == delivery.delivery_id
        async with self._engine.begin() as connection:
            await connection.execute(update(deliveries).where(mine).values(values))
            if attempt.disable_endpoint:
                gone = endpoints.c.endpoint_id == delivery.endpoint_id
                await connection.execute(update(endpoints).where(gone).values(enabled=False))
