"""What an engine keeps, and where: snapshots, positions, and what it has said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.alerts.judging.transition import Place, Span, Transition
from shared.errors import YiwangError


class Overtaken(YiwangError):
    """Another engine has written this partition meanwhile: what we judged of it is void."""


@dataclass(frozen=True)
class Snapshot:
    """State before the record at `next_offset`; see `memory` for `form` and `kept`."""

    next_offset: int
    form: int
    kept: bytes


@dataclass(frozen=True)
class Kept:
    """What the store has of a partition: the next offset after what has been said, and the
    snapshots to begin with: its own, or else (`own` False) those that may hold parts of it."""

    written: int
    own: bool
    snapshots: Sequence[Snapshot]


class Store(Protocol):
    """Where snapshots, alerts and positions of one topic are kept."""

    async def reached(self) -> Mapping[int, int]:
        """Partition → the furthest offset that is written or in a snapshot."""
        ...

    async def forget_beyond(self, ends: Mapping[int, int]) -> None:
        """Drop positions past the log's ends: such a log was made anew."""
        ...

    async def load(self, partition: int) -> Kept:
        """What is kept of a partition."""
        ...

    async def apply(
        self,
        span: Span,
        transitions: Sequence[Transition],
        places: Mapping[str, Place],
        snapshot: Snapshot | None = None,
    ) -> None:
        """Write it all in one transaction.

        Raises `Overtaken` when the partition's written position is not `span.first`.
        """
        ...
