"""What this process has just published, for its own tails: they need not ask the database.

Holds per partition a run of records without a gap, added after their commit. Where another process
published in between there is a gap: the run begins anew, and who is behind asks the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.eventlog.log import Record

RUN_RECORDS = 2_000  # at least so many stay, if they are not over `RUN_BYTES`; at most twice that
RUN_BYTES = 2 * 1024 * 1024  # per partition


@dataclass(slots=True)
class Run:
    """Records from offset `start` on. `size`: bytes of their values."""

    start: int
    records: list[Record] = field(default_factory=list)
    size: int = 0

    @property
    def end(self) -> int:
        """The offset after the last one."""
        return self.start + len(self.records)

    def trim(self) -> None:
        """Forget the oldest, many at once."""
        if len(self.records) <= 2 * RUN_RECORDS and self.size <= 2 * RUN_BYTES:
            return
        drop = max(0, len(self.records) - RUN_RECORDS)
        self.size -= sum(len(record.value) for record in self.records[:drop])
        while drop < len(self.records) and self.size > RUN_BYTES:
            self.size -= len(self.records[drop].value)
            drop += 1
        del self.records[:drop]
        self.start += drop


class Recent:
    """Runs by topic and partition."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, int], Run] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Take in what was committed, in the order of its offsets."""
        touched = set()
        for record in records:
            place = (record.topic, record.partition)
            run = self._runs.get(place)
            if run is None or run.end != record.offset:
                run = self._runs[place] = Run(record.offset)
            run.records.append(record)
            run.size += len(record.value)
            touched.add(place)
        for place in touched:
            self._runs[place].trim()

    def since(self, topic: str, partition: int, offset: int, limit: int) -> list[Record] | None:
        """Up to `limit` records from `offset` on; None if they may lie before what is held.

        An empty list says only that nothing newer came from this process.
        """
        run = self._runs.get((topic, partition))
        if run is None:
            return []
        if offset < run.start:
            return None
        return run.records[offset - run.start : offset - run.start + limit]
