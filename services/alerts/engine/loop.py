"""Follows a topic: judged in log order, said at once, remembered as a snapshot and the log since.

After a restart the log is judged again from the snapshot on, and what was said before is not said
again: judging must be the same every time.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from services.alerts.engine.kept import Kept, Overtaken, Snapshot, Store
from services.alerts.engine.memory import FORMAT, compress
from services.alerts.engine.past import LoggedPast, Past
from services.alerts.judging.transition import Place, Span, Transition
from shared import tracing
from shared.clock import monotonic
from shared.errors import Unavailable
from shared.eventlog.log import Consumer, EventLog, Outgoing, Record
from shared.eventlog.stretch import outrun
from shared.metrics import CONSUMED_TO

_log = logging.getLogger(__name__)

BATCH_RECORDS = 500
WAIT_SECONDS = 0.5
WRITE_SECONDS = 1.0  # how often positions are written when no alert waits
SNAPSHOT_SECONDS = 10.0  # so much of the log at most is judged again after a restart
STUCK_SECONDS = 30.0
TRIES = 5  # to write what another engine also writes


class Mind(Protocol):
    """What is known of one partition."""

    @property
    def urgent(self) -> bool:
        """True when something waits to be said."""
        ...

    async def hear(self, record: Record) -> None:
        """Judge one record."""
        ...

    def transitions(self) -> Sequence[Transition]:
        """What is not said yet."""
        ...

    def said(self) -> None:
        """All of it is."""
        ...

    def outgoing(self) -> Sequence[Outgoing]:
        """What the next stage is to hear. What is lost here is in the snapshot, or comes again."""
        ...

    def published(self) -> None:
        """The next stage has all of it."""
        ...

    def pack(self) -> bytes:
        """Everything that a successor needs, at this moment; see `memory`."""
        ...

    async def revise(self) -> Sequence[Transition] | None:
        """Go on by the rules in force; what ends because of that. None: by these already."""
        ...


class Stage(Protocol):
    """What a loop is there for."""

    topic: str
    group: str

    def restore(self, kept: Kept, partition: int, partitions: int) -> Mind:
        """As it was kept, by the rules of that time."""
        ...

    async def place(self, subject: str) -> Place:
        """Of the subject of a transition."""
        ...

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """To the next stage. Raises `Unavailable`."""
        ...

    def change_rules(self) -> None:
        """Those that came since the last call are in force now."""
        ...


@dataclass
class Share:
    """One partition's part of the work. Offsets are the next ones after what is in the snapshot
    (`snapped`), what has been said to the store (`written`), what is in memory (`judged`) and
    what the log has given us (`heard`). `due_at`: when the next snapshot is (monotonic seconds;
    0: with the next write)."""

    mind: Mind
    snapped: int
    written: int
    judged: int
    heard: int
    due_at: float


class Loop:
    """One member of a stage's group."""

    def __init__(self, stage: Stage, store: Store, past: Past | None = None) -> None:
        self._stage = stage
        self._store = store
        self._past = past
        self._partitions = 1
        self._shares: dict[int, Share] = {}
        self._changing = False
        self._wrote = 0.0
        self._turned = monotonic()

    def rules_changed(self) -> None:
        """The stage has new ones: in force from the next batch on."""
        self._changing = True

    async def run(self, log: EventLog, stop: asyncio.Event) -> None:
        """Until `stop`. Raises `Unavailable`; what was judged but not written is judged again."""
        self._shares.clear()
        self._past = LoggedPast(log, self._stage.topic)
        self._partitions = len(await log.ends(self._stage.topic))
        await self._store.forget_beyond(await outrun(log, self._stage.topic, self._store.reached))
        async with log.consume(self._stage.topic, self._stage.group) as consumer:
            while not stop.is_set():
                await self.take(await consumer.batch(BATCH_RECORDS, WAIT_SECONDS), consumer)
                self._turned = monotonic()
            for share in self._shares.values():
                share.due_at = 0.0 if share.judged > share.snapped else share.due_at
            await self._write(consumer)

    async def check(self) -> str | None:
        """Readiness: None while the loop looks at the log."""
        idle = monotonic() - self._turned
        return None if idle < STUCK_SECONDS else f"no look at the log for {idle:.0f} s"

    async def take(self, records: Sequence[Record], consumer: Consumer) -> None:
        """Judge one batch; write at once if an alert waits, else now and then."""
        if self._changing:
            await self._change_rules(consumer)
        for record in records:
            share = await self._share_of(record)
            share.heard = record.offset + 1
            await _judge(record, share)
            tracing.follow(record.headers, "alerts: judge", record.logged_us)
        for record in {record.partition: record for record in records}.values():
            CONSUMED_TO.labels(self._stage.group, record.partition).set(record.logged_us / 1e6)
        if monotonic() - self._wrote > WRITE_SECONDS:
            await self._write(consumer)
        elif any(share.mind.urgent for share in self._shares.values()):
            await self._write(consumer, urgent=True)

    async def _share_of(self, record: Record) -> Share:
        """The record's share; loaded anew when the partition has been elsewhere meanwhile."""
        partition = record.partition
        share = self._shares.get(partition)
        if share is not None and share.heard == record.offset:
            return share
        if share is not None:
            await self._write_share(partition, share)
        share = await self._load(partition, record.offset)
        share.heard = record.offset
        self._shares[partition] = share
        return share

    async def _load(self, partition: int, goal: int) -> Share:
        """As it was kept; then what was judged before, without saying it again, by the rules of
        that time; then, by those in force, what lies before `goal`."""
        for _ in range(TRIES):
            kept = await self._store.load(partition)
            share = self._restore(partition, kept)
            await self._replay(partition, share, share.written)
            share.mind.said()
            share.judged = max(share.judged, share.written)
            try:
                await self._revise(partition, share)
            except Overtaken:
                continue
            await self._replay(partition, share, goal)
            return share
        raise Unavailable(f"another engine keeps writing partition {partition}")

    def _restore(self, partition: int, kept: Kept) -> Share:
        mind = self._stage.restore(kept, partition, self._partitions)
        start = kept.snapshots[0].next_offset if kept.own else kept.written
        # Without a snapshot of its own the first write makes one: what is known is nowhere else.
        due_at = monotonic() + SNAPSHOT_SECONDS if kept.own else 0.0
        return Share(mind, start, max(start, kept.written), start, start, due_at)

    async def _replay(self, partition: int, share: Share, following: int) -> None:
        if share.judged < following and self._past is not None:
            await self._past.replay(
                partition, share.judged, following, lambda record: _judge(record, share)
            )

    async def _change_rules(self, consumer: Consumer) -> None:
        """Everything judged so far is by the old rules; what follows is by the new ones."""
        await self._write(consumer)
        self._changing = False
        self._stage.change_rules()
        for partition, share in list(self._shares.items()):
            try:
                await self._revise(partition, share)
            except Overtaken:  # it is another engine's now
                del self._shares[partition]

    async def _revise(self, partition: int, share: Share) -> None:
        """To the rules in force, with a snapshot. Raises `Overtaken`."""
        ended = await share.mind.revise()
        if ended is not None:
            share.due_at = 0.0
            await self._say(share, Span(partition, share.written, share.judged), ended)

    async def _write(self, consumer: Consumer, *, urgent: bool = False) -> None:
        """Write every share that has something new, or only those where an alert waits; the log's
        own commit comes last."""
        done: dict[int, int] = {}
        for partition, share in list(self._shares.items()):
            if urgent and not share.mind.urgent:
                continue
            snapped = share.snapped
            written = await self._write_share(partition, share)
            if written.snapped != snapped:
                done[partition] = written.snapped
        if not urgent:
            self._wrote = monotonic()
        if done:
            await _commit(consumer, done)

    async def _write_share(self, partition: int, share: Share) -> Share:
        """The share afterwards: another one if we were overtaken."""
        for _ in range(TRIES):
            if share.judged == share.written and share.due_at > 0.0:
                return share
            span = Span(partition, share.written, share.judged)
            try:
                await self._say(share, span, share.mind.transitions())
                return share
            except Overtaken:
                if span.first == span.following:
                    share.due_at = inf  # nothing of ours is left here
                    return share
            _log.info("partition %d was written by another engine", partition)
            heard = share.heard
            share = self._shares[partition] = await self._load(partition, share.judged)
            share.heard = heard
        raise Unavailable(f"another engine keeps writing partition {partition}")

    async def _say(self, share: Share, span: Span, transitions: Sequence[Transition]) -> None:
        """To the store, with a snapshot if it is time for one. Raises `Overtaken`."""
        snapshot = None
        if monotonic() >= share.due_at:
            kept = await asyncio.to_thread(compress, share.mind.pack())
            snapshot = Snapshot(span.following, FORMAT, kept)
        named = {transition.subject for transition in transitions}
        places = {subject: await self._stage.place(subject) for subject in named}
        await self._store.apply(span, transitions, places, snapshot)
        share.mind.said()
        share.written = span.following
        if snapshot is not None:
            share.snapped, share.due_at = span.following, monotonic() + SNAPSHOT_SECONDS
        outgoing = share.mind.outgoing()
        if outgoing:
            await self._stage.publish(outgoing)
        share.mind.published()


async def _judge(record: Record, share: Share) -> None:
    if record.offset < share.judged:
        return  # in the snapshot, or judged when it was loaded
    share.judged = record.offset + 1
    await share.mind.hear(record)


async def _commit(consumer: Consumer, done: Mapping[int, int]) -> None:
    """The group's position is that of the snapshots: the log keeps what comes after them."""
    try:
        await consumer.commit(done)
    except Unavailable as error:
        # Our own position decides; the group's only spares re-reading. If the log is really gone,
        # the next look says so.
        _log.info("position not committed to the log: %s", error)
