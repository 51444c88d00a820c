"""What follows from an attempt, for its deliveries and for their endpoint. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.alerts.channels.channel import Refusal
from services.alerts.delivery import schedule
from services.alerts.delivery.sender import Answer
from services.alerts.outgoing import Purpose
from shared.disclosure.level import Level

ABOUT_CONTENT = frozenset({400, 413, 422})  # the receiver is well: it is this message
SLOW_SECONDS = 3.0
ABANDON_AFTER = timedelta(hours=120)
GONE = "410: the receiver wants no more"


@dataclass(frozen=True)
class Queued:
    """A due delivery. `tries`: since it was queued, by us or by a person."""

    delivery_id: UUID
    body: str
    tries: int
    purpose: Purpose = "integration"


@dataclass(frozen=True)
class Parcel:
    """What one message to one endpoint carries: one delivery, or several where its channel can."""

    endpoint_id: UUID
    url: str
    channel: str
    language: Any
    options: dict[str, str]
    secrets: tuple[str, ...]
    failures: int
    failing_since: datetime | None
    deliveries: tuple[Queued, ...]
    sound: bool = False  # nothing was held against the endpoint
    level: Level = Level.INTERNAL  # what the endpoint is cleared for


@dataclass(frozen=True)
class Attempt:
    """What one attempt led to. `due_at`: of the next attempt, if `state` is still queued."""

    state: str  # delivered | queued | dead
    due_at: datetime | None
    at: datetime
    status: int | None
    error: str
    latency_ms: float

    def entry(self) -> dict[str, Any]:
        """As the ledger has it."""
        return entry(self.at, self.status, self.error, self.latency_ms)


def entry(at: datetime, status: int | None, error: str, latency_ms: float) -> dict[str, Any]:
    """An attempt, or why there was none, as the ledger has it."""
    return {"at": at.isoformat(), "status": status, "error": error, "latency_ms": latency_ms}


@dataclass(frozen=True)
class Health:
    """How the endpoint is after an attempt. `not_before`: nothing is sent to it earlier;
    `abandoned`: why it is disabled from now on."""

    failures: int
    failing_since: datetime | None
    slow: bool
    not_before: datetime | None
    abandoned: str = ""


SOUND = Health(0, None, False, None)


@dataclass(frozen=True)
class Outcome:
    """One attempt, as it came out."""

    answer: Answer
    refusal: Refusal | None
    began: datetime
    seconds: float

    @property
    def delivered(self) -> bool:
        """The receiver has taken it."""
        return self.answer.delivered and self.refusal is None

    @property
    def ended(self) -> datetime:
        """When the answer was there."""
        return self.began + timedelta(seconds=self.seconds)

    @property
    def error(self) -> str:
        """In words; "" when it was delivered."""
        if self.delivered:
            return ""
        if self.answer.delivered and self.refusal is not None:
            return f"refused: {self.refusal.reason}"
        return self.answer.error or f"answered {self.answer.status}"

    @property
    def final(self) -> bool:
        """The same message will never be taken."""
        return self.answer.final or (self.refusal is not None and self.refusal.final)

    @property
    def throttled(self) -> bool:
        """The receiver wants fewer messages."""
        refused = self.refusal is not None and self.refusal.throttled
        return refused or self.answer.status == 429

    @property
    def asked_seconds(self) -> float:
        """How long the receiver wants to be left alone."""
        if self.answer.status not in (429, 503):
            return schedule.THROTTLED_SECONDS if self.throttled else 0.0
        return schedule.seconds_asked(self.answer.retry_after, self.ended)


def judge(delivery: Queued, outcome: Outcome, jitter: float) -> Attempt:
    """Delivered, tried again, or given up."""
    status, began = outcome.answer.status, outcome.began
    latency_ms = round(outcome.seconds * 1000, 1)
    if outcome.delivered:
        return Attempt("delivered", None, began, status, "", latency_ms)
    if status == 410:
        gone = f"{GONE}; the endpoint is disabled"
        return Attempt("dead", None, began, 410, gone, latency_ms)
    tries = delivery.tries + 1
    wait = schedule.seconds_to_wait(tries, outcome.asked_seconds, jitter, delivery.purpose)
    if wait is None or outcome.final:
        return Attempt("dead", None, began, status, outcome.error, latency_ms)
    due = outcome.ended + timedelta(seconds=wait)
    return Attempt("queued", due, began, status, outcome.error, latency_ms)


def health(parcel: Parcel, outcome: Outcome, spacing: float) -> Health:
    """How the endpoint is now. `spacing`: seconds that its channel keeps between messages."""
    ended, slow = outcome.ended, outcome.seconds > SLOW_SECONDS
    paced = ended + timedelta(seconds=spacing) if spacing else None
    if outcome.delivered or outcome.answer.status in ABOUT_CONTENT:
        return Health(0, None, slow, paced)
    since = parcel.failing_since or outcome.began
    if outcome.answer.status == 410:
        return Health(parcel.failures + 1, since, slow, None, GONE)
    if ended - since >= ABANDON_AFTER:
        why = f"failing for {ABANDON_AFTER.days} days, at last: {outcome.error}"
        return Health(parcel.failures + 1, since, slow, None, why)
    if outcome.throttled:  # it is alive
        wait = max(outcome.asked_seconds, spacing)
        return Health(parcel.failures, parcel.failing_since, slow, ended + timedelta(seconds=wait))
    wait = max(schedule.seconds_until_probe(parcel.failures + 1), spacing)
    later = ended + timedelta(seconds=wait) if wait else None
    return Health(parcel.failures + 1, since, slow, later)
