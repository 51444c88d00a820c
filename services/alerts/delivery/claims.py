"""The deliverer's ledger on PostgreSQL: whose turn it is, and what became of it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import cast, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.channels.registry import CHANNELS
from services.alerts.connection import reachable
from services.alerts.delivery import abandonment, schedule
from services.alerts.delivery.verdict import Attempt, Health, Parcel, Queued
from services.alerts.outgoing import Outgoing, queue
from shared.clock import Clock
from shared.store.tables import deliveries, endpoints

# Endpoints with something queued, found by skipping through the index; of each the first of the
# queue that is due, unless an earlier one that is being tried again quickly holds it up. Steps of
# one incident never overlap each other.
_CLAIM = text("""
WITH RECURSIVE waiting AS (
  (SELECT endpoint_id FROM alerts.deliveries WHERE state = 'queued'
   ORDER BY endpoint_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.endpoint_id FROM alerts.deliveries d
          WHERE d.state = 'queued' AND d.endpoint_id > w.endpoint_id
          ORDER BY d.endpoint_id LIMIT 1)
  FROM waiting w WHERE w.endpoint_id IS NOT NULL
), turns AS (
  SELECT head.delivery_id FROM waiting w
  JOIN alerts.endpoints e ON e.endpoint_id = w.endpoint_id
  CROSS JOIN LATERAL (
    SELECT d.delivery_id, d.due_at FROM alerts.deliveries d
    WHERE d.endpoint_id = e.endpoint_id AND d.state = 'queued'
      AND (d.due_at <= :now OR (
        d.tries <= :quick
        AND coalesce((d.attempts -> -1 ->> 'status')::int, 0) NOT BETWEEN 400 AND 499
        OR (d.attempts -> -1 ->> 'status')::int IN (408, 429)))
      AND NOT EXISTS (
        SELECT FROM alerts.deliveries p WHERE p.endpoint_id = d.endpoint_id
          AND p.incident_id = d.incident_id AND p.state = 'queued'
          AND (p.created_at, p.delivery_id) < (d.created_at, d.delivery_id))
    ORDER BY d.created_at, d.delivery_id LIMIT 1
  ) head
  WHERE e.enabled AND NOT e.endpoint_id = ANY(:busy) AND head.due_at <= :now
    AND coalesce(e.not_before <= :now, true) AND (e.failures > 0 OR e.slow) = :troubled
  ORDER BY head.due_at LIMIT :limit
), due AS (
  SELECT d.delivery_id FROM alerts.deliveries d JOIN turns USING (delivery_id)
  WHERE d.state = 'queued' AND d.due_at <= :now FOR UPDATE OF d SKIP LOCKED
)
UPDATE alerts.deliveries d SET due_at = :leased_until
FROM due, alerts.endpoints e
WHERE d.delivery_id = due.delivery_id AND e.endpoint_id = d.endpoint_id
RETURNING d.delivery_id, d.endpoint_id, d.body, d.tries, d.purpose, e.url, e.channel, e.language,
          e.options, e.secret, e.previous_secret, e.previous_until, e.failures, e.failing_since
""")
# What else may come along in the same message.
_COMPANIONS = text("""
WITH more AS (
  SELECT d.delivery_id FROM unnest(CAST(:endpoints AS uuid[]), CAST(:most AS int[])) AS p (id, most)
  CROSS JOIN LATERAL (
    SELECT delivery_id FROM alerts.deliveries
    WHERE endpoint_id = p.id AND state = 'queued' AND due_at <= :now
    ORDER BY created_at, delivery_id LIMIT p.most FOR UPDATE SKIP LOCKED
  ) AS d
)
UPDATE alerts.deliveries d SET due_at = :leased_until FROM more
WHERE d.delivery_id = more.delivery_id
RETURNING d.delivery_id, d.endpoint_id, d.body, d.tries, d.purpose, d.created_at
""")
_BROKEN = "not sent: the receiver is not reachable now"


class Claims:
    """See `deliverer.DeliveryLedger`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def claim(
        self, busy: set[UUID], limit: int, lease: timedelta, *, troubled: bool
    ) -> list[Parcel]:
        """See `DeliveryLedger.claim`."""
        now = self._clock()
        times = {"now": now, "leased_until": now + lease}
        values = {"busy": list(busy), "limit": limit, "troubled": troubled}
        values |= times | {"quick": schedule.PAGING_ATTEMPTS}
        async with reachable(self._engine.begin()) as connection:
            if troubled:
                await self._fail_over(connection, now)
            heads = (await connection.execute(_CLAIM, values)).all()
            along = await _companions(connection, heads, times)
        return [_parcel(head, along[head.endpoint_id], now) for head in heads]

    async def settle(self, parcel: Parcel, attempts: Sequence[Attempt], health: Health) -> None:
        """See `DeliveryLedger.settle`. A page that is given up goes to the next of its person's
        contacts; what was queued for a receiver that is gone is dead."""
        async with reachable(self._engine.begin()) as connection:
            mine = endpoints.c.endpoint_id == parcel.endpoint_id
            values = {
                "failures": health.failures, "failing_since": health.failing_since,
                "slow": health.slow, "not_before": health.not_before,
            }  # fmt: skip
            await connection.execute(update(endpoints).where(mine).values(values))
            for delivery, attempt in zip(parcel.deliveries, attempts, strict=True):
                await self._write(connection, delivery, attempt)
            if health.abandoned:
                await self._abandon(connection, parcel, health.abandoned)

    async def _write(self, connection: AsyncConnection, delivery: Queued, attempt: Attempt) -> None:
        entry = _entry(attempt.at, attempt.status, attempt.error, attempt.latency_ms)
        state: Any = attempt.state
        if attempt.state == "queued":  # unless its endpoint was removed meanwhile
            state = deliveries.c.state
        values: dict[str, Any] = {"state": state, "attempts": _and(entry)}
        values["tries"] = delivery.tries + 1
        if attempt.due_at is not None:
            values["due_at"] = attempt.due_at
        mine = deliveries.c.delivery_id == delivery.delivery_id
        await connection.execute(update(deliveries).where(mine).values(values))
        if attempt.state == "dead" and delivery.purpose == "paging":
            await _hand_on(connection, [delivery.delivery_id], attempt.at)

    async def _abandon(self, connection: AsyncConnection, parcel: Parcel, why: str) -> None:
        mine = endpoints.c.endpoint_id == parcel.endpoint_id
        row = (
            await connection.execute(
                update(endpoints).where(mine).values(enabled=False).returning(endpoints.c.name)
            )
        ).one()
        await bury(
            connection, parcel.endpoint_id, f"{why}; the endpoint is disabled", self._clock()
        )
        await abandonment.tell(connection, parcel, row.name, why, self._clock())

    async def _fail_over(self, connection: AsyncConnection, now: datetime) -> None:
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
        if not stuck:
            return
        values = {"state": "dead", "attempts": _and(_entry(now, None, _BROKEN, 0.0))}
        chosen = deliveries.c.delivery_id.in_(stuck)
        await connection.execute(update(deliveries).where(chosen).values(values))
        await _hand_on(connection, stuck, now)


async def bury(connection: AsyncConnection, endpoint_id: UUID, why: str, now: datetime) -> None:
    """What was queued for an endpoint is dead; pages go to the next contact."""
    queued = (deliveries.c.endpoint_id == endpoint_id) & (deliveries.c.state == "queued")
    values = {"state": "dead", "attempts": _and(_entry(now, None, why, 0.0))}
    statement = update(deliveries).where(queued).values(values)
    dead = await connection.execute(statement.returning(deliveries.c.delivery_id))
    await _hand_on(connection, list(dead.scalars()), now)


async def _hand_on(connection: AsyncConnection, dead: Sequence[UUID], now: datetime) -> None:
    """Queue pages that are dead for the first of their fallbacks."""
    query = select(deliveries).where(
        deliveries.c.delivery_id.in_(dead), deliveries.c.fallbacks != []
    )
    rows = (await connection.execute(query)).all()
    following = [
        Outgoing(
            row.fallbacks[0], row.event_id, row.incident_id, row.type, row.body, now, now,
            "paging", row.person, tuple(row.fallbacks[1:]),
        )
        for row in rows
    ]  # fmt: skip
    await queue(connection, following)


async def _companions(
    connection: AsyncConnection, heads: Sequence[Any], times: dict[str, datetime]
) -> dict[UUID, list[Queued]]:
    """Further deliveries of the endpoints whose channel takes several at once."""
    along: dict[UUID, list[Queued]] = defaultdict(list)
    roomy = {
        head.endpoint_id: CHANNELS[head.channel].batches - 1
        for head in heads
        if CHANNELS[head.channel].batches > 1 and head.purpose != "test"
    }
    if roomy:
        values = {"endpoints": list(roomy), "most": list(roomy.values()), **times}
        rows = (await connection.execute(_COMPANIONS, values)).all()
        for row in sorted(rows, key=lambda row: (row.created_at, row.delivery_id)):
            along[row.endpoint_id].append(_queued(row))
    return along


def _parcel(head: Any, along: Sequence[Queued], now: datetime) -> Parcel:
    secrets = [head.secret] if head.secret else []
    if head.previous_secret and head.previous_until and head.previous_until > now:
        secrets.append(head.previous_secret)
    return Parcel(
        head.endpoint_id, head.url, head.channel, head.language, head.options, tuple(secrets),
        head.failures, head.failing_since, (_queued(head), *along),
    )  # fmt: skip


def _queued(row: Any) -> Queued:
    return Queued(row.delivery_id, row.body, row.tries, row.purpose)


def _entry(at: datetime, status: int | None, error: str, latency_ms: float) -> dict[str, Any]:
    return {"at": at.isoformat(), "status": status, "error": error, "latency_ms": latency_ms}


def _and(entry: dict[str, Any]) -> Any:
    return deliveries.c.attempts.op("||")(cast([entry], JSONB))
