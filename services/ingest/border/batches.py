"""Readings → records of `city.readings`. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence

from shared.contracts.reading import Batch, Reading, encode_batch
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
        self._items: dict[int, list[Reading]] = {}
        self._sources: dict[int, list[tuple[str, int]]] = {}
        self._headers: dict[int, tuple[Header, ...]] = {}

    def add(
        self,
        partitions: Mapping[int, Sequence[Reading]],
        count: int,
        accepted_us: int,
        source: str,
    ) -> int:
        """Take a request of `count` items in; the number of its first one."""
        first, self.size = self.size, self.size + count
        self._accepted_us = self._accepted_us or accepted_us
        for partition, readings in partitions.items():
            items = self._items.setdefault(partition, [])
            items += readings if not first else [renumbered(each, first) for each in readings]
            self._account(self._sources.setdefault(partition, []), source, len(readings))
        return first

    def trace(self, partitions: Collection[int], header: Header) -> None:
        """The records of these partitions carry it, unless they have one already."""
        for partition in partitions:
            self._headers.setdefault(partition, (header,))

    def records(self) -> list[Outgoing]:
        """What to publish."""
        return [
            _record(
                partition,
                self._batch(items, self._sources[partition]),
                self._headers.get(partition, ()),
            )
            for partition, items in self._items.items()
        ]

    def _batch(self, items: list[Reading], sources: list[tuple[str, int]]) -> Batch:
        if len(sources) == 1:
            return Batch(items, self._accepted_us, sources[0][0])
        return Batch(items, self._accepted_us, "", 2, "", sources)

    @staticmethod
    def _account(sources: list[tuple[str, int]], source: str, count: int) -> None:
        if sources and sources[-1][0] == source:
            sources[-1] = (source, sources[-1][1] + count)
        else:
            sources.append((source, count))


def renumbered(reading: Reading, first: int) -> Reading:
    """The reading, counted on from `first`."""
    return Reading(
        reading.sensor_id,
        reading.metric,
        reading.observed_us,
        reading.value,
        reading.quality,
        reading.replace,
        first + reading.index,
    )


def _record(partition: int, batch: Batch, headers: tuple[Header, ...]) -> Outgoing:
    key = batch.items[0].sensor_id
    return Outgoing(READINGS, key, encode_batch(batch), headers, partition)
