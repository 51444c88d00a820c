"""Readings → records of `city.readings`. Pure."""

from collections.abc import Mapping, Sequence

from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Outgoing

RECORD_ITEMS = 1_000  # so that a consumer that counts records knows roughly what it asks for


def to_records(
    partitions: Mapping[int, Sequence[Reading]], accepted_us: int, source: str
) -> list[Outgoing]:
    """One record per partition; more only where a partition has over `RECORD_ITEMS` readings."""
    return [
        Outgoing(
            READINGS,
            readings[start].sensor_id,
            encode_batch(Batch(list(readings[start : start + RECORD_ITEMS]), accepted_us, source)),
            partition=partition,
        )
        for partition, readings in partitions.items()
        for start in range(0, len(readings), RECORD_ITEMS)
    ]
