"""Slows down the guessing of passwords. Pure: time is passed in."""

from collections import OrderedDict
from dataclasses import dataclass

FREE_FAILURES = 5
FORGET_SECONDS = 900.0
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 300.0
KEPT_KEYS = 20_000


@dataclass(slots=True)
class _Record:
    failures: int
    last: float
    until: float


class Throttle:
    """Counts attempts per key (a name and an address). After `free` failures each further one
    doubles the pause. `now`: monotonic seconds."""

    def __init__(self, free: int = FREE_FAILURES) -> None:
        self._free = free
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def pause(self, key: str, now: float) -> float:
        """Seconds until the next attempt is heard; 0: now."""
        record = self._records.get(key)
        if record is None or now - record.last > FORGET_SECONDS:
            return 0.0
        return max(0.0, record.until - now)

    def attempt(self, key: str, now: float) -> None:
        """Count an attempt as failed, before it is judged: many at once must not slip through."""
        record = self._records.pop(key, None)
        if record is None or now - record.last > FORGET_SECONDS:
            record = _Record(0, now, now)
        record.failures += 1
        record.last = now
        over = record.failures - self._free
        if over >= 0:
            record.until = now + min(
                LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(over, 16)
            )
        self._records[key] = record
        if len(self._records) > KEPT_KEYS:
            self._records.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        self._records.pop(key, None)

    def undo(self, key: str) -> None:
        """Take one attempt back: it was a success, or never judged."""
        record = self._records.get(key)
        if record is not None:
            record.failures -= 1
            record.until = record.last
