"""Readings → states → incidents: judged in log order, written together with the log's position."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.alerts.judging.book import Book
from services.alerts.judging.judgement import Judgement, Series
from services.alerts.judging.machine import Judge, Subject
from services.alerts.judging.transition import Changes, Key, Place, Span
from services.alerts.metrics import JUDGED, UNREADABLE
from services.alerts.rules.rule import Rule
from shared.clock import monotonic
from shared.contracts.reading import Batch, decode_batch
from shared.contracts.topics import READINGS
from shared.errors import Unavailable, YiwangError
from shared.eventlog.log import Consumer, EventLog, Record

_log = logging.getLogger(__name__)

GROUP = "alerts"
BATCH_RECORDS = 500
WAIT_SECONDS = 0.5
WRITE_SECONDS = 1.0  # how often states and positions are written when no alert waits
STUCK_SECONDS = 30.0
TRIES = 5  # to write what another engine also writes


class Overtaken(YiwangError):
    """Another engine has written this partition meanwhile: what we judged of it is void."""


class Places(Protocol):
    """What is known of sensors."""

    def listen(self, forget: Callable[[str], None]) -> None:
        """Call `forget` with every sensor that changes."""
        ...

    async def find(self, sensor_id: str) -> Place:
        """The sensor's place; an unknown one has no area."""
        ...


class Store(Protocol):
    """Where states, incidents and positions are kept."""

    async def forget_beyond(self, ends: Mapping[int, int]) -> None:
        """Drop positions past the log's ends: such a log was made anew."""
        ...

    async def load(self, partition: int) -> tuple[dict[Key, Subject], int]:
        """Subjects as last written, and the partition's next offset."""
        ...

    async def apply(
        self, span: Span, changes: Changes, places: Mapping[str, Place]
    ) -> dict[Key, str]:
        """Write it all in one transaction; returns the incident of each raised subject.

        Raises `Overtaken` when the partition's written position is not `span.first`.
        """
        ...


@dataclass
class Share:
    """One partition's part of the work. Offsets: `written` and `judged` are the next ones after
    what is in the store and in memory, `heard` after what the log has given us; `pending` are the
    records in between the first two."""

    judgement: Judgement
    written: int
    judged: int
    heard: int
    pending: list[Record] = field(default_factory=list)


class Engine:
    """One member of the group that judges `city.readings`."""

    def __init__(self, rules: Iterable[Rule], places: Places, store: Store) -> None:
        self._book = Book(rules)
        self._metrics = {rule.id: rule.metric for rule in self._book.rules.values()}
        self._watchers: dict[Series, tuple[Judge, ...]] = {}
        self._places = places
        self._store = store
        self._moves = 0
        self._shares: dict[int, Share] = {}
        self._wrote = 0.0
        self._turned = monotonic()
        places.listen(self._forget_watchers)

    async def run(self, log: EventLog, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`; what was judged but not written is judged again."""
        self._shares.clear()
        await self._store.forget_beyond(await log.ends(READINGS))
        async with log.consume(READINGS, GROUP) as consumer:
            while not stop.is_set():
                await self.take(await consumer.batch(BATCH_RECORDS, WAIT_SECONDS), consumer)
                self._turned = monotonic()
            await self._write(consumer)

    async def check(self) -> str | None:
        """Readiness: None while the engine looks at the log."""
        idle = monotonic() - self._turned
        return None if idle < STUCK_SECONDS else f"no look at the log for {idle:.0f} s"

    async def take(self, records: Sequence[Record], consumer: Consumer) -> None:
        """Judge one batch; write at once if an alert waits, else now and then."""
        for record in records:
            share = await self._share_of(record)
            share.heard = record.offset + 1
            await self._judge(record, share)
        urgent = any(share.judgement.urgent for share in self._shares.values())
        if urgent or monotonic() - self._wrote > WRITE_SECONDS:
            await self._write(consumer)

    async def _share_of(self, record: Record) -> Share:
        """The record's share; loaded anew when the partition has been elsewhere meanwhile."""
        share = self._shares.get(record.partition)
        if share is not None and share.heard == record.offset:
            return share
        if share is not None:
            await self._write_share(record.partition, share)
        share = Share(*await self._load(record.partition), record.offset)
        self._shares[record.partition] = share
        return share

    async def _load(self, partition: int) -> tuple[Judgement, int, int]:
        subjects, written = await self._store.load(partition)
        return Judgement(self._metrics, subjects), written, written

    async def _judge(self, record: Record, share: Share) -> None:
        if record.offset < share.judged:
            return  # written before a restart, or by another engine
        share.judged = record.offset + 1
        share.pending.append(record)
        batch = _decode(record)
        if batch is None:
            return
        heard, watchers, metrics = 0, self._watchers, self._book.metrics
        for reading in batch.items:
            if reading.metric not in metrics or reading.quality == "bad":
                continue
            series = (reading.sensor_id, reading.metric)
            judges = watchers.get(series)
            if judges is None:
                judges = await self._find_watchers(series)
            heard += share.judgement.hear(reading, judges, batch.accepted_us)
        JUDGED.inc(heard)

    async def _find_watchers(self, series: Series) -> tuple[Judge, ...]:
        sensor_id, metric = series
        moves = self._moves
        areas: frozenset[str] = frozenset()
        if self._book.by_area(metric):
            areas = (await self._places.find(sensor_id)).area_ids
        found = self._book.watchers(sensor_id, metric, areas)
        if moves == self._moves:  # else the answer may already be old: do not keep it
            self._watchers[series] = found
        return found

    def _forget_watchers(self, sensor_id: str) -> None:
        self._moves += 1
        for metric in self._book.metrics:
            self._watchers.pop((sensor_id, metric), None)

    async def _write(self, consumer: Consumer) -> None:
        """Write every share that has something new; the log's own commit comes last."""
        done: dict[int, int] = {}
        for partition, share in self._shares.items():
            if await self._write_share(partition, share):
                done[partition] = share.written
        self._wrote = monotonic()
        if done:
            await _commit(consumer, done)

    async def _write_share(self, partition: int, share: Share) -> bool:
        """False when there was nothing to write."""
        for _ in range(TRIES):
            if share.judged == share.written:
                return False
            changes = share.judgement.changes()
            named = {transition.subject for transition in changes.transitions}
            places = {subject: await self._places.find(subject) for subject in named}
            span = Span(partition, share.written, share.judged)
            try:
                incidents = await self._store.apply(span, changes, places)
            except Overtaken:
                await self._catch_up(partition, share)
                continue
            share.judgement.written(incidents)
            share.written = share.judged
            share.pending.clear()
            return True
        raise Unavailable(f"another engine keeps writing partition {partition}")

    async def _catch_up(self, partition: int, share: Share) -> None:
        """Start from what another engine has written: usually the partition has moved, and then
        nothing of ours is left."""
        _log.info("partition %d was written by another engine", partition)
        share.judgement, share.written, share.judged = await self._load(partition)
        pending, share.pending = share.pending, []
        for record in pending:
            await self._judge(record, share)


async def _commit(consumer: Consumer, done: Mapping[int, int]) -> None:
    try:
        await consumer.commit(done)
    except Unavailable as error:
        # Our own position decides; the group's only spares re-reading. If the log is really gone,
        # the next look says so.
        _log.info("position not committed to the log: %s", error)


def _decode(record: Record) -> Batch | None:
    try:
        return decode_batch(record.value)
    except ValueError as error:  # the writer has set it aside in quarantine
        UNREADABLE.inc()
        _log.warning("unreadable record %s/%s: %s", record.partition, record.offset, error)
        return None
