"""From what the processes say to what the platform's own sensors read. Pure.

Some figures are of one process, others of all together: these belong to the sensor `platform`. What
the watch itself causes, its own readings and refusals, is taken off before a share is worked out.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.watch.exposition import Exposition

WHOLE = "platform"
SPAN = timedelta(minutes=5)  # of shares and rates
LEAST_JUDGED = 100.0  # readings: of fewer, a share would say little
CONSUMED = "yiwang_consumed_to_timestamp_seconds"
ACCEPTED = "yiwang_ingest_accepted_total"
WAITING = "yiwang_ingest_quarantine_items"
REFUSED = "yiwang_ingest_refused_total"
FAILED = "yiwang_http_failures_total"
RECEIVING = "yiwang_ingest_backup_receiving"
FAILING = "yiwang_endpoints_failing"
OF_A_PROCESS = ("platform.ready", "platform.disk_free", "platform.clock_skew")
OF_THE_WHOLE = (
    "platform.storing_delay", "platform.judging_delay", "platform.quarantine_share",
    "platform.request_failures", "platform.endpoints_failing", "platform.backup_idle",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """At one process. `said` None: it did not answer; `skew_seconds`: its clock and ours."""

    process: str
    said: Exposition | None
    skew_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A reading to be. `sensor`: `platform`, or that of a process."""

    sensor: str
    metric: str
    value: float


@dataclass(slots=True)
class Own:
    """What the watch has caused so far: readings accepted of it, and requests that failed."""

    accepted: int = 0
    failed: int = 0


@dataclass(slots=True)
class Counter:
    """A count of all processes together, which goes on when one of them begins anew."""

    total: float = 0.0
    _last: dict[str, float] = field(default_factory=dict)

    def see(self, process: str, value: float) -> None:
        """What a process counts now. What it had counted before the first look is not ours."""
        before = self._last.get(process, value)
        self.total += value - before if value >= before else value
        self._last[process] = value


class Figures:
    """Remembers what the last looks said: a process that is gone says nothing any more."""

    def __init__(self) -> None:
        self._consumed: dict[tuple[str, str], float] = {}
        self._accepted, self._refused = Counter(), Counter()
        self._past: deque[tuple[datetime, float, float, float]] = deque()
        self._received: dict[str, datetime] = {}
        self._waiting = 0.0

    def of(self, looks: Sequence[Look], now: datetime, own: Own) -> list[Figure]:
        """Every figure that is known."""
        for look in looks:
            if look.said is not None:
                self._remember(look.process, look.said, now)
        said = {look.process: look.said for look in looks if look.said is not None}
        figures = [figure for look in looks for figure in _of_process(look)]
        return figures + [
            Figure(WHOLE, metric, value) for metric, value in self._of_whole(said, now, own)
        ]

    def _remember(self, process: str, said: Exposition, now: datetime) -> None:
        for labels, moment in said.each(CONSUMED):
            key = labels["group"], labels["partition"]
            self._consumed[key] = max(moment, self._consumed.get(key, 0.0))
        self._accepted.see(process, said.total(ACCEPTED))
        refused = said.total(REFUSED, reason="overload") + said.total(FAILED)
        self._refused.see(process, refused)
        for labels, receives in said.each(RECEIVING):
            slot = labels["slot"]
            if receives or slot not in self._received:
                self._received[slot] = now

    def _of_whole(
        self, said: Mapping[str, Exposition], now: datetime, own: Own
    ) -> Iterator[tuple[str, float]]:
        for group, metric in (("writer", "storing"), ("alerts", "judging")):
            moments = [at for (who, _), at in self._consumed.items() if who == group]
            if moments:
                yield f"platform.{metric}_delay", max(0.0, now.timestamp() - min(moments))
        yield from self._rates(said, now, own)
        failing = [value for one in said.values() for _, value in one.each(FAILING)]
        if failing:
            yield "platform.endpoints_failing", max(failing)
        if self._received:
            idle = now - min(self._received.values())
            yield "platform.backup_idle", idle.total_seconds()

    def _rates(
        self, said: Mapping[str, Exposition], now: datetime, own: Own
    ) -> Iterator[tuple[str, float]]:
        """Of the last five minutes. Every writer tells the same of the quarantine."""
        lying = [one.total(WAITING) for one in said.values() if any(one.each(WAITING))]
        self._waiting = max(lying, default=self._waiting)
        accepted = self._accepted.total - own.accepted
        refused = self._refused.total - own.failed
        self._past.append((now, accepted, refused, self._waiting))
        while len(self._past) > 1 and self._past[0][0] < now - SPAN:
            self._past.popleft()
        then, *before = self._past[0]
        taken, failures, aside = (
            max(0.0, value - was)
            for value, was in zip((accepted, refused, self._waiting), before, strict=True)
        )
        yield "platform.quarantine_share", 100 * aside / max(taken + aside, LEAST_JUDGED)
        minutes = max(1.0, (now - then).total_seconds() / 60)
        yield "platform.request_failures", failures / minutes


def sensor_of(process: str) -> str:
    """The sensor that a process is to the platform."""
    return f"{WHOLE}.{process}"


def _of_process(look: Look) -> Iterator[Figure]:
    sensor, said = sensor_of(look.process), look.said
    ready = 0.0 if said is None else said.only("yiwang_ready")
    yield Figure(sensor, "platform.ready", 0.0 if ready is None else ready)
    if said is None:
        return
    yield Figure(sensor, "platform.clock_skew", look.skew_seconds)
    free, size = said.only("yiwang_disk_free_bytes"), said.only("yiwang_disk_size_bytes")
    if free is not None and size:
        yield Figure(sensor, "platform.disk_free", 100 * free / size)
