"""Takes due deliveries from the ledger, posts them, writes down what happened.

Per endpoint one at a time and in order; endpoints are independent, so a dead one delays nobody.
While a failed delivery is tried again quickly, the later ones wait. One that the receiver refuses
(4xx) or that has failed for minutes holds up only the later steps of its own incident.
"""

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.alerts.delivery import signing
from services.alerts.delivery.sender import Answer
from services.alerts.metrics import DELIVERIES, DELIVERY_SECONDS
from shared.clock import Clock, monotonic

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
AT_ONCE = 32
LEASE_SECONDS = 20  # longer than an attempt; one whose process died is taken up again after this


@dataclass(frozen=True)
class Delivery:
    """One due delivery with what is needed to send it."""

    delivery_id: UUID
    endpoint_id: UUID
    url: str
    secret: str
    body: str
    attempts: int


@dataclass(frozen=True)
class Attempt:
    """What one attempt led to. `due_at`: of the next attempt, if `state` is still queued."""

    state: str  # delivered | queued | dead
    due_at: datetime | None
    at: datetime
    status: int | None
    error: str
    latency_ms: float
    disable_endpoint: bool = False


class DeliveryLedger(Protocol):
    """Where deliveries are kept."""

    async def claim(self, busy: set[UUID], limit: int, lease: timedelta) -> list[Delivery]:
        """The due delivery whose turn it is, of each enabled endpoint that is not busy; leased."""
        ...

    async def settle(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write an attempt down."""
        ...


class Poster(Protocol):
    """Sends."""

    async def post(self, url: str, headers: dict[str, str], body: str) -> Answer:
        """One attempt."""
        ...


class Deliverer:
    """The job that empties the ledger's queue."""

    def __init__(
        self, ledger: DeliveryLedger, poster: Poster, clock: Clock, wake: asyncio.Event
    ) -> None:
        self._ledger = ledger
        self._poster = poster
        self._clock = clock
        self._wake = wake
        self._busy: dict[UUID, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then waits for what is under way."""
        lease = timedelta(seconds=LEASE_SECONDS)
        try:
            while not stop.is_set():
                self._wake.clear()
                room = AT_ONCE - len(self._busy)
                due = await self._ledger.claim(set(self._busy), room, lease) if room else []
                for delivery in due:
                    self._start(delivery)
                if not due:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
        finally:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _start(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._deliver(delivery))
        self._busy[delivery.endpoint_id] = task
        task.add_done_callback(lambda done: self._finished(delivery.endpoint_id, done))

    def _finished(self, endpoint: UUID, task: "asyncio.Task[None]") -> None:
        self._busy.pop(endpoint, None)
        self._wake.set()  # the endpoint's next one may go
        if not task.cancelled() and task.exception() is not None:
            _log.error("a delivery's outcome was not written", exc_info=task.exception())

    async def _deliver(self, delivery: Delivery) -> None:
        now = self._clock()
        headers = signing.headers(delivery.secret, str(delivery.delivery_id), now, delivery.body)
        started = monotonic()
        answer = await self._poster.post(delivery.url, headers, delivery.body)
        seconds = monotonic() - started
        DELIVERY_SECONDS.observe(seconds)
        attempt = judge(delivery, answer, now, seconds)
        DELIVERIES.labels(attempt.state).inc()
        await self._ledger.settle(delivery, attempt)


def judge(delivery: Delivery, answer: Answer, began: datetime, seconds: float) -> Attempt:
    """What follows from an answer that took `seconds`: delivered, tried again, or given up."""
    latency_ms = round(seconds * 1000, 1)
    if answer.delivered:
        return Attempt("delivered", None, began, answer.status, "", latency_ms)
    if answer.status == 410:
        gone = "410: the receiver wants no more; the endpoint is disabled"
        return Attempt("dead", None, began, 410, gone, latency_ms, disable_endpoint=True)
    error = answer.error or f"answered {answer.status}"
    ended = began + timedelta(seconds=seconds)
    asked = 0.0
    if answer.status in (429, 503):
        asked = signing.seconds_asked(answer.retry_after, ended)
    wait = signing.seconds_to_wait(delivery.attempts + 1, asked, random.uniform(-0.2, 0.2))
    if wait is None:
        return Attempt("dead", None, began, answer.status, error, latency_ms)
    due = ended + timedelta(seconds=wait)
    return Attempt("queued", due, began, answer.status, error, latency_ms)
