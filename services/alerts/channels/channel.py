"""What a channel is: how a message looks to a kind of receiver, and what its answer means. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Language = Literal["zh", "en"]
Body = Mapping[str, Any]  # a delivery's content: {"type", "timestamp", "data"}


@dataclass(frozen=True)
class Target:
    """Where to. `secrets`: the newest first; two while one is being replaced; none where the
    receiver has none. `options`: what only this kind of receiver knows."""

    url: str
    secrets: tuple[str, ...]
    language: Language = "zh"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One attempt as it goes over the wire."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Refusal:
    """A receiver that answered 2xx and refused in its body. `throttled`: it wants fewer of them;
    `final`: the same message will never be taken."""

    reason: str
    throttled: bool = False
    final: bool = False


@dataclass(frozen=True)
class Pace:
    """At most so many messages to one receiver within so many seconds."""

    messages: int
    seconds: float


class Channel(Protocol):
    """A kind of receiver. `batches`: most deliveries that one message carries, 1 for each alone."""

    name: str
    paces: Sequence[Pace]
    batches: int

    def reason_to_refuse(self, target: Target) -> str | None:
        """Why there can be no such receiver; None if there can. (Networks are judged elsewhere.)"""
        ...

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """One message for 1 to `batches` deliveries, oldest first, never above the receiver's
        size. `message_id` stays the same over attempts; `now`: of this attempt."""
        ...

    def refusal(self, body: bytes) -> Refusal | None:
        """What the body of a 2xx answer (its first 16 KiB) says against it; None: taken."""
        ...
