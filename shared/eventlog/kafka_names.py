"""Header names that are no UTF-8 (a Kafka producer may send any bytes) are read with U+FFFD for
what is none. aiokafka refuses the whole fetch, for ever: one such record would stop its partition.

`admit` has aiokafka's consumer unpack what it fetched by `Patient`: as ever, but where its quick
reader stumbles, its slow one goes on with the next record, and names that always decode."""

import threading
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import MemoryRecords

_SIZE_AT, _BODY_AT, _MAGIC_AT = 8, 12, 16  # of a batch's bytes, in every format
_NAMED = 2  # from this format on records have headers
_lock = threading.Lock()


def admit() -> None:
    """From now on every consumer of this process reads such records. Idempotent."""
    with _lock:
        fetcher.MemoryRecords, fetcher.PartitionRecords = Fetched, Patient


class Fetched:
    """aiokafka's `MemoryRecords`, which remembers the `data` it unpacks."""

    def __init__(self, data: bytes) -> None:
        quick = MemoryRecords(data)
        self.data = data
        self.has_next, self.next_batch = quick.has_next, quick.next_batch
        self.size_in_bytes = quick.size_in_bytes


class Patient(fetcher.PartitionRecords):  # type: ignore[misc]  # its modules tell no types
    """The records of one partition that were fetched at once. Raises what aiokafka's raises for
    bytes that are truly corrupt."""

    _records: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except (CorruptRecordException, UnicodeDecodeError):
            if isinstance(self._records, _SlowRecords):
                raise
            self._records = _SlowRecords(self._records.data)
            self._records_iterator = self._unpack_records()  # passes over what was handed out
            return super().__next__()


class _SlowRecords:
    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    def has_next(self) -> bool:
        return len(self._left) >= self._size()

    def next_batch(self) -> Any:
        size, raw = self._size(), self._left
        self._left = raw[size:]
        magic = raw[_MAGIC_AT]
        return _Slow(bytearray(raw[:size])) if magic >= _NAMED else LegacyRecordBatch(raw, magic)

    def _size(self) -> int:
        """Of the next batch; a broker may send the last one cut short."""
        return _BODY_AT + max(1, int.from_bytes(self._left[_SIZE_AT:_BODY_AT]))


class _Slow(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Buffer(self._buffer)


class _Buffer(bytearray):
    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Text(found) if isinstance(at, slice) else found


class _Text(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
