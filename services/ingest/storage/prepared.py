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
from services.ingest.storage.marks import Mark, Marks
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
    """Split at the marks, which move along; encode series by series, which the index likes."""
    touched: list[Mark] = []
    older: list[Arrival] = []
    for delivery in deliveries:
        if delivery.batch is not None and (late := _split(delivery.batch.items, marks, touched)):
            older += (arrival for arrival in delivery.arrivals() if id(arrival.reading) in late)
    fresh = sum(len(mark.tails) for mark in touched)
    return _prepared(deliveries, fresh, stream(mark.take_rows() for mark in touched), older)


def prepare_carefully(deliveries: Sequence[Delivery]) -> Prepared:
    """As if every reading might be stored already."""
    return _prepared(deliveries, 0, b"", list(_arrivals(deliveries)))


def _split(readings: Sequence[Reading], marks: Marks, touched: list[Mark]) -> set[int]:
    """Give what is newer than its mark to the mark, and note that mark; the others, by `id`.

    A reading passes its series' mark at most once, so that no key is twice among the rows, and
    what comes later under that key is not newer any more.
    """
    late: set[int] = set()
    find, learn, quality = marks.known.get, marks.learn, QUALITIES
    for reading in readings:
        series = (reading.sensor_id, reading.metric)
        mark = find(series) or learn(series)
        at, value = reading.observed_us, reading.value
        if mark.newest_us < at <= LAST_US:
            mark.newest_us = at
            if -_LARGEST <= value <= _LARGEST and not reading.replace:
                if not mark.tails:
                    touched.append(mark)
                tail = pack_tail(8, at - EPOCH_US, 8, value, 2, quality[reading.quality])
                mark.tails.append(tail)
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
