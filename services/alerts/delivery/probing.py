"""A test message to an endpoint, through the same queue as everything else."""

import asyncio
import json
from typing import Any
from uuid import UUID

from services.alerts.delivery.endpoints import Endpoints
from shared.clock import Clock
from shared.pause import eventually

ANSWER_SECONDS = 16.0  # an attempt takes no longer


class Probe:
    """Queues a test and waits for what becomes of it."""

    def __init__(self, endpoints: Endpoints, clock: Clock, wake: asyncio.Event) -> None:
        self._endpoints = endpoints
        self._clock = clock
        self._wake = wake

    async def test(self, endpoint_id: UUID) -> dict[str, Any]:
        """The delivery, once it was tried, or as it is when that takes too long (another message
        may be under way, or the endpoint is disabled)."""
        data = {"endpoint_id": str(endpoint_id)}
        body = {"type": "test", "timestamp": self._clock().isoformat(), "data": data}
        delivery_id = await self._endpoints.test(endpoint_id, json.dumps(body))
        self._wake.set()
        row: dict[str, Any] = {}

        async def tried() -> bool:
            row.update(await self._endpoints.delivery(delivery_id) or {})
            return bool(row["state"] != "queued")

        await eventually(tried, ANSWER_SECONDS)
        return row
