"""Readings → records of `city.readings`. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from shared.contracts.reading import Batch, EncodedItems, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Outgoing
from shared.tracing import Header

RECORD_ITEMS = 1_000  # so that a consumer that counts records knows roughly what it asks for
TRACED_ITEMS = 500  # of a record whose readings each bring up to half a KiB of trace


def to_records(
    partitions: Mapping[int, Sequence[Reading]],
    accepted_us: int,
    source: str,
    trace: Callable[[Sequence[Reading]], str] | None = None,
    headers: tuple[Header, ...] = (),
) -> list[Outgoing]:
    """One record per partition; more only where a partition has over `RECORD_ITEMS` readings.

    `trace`: what is kept of where some readings came from; `headers`: of each record.
    """
    most = RECORD_ITEMS if trace is None else TRACED_ITEMS
    records = []
    for partition, readings in partitions.items():
        for start in range(0, len(readings), most):
            some = list(readings[start : start + most])
            known = "" if trace is None else trace(some)
            batch = Batch(some, accepted_us, source, trace=known)
            records.append(_record(partition, batch, headers))
    return records


class Shared:
    """Records that several requests share: one per partition."""

    def __init__(self) -> None:
        self.size = 0  # items numbered so far, the refused ones too
        self._accepted_us = 0
        self._begun: dict[int, _Begun] = {}

    def add(
        self, partitions: Mapping[int, list[Reading]], count: int, accepted_us: int, source: str
    ) -> int:
        """Take a request of `count` items in; the number of its first one. Its readings are let go:
        thousands wait for the log at a time."""
        first, self.size = self.size, self.size + count
        self._accepted_us = self._accepted_us or accepted_us
        for partition, readings in partitions.items():
            count_on(readings, first)
            begun = self._begun.get(partition) or self._begin(partition, readings[0])
            begun.add(readings, source)
            readings.clear()
        return first

    def add_one(self, partition: int, reading: Reading, accepted_us: int, source: str) -> int:
        """The same for a request of a single item."""
        reading.index = first = self.size
        self.size += 1
        self._accepted_us = self._accepted_us or accepted_us
        begun = self._begun.get(partition) or self._begin(partition, reading)
        begun.add_one(reading, source)
        return first

    def _begin(self, partition: int, first: Reading) -> "_Begun":
        begun = self._begun[partition] = _Begun(first.sensor_id)
        return begun

    def trace(self, partitions: Collection[int], header: Header) -> None:
        """The records of these partitions carry it, unless they have one already."""
        for partition in partitions:
            begun = self._begun[partition]
            begun.headers = begun.headers or (header,)

    def records(self) -> list[Outgoing]:
        """What to publish."""
        return [
            Outgoing(READINGS, begun.key, begun.value(self._accepted_us), begun.headers, partition)
            for partition, begun in self._begun.items()
        ]


class _Begun:
    """A record that gathers. `sources`: as a batch has them."""

    __slots__ = ("_items", "headers", "key", "sources")

    def __init__(self, key: str) -> None:
        self.key = key
        self.headers: tuple[Header, ...] = ()
        self.sources: list[tuple[str, int]] = []
        self._items = EncodedItems()

    def add(self, readings: Sequence[Reading], source: str) -> None:
        self._items.add(readings)
        self._count(source, len(readings))

    def add_one(self, reading: Reading, source: str) -> None:
        self._items.add_one(reading)
        self._count(source, 1)

    def _count(self, source: str, more: int) -> None:
        sources = self.sources
        if sources and sources[-1][0] == source:
            more += sources.pop()[1]
        sources.append((source, more))

    def value(self, accepted_us: int) -> bytes:
        if len(self.sources) == 1:
            return self._items.batch(Batch([], accepted_us, self.sources[0][0]))
        return self._items.batch(Batch([], accepted_us, "", 2, "", self.sources))


def count_on(readings: Iterable[Reading], first: int) -> None:
    """Number the readings on from `first`."""
    if first:
        for reading in readings:
            reading.index += first


def _record(partition: int, batch: Batch, headers: tuple[Header, ...]) -> Outgoing:
    key = batch.items[0].sensor_id
    return Outgoing(READINGS, key, encode_batch(batch), headers, partition)
