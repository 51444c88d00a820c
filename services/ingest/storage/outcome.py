"""What became of a batch, and how a set-aside item is described. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.ingest.quarantine.aside import WHOLE_RECORD, SetAside, as_json
from services.ingest.storage.delivery import Delivery
from services.ingest.storage.fold import Arrival, Correction, Value
from shared.clock import from_micros
from shared.contracts.reading import ItemCode

_QUALITY_NAMES = ("good", "suspect", "bad")


@dataclass(slots=True)
class Outcome:
    """Counts of one transaction. `duplicates` were stored already and changed nothing."""

    stored: int = 0
    duplicates: int = 0
    conflicts: list[tuple[Arrival, Value | None]] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    poison: list[tuple[Arrival, str]] = field(default_factory=list)
    broken: list[Delivery] = field(default_factory=list)

    def repeat(self, repeats: Iterable[Arrival]) -> None:
        """Equal repeats share the fate of the arrival that they repeat."""
        conflicts = {arrival.key: stored for arrival, stored in self.conflicts}
        poison = {arrival.key: flaw for arrival, flaw in self.poison}
        for arrival in repeats:
            if arrival.key in conflicts:
                self.conflicts.append((arrival, conflicts[arrival.key]))
            elif arrival.key in poison:
                self.poison.append((arrival, poison[arrival.key]))
            else:
                self.duplicates += 1

    def set_aside(self, topic: str) -> list[SetAside]:
        """Everything of it that goes to quarantine."""
        return [
            *(_conflict(topic, arrival, stored) for arrival, stored in self.conflicts),
            *(_item(topic, arrival, ItemCode.MALFORMED, detail) for arrival, detail in self.poison),
            *(_record(topic, delivery) for delivery in self.broken),
        ]


def _conflict(topic: str, arrival: Arrival, stored: Value | None) -> SetAside:
    detail = "another value came under this key in the same batch"
    if stored is not None:
        detail = f"stored: {stored[0]!r} ({_QUALITY_NAMES[stored[1]]})"
    return _item(topic, arrival, ItemCode.CONFLICT, detail)


def _item(topic: str, arrival: Arrival, code: ItemCode, detail: str) -> SetAside:
    origin, reading = arrival.origin, arrival.reading
    return SetAside(
        topic,
        origin.partition,
        origin.offset,
        reading.index,
        origin.source,
        code,
        detail[:300],
        _as_posted(arrival),
    )


def _as_posted(arrival: Arrival) -> dict[str, Any]:
    reading = arrival.reading
    try:
        observed_at = from_micros(reading.observed_us).isoformat()
    except (OverflowError, ValueError, OSError):
        observed_at = f"{reading.observed_us} µs"
    item = {
        "sensor_id": reading.sensor_id.replace("\0", "\ufffd"),
        "metric": reading.metric.replace("\0", "\ufffd"),
        "observed_at": observed_at,
        "value": reading.value,
        "quality": reading.quality,
    }
    return item | ({"replace": True} if reading.replace else {})


def _record(topic: str, delivery: Delivery) -> SetAside:
    return SetAside(
        topic,
        delivery.partition,
        delivery.offset,
        WHOLE_RECORD,
        "",
        ItemCode.MALFORMED,
        delivery.flaw,
        as_json(delivery.raw),
    )
