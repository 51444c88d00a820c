"""The event log's Protocol. Both implementations pass `tests/contract/test_eventlog.py`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to publish. `partition` None: derived from the key by `topics.partition_of`."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read. `logged_us`: epoch microseconds at which the log took it."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    logged_us: int


class Consumer(Protocol):
    """A member of a consumer group on one topic: at-least-once, in order per partition."""

    async def batch(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """Up to `max_records` next records; empty after `timeout_seconds` without any.

        Advances the member's own position, not the group's. Raises `Unavailable`.
        """
        ...

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Commit per partition the offset of the NEXT record to read. The last step of a batch."""
        ...


class Reader(Protocol):
    """Reads a topic from given positions, alone, without a group and without commits."""

    async def batch(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """As `Consumer.batch`."""
        ...


class EventLog(Protocol):
    """A durable, partitioned, append-only log."""

    async def publish(self, records: Sequence[Outgoing]) -> list[Position]:
        """Append; returns once every record is durable, positions in the order given.

        Raises `Unavailable` (nothing is known to be durable: the caller may repeat) or its
        subclass `Overloaded` (a bound is reached).
        """
        ...

    def consume(self, topic: str, group: str) -> AbstractAsyncContextManager[Consumer]:
        """Join `group`: starts at its committed offsets, else at the beginning of the log."""
        ...

    def read(self, topic: str, start: Mapping[int, int]) -> AbstractAsyncContextManager[Reader]:
        """Read from `start` (partition → first offset); a partition not named starts at its
        beginning; a position that is already dropped moves to the oldest one kept."""
        ...

    async def ends(self, topic: str) -> dict[int, int]:
        """Partition → offset the next record will get. Every partition of the topic is named."""
        ...

    async def starts(self, topic: str) -> dict[int, int]:
        """Partition → oldest offset kept."""
        ...

    async def lag(self, topic: str, group: str) -> int:
        """Records that `group` has not committed yet."""
        ...

    async def incarnation(self) -> str:
        """Identifies this log's life: offsets of another incarnation mean nothing here."""
        ...

    async def create_topics(self) -> None:
        """Make every topic of `topics.TOPICS` that is missing. Idempotent."""
        ...

    async def close(self) -> None:
        """Flush and release. Idempotent."""
        ...
