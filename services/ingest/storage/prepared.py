"""A portion of the log, made ready for the database before its turn comes. Pure, and hot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.ingest.storage.copyrows import EPOCH_US, encode_rows, pack_tail, rows_of, stream
from services.ingest.storage.delivery import Delivery
from services.ingest.storage.fold import (
    FIRST_US,
    LAST_US,
    QUALITIES,
    Arrival,
    Folded,
    fold,
)
from services.ingest.storage.marks import Marks
from shared.contracts.reading import Reading

_LARGEST = 1.7976931348623157e308  # what is beyond, or is no number, is left to `fold`


@dataclass(frozen=True, slots=True)
class Prepared:
    """`fresh`: how many rows `copied` holds, a COPY stream of readings each newer than its
    series' mark; the others, in log order, are `folded`, and the plain ones of these encoded in
    `folded_rows`. Stored in this order, every key sees its readings in log order."""

    deliveries: Sequence[Delivery]
    fresh: int
    copied: bytes
    folded: Folded
    folded_rows: bytes

    @property
    def rows(self) -> int:
        """How many readings it carries."""
        return sum(delivery.rows for delivery in self.deliveries)

    @property
    def earliest_us(self) -> int:
        """Time of its oldest reading that a row can hold; `LAST_US` without any."""
        times = (reading.observed_us for reading in self.readings())
        return min((at for at in times if FIRST_US <= at <= LAST_US), default=LAST_US)

    def series(self) -> set[tuple[str, str]]:
        """Every (sensor, metric) in it."""
        storable = (r for r in self.readings() if "\0" not in r.sensor_id + r.metric)
        return {(reading.sensor_id, reading.metric) for reading in storable}

    def readings(self) -> Iterator[Reading]:
        """Every reading, in log order."""
        for delivery in self.deliveries:
            if delivery.batch is not None:
                yield from delivery.batch.items


def prepare(deliveries: Sequence[Delivery], marks: Marks) -> Prepared:
    """Split at the marks, which move along; encode."""
    rows: list[bytes] = []
    older: list[Arrival] = []
    for delivery in deliveries:
        if delivery.batch is not None and (late := _split(delivery.batch.items, marks, rows)):
            older += (arrival for arrival in delivery.arrivals() if id(arrival.reading) in late)
    return _prepared(deliveries, len(rows), stream(rows), older)


def prepare_carefully(deliveries: Sequence[Delivery]) -> Prepared:
    """As if every reading might be stored already."""
    return _prepared(deliveries, 0, b"", list(_arrivals(deliveries)))


def _split(readings: Sequence[Reading], marks: Marks, rows: list[bytes]) -> set[int]:
    """Encode what is newer than its mark; the others, by `id`.

    A reading passes its series' mark at most once, so that no key is twice among `rows`, and what
    comes later under that key is not newer any more.
    """
    late: set[int] = set()
    find, learn, put, quality = marks.known.get, marks.learn, rows.append, QUALITIES
    for reading in readings:
        series = (reading.sensor_id, reading.metric)
        mark = find(series) or learn(series)
        at, value = reading.observed_us, reading.value
        if mark.newest_us < at <= LAST_US:
            mark.newest_us = at
            if -_LARGEST <= value <= _LARGEST and not reading.replace:
                tail = pack_tail(8, at - EPOCH_US, 8, value, 2, quality[reading.quality])
                put(mark.prefix + tail)
                continue
        late.add(id(reading))
    return late


def _arrivals(deliveries: Sequence[Delivery]) -> Iterator[Arrival]:
    for delivery in deliveries:
        yield from delivery.arrivals()


def _prepared(
    deliveries: Sequence[Delivery], fresh: int, copied: bytes, older: Sequence[Arrival]
) -> Prepared:
    folded = fold(older)
    rows = encode_rows(rows_of(folded.plain.values())) if folded.plain else b""
    return Prepared(deliveries, fresh, copied, folded, rows)
