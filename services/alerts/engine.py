"""Readings → states → incidents. Judges in log order, writes everything in one transaction."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.alerts.changes import Changes, Place, Transition
from services.alerts.machine import Judge, Outcome, Phase, Subject, is_historical
from services.alerts.metrics import JUDGED, TRANSITIONS, UNREADABLE
from services.alerts.rule import Rule
from shared.clock import monotonic
from shared.contracts.reading import Batch, Reading, decode_batch
from shared.eventlog.log import Consumer, Record

_log = logging.getLogger(__name__)

BATCH_RECORDS = 500
WAIT_SECONDS = 0.5
IDLE_COMMIT_SECONDS = 1.0  # how often the position is written when nothing else is

Key = tuple[str, str]  # rule id, sensor id


class Places(Protocol):
    """What is known of sensors."""

    async def find(self, sensor_id: str) -> Place:
        """The sensor's place; an unknown one has no area."""
        ...


class Store(Protocol):
    """Where states, incidents and positions are kept."""

    async def load(self) -> tuple[dict[Key, Subject], dict[int, int]]:
        """Subjects that are not normal, and partition → next offset."""
        ...

    async def apply(self, changes: Changes) -> dict[Key, str]:
        """Write it all in one transaction; returns the incident of each raised subject."""
        ...


class Engine:
    """One member of the group that judges `city.readings`."""

    def __init__(self, rules: Iterable[Rule], places: Places, store: Store) -> None:
        self._by_metric: dict[str, list[Judge]] = {}
        for rule in rules:
            self._by_metric.setdefault(rule.metric, []).append(Judge(rule))
        self._watchers: dict[tuple[str, str], tuple[Judge, ...]] = {}
        self._places = places
        self._store = store
        self._subjects: dict[Key, Subject] = {}
        self._newest: dict[tuple[str, str], int] = {}  # (sensor, metric) → newest judged
        self._done: dict[int, int] = {}
        self._written = 0.0

    async def run(
        self, consume: AbstractAsyncContextManager[Consumer], stop: asyncio.Event
    ) -> None:
        """Until `stop`. What was judged but not written is judged again after a restart."""
        self._subjects, self._done = await self._store.load()
        self._newest.clear()
        async with consume as consumer:
            while not stop.is_set():
                records = await consumer.batch(BATCH_RECORDS, WAIT_SECONDS)
                await self.take(records, consumer)

    async def take(self, records: Sequence[Record], consumer: Consumer) -> None:
        """Judge and write one batch; the log's commit comes last."""
        changes = Changes()
        for record in records:
            if record.offset < self._done.get(record.partition, 0):
                continue  # done before a restart
            await self._judge_record(record, changes)
            changes.next_offsets[record.partition] = record.offset + 1
        self._done |= changes.next_offsets
        idle = monotonic() - self._written > IDLE_COMMIT_SECONDS
        if not self._done or not (changes.urgent or (records and idle)):
            return
        changes.next_offsets = dict(self._done)
        self._remember(await self._store.apply(changes))
        self._written = monotonic()
        await consumer.commit(self._done)

    async def _judge_record(self, record: Record, changes: Changes) -> None:
        try:
            batch = decode_batch(record.value)
        except ValueError as error:  # the writer has set it aside in quarantine
            UNREADABLE.inc()
            _log.warning("unreadable record %s/%s: %s", record.partition, record.offset, error)
            return
        for reading in batch.items:
            if reading.metric in self._by_metric and reading.quality != "bad":
                await self._judge(reading, batch, changes)

    async def _judge(self, reading: Reading, batch: Batch, changes: Changes) -> None:
        series = (reading.sensor_id, reading.metric)
        if reading.observed_us <= self._newest.get(series, -(2**63)):
            return  # late or a repeat: it is stored, but does not turn judgement back
        self._newest[series] = reading.observed_us
        JUDGED.inc()
        for judge in self._watchers.get(series) or await self._find_watchers(series):
            key = (judge.rule.id, reading.sensor_id)
            before = self._subjects.get(key)
            after, outcome = judge.judge(before, reading.observed_us, reading.value)
            if after is not None:
                self._subjects[key] = after
            elif before is not None:
                del self._subjects[key]
            if outcome is Outcome.NOTHING:
                continue
            changes.subjects[key] = after
            if outcome in (Outcome.RAISED, Outcome.CLEARED):
                state = after if after is not None else before
                assert state is not None
                place = await self._places.find(reading.sensor_id)
                historical = is_historical(reading.observed_us, batch.accepted_us)
                changes.transitions.append(
                    Transition(
                        "raised" if outcome is Outcome.RAISED else "cleared",
                        judge.rule, place, state, reading.value, historical,
                    )
                )  # fmt: skip
                TRANSITIONS.labels(judge.rule.id, outcome.value).inc()

    async def _find_watchers(self, series: tuple[str, str]) -> tuple[Judge, ...]:
        sensor_id, metric = series
        place = await self._places.find(sensor_id)
        judges = self._by_metric.get(metric, ())
        found = tuple(judge for judge in judges if judge.rule.concerns(sensor_id, place.area_id))
        self._watchers[series] = found
        return found

    def _remember(self, incidents: Mapping[Key, str]) -> None:
        for key, incident in incidents.items():
            subject = self._subjects.get(key)
            if subject is not None and subject.phase is Phase.ACTIVE:
                self._subjects[key] = Subject(
                    subject.phase, subject.since_us, subject.last_us, incident
                )
