"""Deliveries enter the ledger here, in the transaction of what they tell of."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store.tables import deliveries

ROWS_AT_ONCE = 500  # PostgreSQL takes 65,535 parameters per statement
Purpose = Literal["integration", "paging", "test"]


@dataclass(frozen=True)
class Outgoing:
    """One message for one endpoint. `event_id`: what it tells of; with the endpoint it gives the
    delivery its id, so that nothing is queued twice. `body`: JSON {"type", "timestamp", "data"}.
    `created_at` orders an endpoint's deliveries. `purpose`: `paging` is tried for some minutes
    only and then goes to the first of `fallbacks`, which are further endpoints of `person`."""

    endpoint_id: UUID
    event_id: UUID
    incident_id: UUID
    type: str
    body: str
    due_at: datetime
    created_at: datetime
    purpose: Purpose = "integration"
    person: str | None = None
    fallbacks: tuple[UUID, ...] = ()

    @property
    def delivery_id(self) -> UUID:
        """The webhook-id: stable over attempts and restarts."""
        return uuid5(self.endpoint_id, str(self.event_id))


async def queue(connection: AsyncConnection, messages: Sequence[Outgoing]) -> None:
    """Write deliveries that wait to be sent."""
    rows = [
        asdict(one)
        | {
            "delivery_id": one.delivery_id,
            "fallbacks": list(one.fallbacks),
            "state": "queued",
            "attempts": [],
        }
        for one in messages
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await connection.execute(insert(deliveries), rows[start : start + ROWS_AT_ONCE])
