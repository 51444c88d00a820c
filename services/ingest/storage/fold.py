"""Many records' readings → what the database is asked to do. Pure.

The rule, in log order per key (sensor, metric, observed_at): the first value is stored; an equal
repeat is nothing; another value is a conflict, unless it says `replace`: then it supersedes.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from shared.clock import to_micros
from shared.contracts.reading import Reading

Key = tuple[str, str, int]  # sensor, metric, microseconds of observed_at
Value = tuple[float, int]  # value, number of the quality

QUALITIES = {"good": 0, "suspect": 1, "bad": 2}
FIRST_US = to_micros(datetime(1, 1, 2, tzinfo=UTC))
LAST_US = to_micros(datetime(9999, 12, 30, tzinfo=UTC))


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where in the log a reading came from: for quarantine and audit."""

    partition: int
    offset: int
    source: str


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One reading of one record, its natural key, and what is stored under it."""

    key: Key
    value: Value
    reading: Reading
    origin: Origin


def arrival_of(reading: Reading, origin: Origin) -> Arrival:
    """A reading with its key and value worked out."""
    key = (reading.sensor_id, reading.metric, reading.observed_us)
    return Arrival(key, (reading.value, QUALITIES[reading.quality]), reading, origin)


@dataclass(frozen=True, slots=True)
class Correction:
    """A stored value that was superseded."""

    arrival: Arrival
    old: Value


@dataclass(slots=True)
class Folded:
    """Arrivals sorted by how they are stored.

    `plain`: one arrival per key, nothing but equal `repeats` of it in this batch; `disputed`: keys
    with several values or a `replace`, every arrival in log order; `poison`: what no database row
    can hold, and why.
    """

    plain: dict[Key, Arrival] = field(default_factory=dict)
    disputed: dict[Key, list[Arrival]] = field(default_factory=dict)
    poison: list[tuple[Arrival, str]] = field(default_factory=list)
    repeats: dict[Key, list[Arrival]] = field(default_factory=dict)


@dataclass(slots=True)
class Settled:
    """What becomes of disputed keys, given what is stored."""

    inserts: dict[Key, Value] = field(default_factory=dict)
    updates: dict[Key, Value] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    conflicts: list[Arrival] = field(default_factory=list)
    repeats: int = 0


def fold(arrivals: Iterable[Arrival]) -> Folded:
    """Sort arrivals, given in log order."""
    folded = Folded()
    plain, disputed = folded.plain, folded.disputed
    for arrival in arrivals:
        key = arrival.key
        if (flaw := _flaw(arrival.reading)) is not None:
            folded.poison.append((arrival, flaw))
        elif key in disputed:
            disputed[key].append(arrival)
        elif (known := plain.get(key)) is None:
            if arrival.reading.replace:
                disputed[key] = [arrival]
            else:
                plain[key] = arrival
        elif known.value == arrival.value and not arrival.reading.replace:
            folded.repeats.setdefault(key, []).append(arrival)
        else:
            disputed[key] = [plain.pop(key), *folded.repeats.pop(key, ()), arrival]
    return folded


def settle(disputed: Mapping[Key, list[Arrival]], stored: Mapping[Key, Value]) -> Settled:
    """Play the arrivals of each disputed key, in order, against what is stored."""
    settled = Settled()
    for key, arrivals in disputed.items():
        before = now = stored.get(key)
        for arrival in arrivals:
            if now is None:
                now = arrival.value
            elif now == arrival.value:
                settled.repeats += 1
            elif arrival.reading.replace:
                settled.corrections.append(Correction(arrival, now))
                now = arrival.value
            else:
                settled.conflicts.append(arrival)
        if now is not None and before is None:
            settled.inserts[key] = now
        elif now is not None and now != before:
            settled.updates[key] = now
    return settled


def _flaw(reading: Reading) -> str | None:
    if not FIRST_US <= reading.observed_us <= LAST_US:
        return "observed_at is outside of what the database can hold"
    if not math.isfinite(reading.value):
        return "value is not finite"
    if "\0" in reading.sensor_id or "\0" in reading.metric:
        return "a name holds a NUL character"
    return None
