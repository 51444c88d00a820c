"""What the tests of delivery share: a deliverer on a clock that can be put forward."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.delivery.claims import Claims
from services.alerts.delivery.deliverer import Deliverer
from services.alerts.delivery.endpoints import Endpoints
from services.alerts.delivery.mail_sender import MailSender
from services.alerts.delivery.posting import Posting
from services.alerts.delivery.sender import Sender
from services.alerts.delivery.settlement import Settlement
from services.alerts.outgoing import Outgoing, Purpose, queue
from shared.clock import system_clock
from tests.integration.alerting import LOOPBACK
from tests.waiting import eventually

NOWHERE = "http://127.0.0.1:9/"
TEST_BODY = '{"type":"test","timestamp":"2026-05-01T00:00:00Z","data":{}}'


@dataclass
class Later:
    """A clock that can be put forward: retries are waited for without waiting."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


class Desk:
    """A deliverer and its ledger, on a clock that can be put forward."""

    def __init__(self, engine: AsyncEngine, posting: Posting | None = None) -> None:
        self.engine = engine
        self.clock = Later()
        self.endpoints = Endpoints(engine, self.clock)
        self.posting = posting or Posting(Sender(LOOPBACK), MailSender(None))
        self.stop, self.wake = asyncio.Event(), asyncio.Event()
        deliverer = Deliverer(
            Claims(engine, self.clock),
            Settlement(engine, self.clock),
            self.posting,
            self.clock,
            self.wake,
        )
        self.running = asyncio.create_task(deliverer.run(self.stop))

    async def queue(
        self,
        endpoint_id: UUID,
        count: int = 1,
        *,
        purpose: Purpose = "integration",
        fallbacks: tuple[UUID, ...] = (),
        body: str = TEST_BODY,
    ) -> list[Outgoing]:
        """Queue so many messages, each of an incident of its own."""
        now = self.clock()
        person = "li" if purpose == "paging" else None
        made = [
            Outgoing(
                endpoint_id, uuid4(), uuid4(), "page", body, now,
                now + timedelta(microseconds=place), purpose, person, fallbacks,
            )
            for place in range(count)
        ]  # fmt: skip
        async with self.engine.begin() as connection:
            await queue(connection, made)
        return made

    async def rows(self) -> list[dict[str, Any]]:
        """The ledger, oldest first."""
        return (await self.endpoints.deliveries(limit=500))[::-1]

    async def attempts(self, at_least: int) -> list[dict[str, Any]]:
        """The ledger once so many attempts are in it."""

        async def enough() -> bool:
            assert not self.running.done(), self.running.exception()
            return sum(len(row["attempts"]) for row in await self.rows()) >= at_least

        assert await eventually(enough, 20), await self.rows()
        return await self.rows()

    async def close(self) -> None:
        self.stop.set()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.posting.close()
