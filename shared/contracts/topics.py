"""Names of the topics and how many partitions each is created with."""

from dataclasses import dataclass
from zlib import crc32

INBOX = "city.inbox"
READINGS = "city.readings"
CONDITIONS = "city.conditions"
INCIDENTS = "city.incidents"
SENSORS = "city.sensors"
QUARANTINE = "city.readings.quarantine"


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_seconds` None: keep; `compacted`: only the newest record per key is kept."""

    name: str
    partitions: int
    retention_seconds: int | None
    compacted: bool = False


DAY = 86_400
TOPICS: tuple[Topic, ...] = (
    Topic(INBOX, 4, DAY),
    Topic(READINGS, 4, DAY),
    Topic(CONDITIONS, 1, DAY),
    Topic(INCIDENTS, 1, 7 * DAY),
    Topic(SENSORS, 1, None, compacted=True),
    Topic(QUARANTINE, 1, 7 * DAY),
)


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: stable over processes, versions and both event logs."""
    return crc32(key.encode()) % partitions
