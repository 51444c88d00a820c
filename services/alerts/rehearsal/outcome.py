"""What a rule would have raised: gathered while history is played to it. Pure."""

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from services.alerts.judging.transition import Key, Transition
from shared.clock import from_micros
from shared.contracts.reading import Reading

MAX_SHOWN = 500  # alerts listed; all are counted
DAYS_IN = ZoneInfo("Asia/Shanghai")


class WouldBe(msgspec.Struct):
    """An alert that would have been. Times: RFC 3339; `end`: null while it would still stand.

    `peak`: the value furthest beyond the limit, in the metric's unit; `grade`, `priority`: the
    gravest reached; `no_data`: its data stopped meanwhile.
    """

    subject: str
    start: str
    end: str | None
    grade: int
    priority: int
    peak: float
    no_data: bool = False


class Outcome(msgspec.Struct):
    """Of one rule: how many alerts for how many subjects, on which days, and the first of them."""

    version: int
    alerts: int
    subjects: int
    per_day: dict[str, int]
    items: list[WouldBe]
    left_off: int


class Gatherer:
    """Takes the transitions of one rule."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._standing: dict[Key, WouldBe] = {}
        self._items: list[WouldBe] = []
        self._per_day: Counter[str] = Counter()
        self._subjects: set[str] = set()
        self._alerts = 0

    def take(self, transitions: Sequence[Transition]) -> None:
        """In order of event time, per subject."""
        for one in transitions:
            if one.kind == "raised":
                self._raise(one)
            elif one.key in self._standing:
                self._change(one)

    def see(self, reading: Reading, key: Key, *, upwards: bool) -> None:
        """A reading of a subject: it may be the worst so far."""
        known = self._standing.get(key)
        if known is not None:
            known.peak = (max if upwards else min)(known.peak, reading.value)

    def outcome(self) -> Outcome:
        """All of it, the earliest alerts first."""
        self._items.sort(key=lambda one: (one.start, one.subject))
        return Outcome(
            self._version,
            self._alerts,
            len(self._subjects),
            dict(sorted(self._per_day.items())),
            self._items[:MAX_SHOWN],
            max(0, self._alerts - MAX_SHOWN),
        )

    def _raise(self, one: Transition) -> None:
        start = from_micros(one.started_us)
        item = WouldBe(one.subject, start.isoformat(), None, one.grade, one.priority, one.value)
        self._alerts += 1
        self._per_day[start.astimezone(DAYS_IN).date().isoformat()] += 1
        self._subjects.add(one.subject)
        self._standing[one.key] = item
        self._items.append(item)
        if len(self._items) > 4 * MAX_SHOWN:  # keep what will be shown, and no more
            self._items.sort(key=lambda each: (each.start, each.subject))
            del self._items[MAX_SHOWN:]

    def _change(self, one: Transition) -> None:
        item = self._standing[one.key]
        if one.kind == "cleared":
            item.end = from_micros(one.observed_us).isoformat()
            del self._standing[one.key]
        elif one.kind == "no_data":
            item.no_data = True
        else:
            item.grade = min(item.grade, one.grade)
            item.priority = min(item.priority, one.priority)
