"""Records of `city.readings` on their way into the database. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from services.ingest.storage.fold import Arrival, Origin, arrival_of
from shared.contracts.reading import Batch, decode_batch
from shared.eventlog.log import Record
from shared.tracing import Header


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record: its batch, or None and the `flaw` that keeps it from being one."""

    partition: int
    offset: int
    raw: bytes
    batch: Batch | None
    flaw: str = ""
    logged_us: int = 0
    headers: tuple[Header, ...] = ()

    @property
    def rows(self) -> int:
        """How many readings it carries."""
        return len(self.batch.items) if self.batch is not None else 1

    def arrivals(self) -> Iterator[Arrival]:
        """Its readings."""
        if self.batch is None:
            return
        for source, readings in self.batch.by_source():
            origin = Origin(self.partition, self.offset, source)
            for reading in readings:
                yield arrival_of(reading, origin)


def deliver(record: Record) -> Delivery:
    """A record as read, decoded."""
    try:
        batch = decode_batch(record.value)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        flaw = f"not a batch of readings: {error}"[:300]
        return Delivery(record.partition, record.offset, record.value, None, flaw, record.logged_us)
    return Delivery(
        record.partition, record.offset, b"", batch, "", record.logged_us, record.headers
    )


def next_offsets(deliveries: Sequence[Delivery]) -> dict[int, int]:
    """Partition → offset after its last delivery."""
    following: dict[int, int] = {}
    for delivery in deliveries:
        following[delivery.partition] = max(
            following.get(delivery.partition, 0), delivery.offset + 1
        )
    return following
