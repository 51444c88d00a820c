"""Takes due deliveries from the ledger, sends them, writes down what happened.

Per endpoint one message at a time and in order; endpoints are independent, and those that fail or
are slow share a bounded part of the places, so none of them delays the others. While a failed
delivery is tried again quickly, the later ones wait. One that the receiver refuses (4xx) or that
has failed for minutes holds up only the later steps of its own incident.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.alerts.channels.channel import Body, Refusal, Target
from services.alerts.channels.registry import named
from services.alerts.delivery import schedule, verdict
from services.alerts.delivery.sender import Answer
from services.alerts.delivery.verdict import Attempt, Health, Outcome, Parcel, Queued
from services.alerts.metrics import DELIVERIES, DELIVERY_SECONDS
from shared.clock import Clock, monotonic
from shared.disclosure.level import Level

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # for what another process has left; what is ours is known
TROUBLED_SECONDS = 0.2
AT_ONCE = 256
TROUBLED_AT_ONCE = 96  # of them for endpoints that failed, or were slow, the last time
WORTH_A_LOOK = 48  # places free before the ledger is asked again, while many are under way
LEASE_SECONDS = 20  # longer than an attempt; one whose process died is taken up again after this


class Queue(Protocol):
    """Where deliveries wait."""

    async def claim(
        self, busy: set[UUID], limit: int, lease: timedelta, *, troubled: bool
    ) -> list[Parcel]:
        """What is due and has its turn, of enabled endpoints that are not busy; leased. Either of
        those in trouble, or of those that are well."""
        ...


class Ledger(Protocol):
    """Where it is written what became of them."""

    async def settle(self, parcel: Parcel, attempts: Sequence[Attempt], health: Health) -> None:
        """Write an attempt down: what became of each delivery, and of the endpoint."""
        ...


class Poster(Protocol):
    """Sends."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One attempt."""
        ...


# What of a body an endpoint of a level may be told; None: nothing.
Told = Callable[[Body, Level], Body | None]


class Deliverer:
    """The job that empties the ledger's queue."""

    def __init__(
        self,
        queue: Queue,
        ledger: Ledger,
        poster: Poster,
        clock: Clock,
        wake: asyncio.Event,
        told: Told = lambda body, _: body,
    ) -> None:
        self._queue = queue
        self._ledger = ledger
        self._poster = poster
        self._clock = clock
        self._wake = wake
        self._told = told
        self._well: dict[UUID, asyncio.Task[None]] = {}
        self._troubled: dict[UUID, asyncio.Task[None]] = {}
        self._looked_at_troubled = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then waits for what is under way."""
        try:
            while not stop.is_set():
                self._wake.clear()
                if not await self._take():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
        finally:
            under_way = [*self._well.values(), *self._troubled.values()]
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _take(self) -> bool:
        """Start what is due and has a place; whether there was anything."""
        lease, busy = timedelta(seconds=LEASE_SECONDS), {*self._well, *self._troubled}
        found = False
        for places, most, troubled in (
            (self._well, AT_ONCE - TROUBLED_AT_ONCE, False),
            (self._troubled, TROUBLED_AT_ONCE, True),
        ):
            room = most - len(places)
            if room < min(WORTH_A_LOOK, most) or (troubled and not self._troubled_are_due()):
                continue
            for parcel in await self._queue.claim(busy, room, lease, troubled=troubled):
                self._start(parcel, places)
                found = True
        return found

    def _troubled_are_due(self) -> bool:
        """Who is in trouble does not mind a moment: no look at them after every delivery."""
        now = monotonic()
        if now - self._looked_at_troubled < TROUBLED_SECONDS:
            return False
        self._looked_at_troubled = now
        return True

    def _start(self, parcel: Parcel, places: "dict[UUID, asyncio.Task[None]]") -> None:
        task = asyncio.create_task(self._deliver(parcel))
        places[parcel.endpoint_id] = task
        task.add_done_callback(lambda done: self._finished(parcel.endpoint_id, places, done))

    def _finished(
        self, endpoint: UUID, places: "dict[UUID, asyncio.Task[None]]", task: "asyncio.Task[None]"
    ) -> None:
        places.pop(endpoint, None)
        self._wake.set()  # the endpoint's next one may go
        if not task.cancelled() and task.exception() is not None:
            _log.error("a delivery's outcome was not written", exc_info=task.exception())

    async def _deliver(self, parcel: Parcel) -> None:
        outcome = await self._attempt(parcel)
        DELIVERY_SECONDS.observe(outcome.seconds)
        jitter = random.uniform(-0.2, 0.2)
        attempts = [verdict.judge(one, outcome, jitter) for one in parcel.deliveries]
        for attempt in attempts:
            DELIVERIES.labels(attempt.state).inc()
        spacing = schedule.seconds_between(named(parcel.channel).paces)
        health = verdict.health(parcel, outcome, spacing)
        await self._ledger.settle(parcel, attempts, health)
        if health.not_before is not None:
            self._look_at(health.not_before)

    def _look_at(self, moment: datetime) -> None:
        """Then the endpoint may be sent its next one."""
        wait = max(0.0, (moment - self._clock()).total_seconds())
        asyncio.get_running_loop().call_later(wait, self._wake.set)

    def _disclosed(self, one: Queued, level: Level) -> Body | None:
        body: Body = json.loads(one.body)
        return body if one.purpose == "test" else self._told(body, level)

    async def _attempt(self, parcel: Parcel) -> Outcome:
        channel, began, started = named(parcel.channel), self._clock(), monotonic()
        target = Target(parcel.url, parcel.secrets, parcel.language, parcel.options)
        bodies = [self._disclosed(one, parcel.level) for one in parcel.deliveries]
        if None in bodies:
            refusal = Refusal("the endpoint is not cleared for what this tells", final=True)
            return Outcome(Answer(200), refusal, began, 0.0)
        message_id = str(parcel.deliveries[0].delivery_id)
        try:
            told = [body for body in bodies if body is not None]
            message = channel.message(target, message_id, told, began)
        except Exception as error:  # a message that cannot be made must not stop the others
            _log.exception("a %s message could not be made", parcel.channel)
            refusal = Refusal(f"the message could not be made: {error}", final=True)
            return Outcome(Answer(200), refusal, began, 0.0)
        answer = await self._poster.post(message.url, message.headers, message.body)
        refusal_ = channel.refusal(answer.body) if answer.delivered else None
        return Outcome(answer, refusal_, began, monotonic() - started)
