"""Whose turn it is: deliveries as the deliverer takes them from the ledger on PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.channels.registry import CHANNELS
from services.alerts.connection import reachable
from services.alerts.delivery import burial, schedule
from services.alerts.delivery.verdict import Parcel, Queued
from shared.clock import Clock
from shared.disclosure.level import BY_CODE

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
  SELECT d.delivery_id FROM alerts.deliveries d
  WHERE d.delivery_id = ANY(ARRAY(SELECT delivery_id FROM turns))
    AND d.state = 'queued' AND d.due_at <= :now FOR UPDATE SKIP LOCKED
)
UPDATE alerts.deliveries d SET due_at = :leased_until
FROM due, alerts.endpoints e
WHERE d.delivery_id = due.delivery_id AND e.endpoint_id = d.endpoint_id
RETURNING d.delivery_id, d.endpoint_id, d.body, d.tries, d.purpose, e.url, e.channel, e.language,
          e.options, e.secret, e.previous_secret, e.previous_until, e.failures, e.failing_since,
          e.level, e.failures = 0 AND NOT e.slow AND e.not_before IS NULL AS sound
""")
# What else may come along in the same message.
_COMPANIONS = text("""
WITH more AS MATERIALIZED (
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


class Claims:
    """See `deliverer.Queue`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def claim(
        self, busy: set[UUID], limit: int, lease: timedelta, *, troubled: bool
    ) -> list[Parcel]:
        """See `deliverer.Queue.claim`."""
        now = self._clock()
        times = {"now": now, "leased_until": now + lease}
        values = {"busy": list(busy), "limit": limit, "troubled": troubled}
        values |= times | {"quick": schedule.PAGING_ATTEMPTS}
        async with reachable(self._engine.begin()) as connection:
            if troubled:
                await burial.fail_over(connection, now)
            heads = (await connection.execute(_CLAIM, values)).all()
            along = await _companions(connection, heads, times)
        return [_parcel(head, along[head.endpoint_id], now) for head in heads]


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
        head.failures, head.failing_since, (_queued(head), *along), head.sound, BY_CODE[head.level],
    )  # fmt: skip


def _queued(row: Any) -> Queued:
    return Queued(row.delivery_id, row.body, row.tries, row.purpose)
