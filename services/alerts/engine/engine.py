"""The first stage: readings of one sensor → transitions, per partition of `city.readings`."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from services.alerts.engine.beats import Beat, encode_beat
from services.alerts.engine.first import states_of
from services.alerts.engine.kept import Kept, Store
from services.alerts.engine.loop import Loop
from services.alerts.engine.memory import Memory, documents, pack, recall, rules_of
from services.alerts.engine.past import Past
from services.alerts.engine.watchers import Places, Watchers
from services.alerts.judging.partition import Judgement
from services.alerts.judging.revision import revised, unsettled
from services.alerts.judging.rulebook import Book
from services.alerts.judging.schedule import DayKind, official_day
from services.alerts.judging.transition import Place, Transition
from services.alerts.metrics import JUDGED, UNREADABLE
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Batch, decode_batch
from shared.contracts.topics import CONDITIONS, READINGS
from shared.eventlog.log import EventLog, Outgoing, Record

_log = logging.getLogger(__name__)

GROUP = "alerts"


class Engine(Loop):
    """One member of the group that judges `city.readings`."""

    def __init__(
        self,
        rules: Iterable[Rule],
        places: Places,
        store: Store,
        past: Past | None = None,
        day_kind: DayKind = official_day,
    ) -> None:
        self._readings = Readings(rules, places, day_kind)
        super().__init__(self._readings, store, past)

    async def run(self, log: EventLog, stop: asyncio.Event) -> None:
        """See `Loop.run`."""
        self._readings.log = log
        await super().run(log, stop)

    def adopt(self, rules: Iterable[Rule]) -> None:
        """Judge by these from the next batch on. What an unchanged condition has led to stays."""
        self._readings.coming = self._readings.book(rules)
        self.rules_changed()


class Readings:
    """`loop.Stage`. `watchers`: of the rules in force; `coming`: rules that are not yet."""

    topic = READINGS
    group = GROUP

    def __init__(self, rules: Iterable[Rule], places: Places, day_kind: DayKind) -> None:
        self._day_kind = day_kind
        self.watchers = Watchers(self.book(rules), places)
        self.coming: Book | None = None
        self._places = places
        self.log: EventLog | None = None
        self._written_down: tuple[Book, list[dict[str, object]]] | None = None
        places.listen(lambda sensor_id: self.watchers.forget(sensor_id))

    def book(self, rules: Iterable[Rule]) -> Book:
        """The rules, compiled."""
        return Book(rules, self._day_kind)

    def restore(self, kept: Kept, partition: int, partitions: int) -> "Partition":
        """See `loop.Stage.restore`."""
        memory = recall(kept, partition, partitions)
        rules, watchers = rules_of(memory.rules), self.watchers
        if rules is not None and not _same(old := self.book(rules), watchers.book):
            watchers = Watchers(old, self._places)
        return Partition(self, memory, watchers, (partition, partitions))

    async def place(self, subject: str) -> Place:
        """See `loop.Stage.place`."""
        return await self._places.find(subject)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """See `loop.Stage.publish`."""
        if self.log is not None:
            await self.log.publish(records)

    def change_rules(self) -> None:
        """See `loop.Stage.change_rules`."""
        if self.coming is not None and not _same(self.coming, self.watchers.book):
            self.watchers = Watchers(self.coming, self._places)
            _log.info("%d rules in force", len(self.coming.rules))
        self.coming = None

    def documents(self, book: Book) -> list[dict[str, object]]:
        """A book's rules as they are remembered, made once."""
        if self._written_down is None or self._written_down[0] is not book:
            self._written_down = (book, documents(book.rules.values()))
        return self._written_down[1]


class Partition:
    """`loop.Mind` of one partition: states of rules on single sensors."""

    def __init__(
        self, stage: Readings, memory: Memory, watchers: Watchers, place: tuple[int, int]
    ) -> None:
        """`place`: which partition it is, of how many."""
        self._stage = stage
        self._watchers = watchers
        self._place = place
        self._beats = list(memory.beats)
        self._now_us = memory.now_us
        self._combined = 0  # changes that are in beats already
        states = memory.states
        if memory.first:
            states = states_of(memory.first, watchers.book)
        self._judgement = Judgement(watchers.book, states)

    @property
    def urgent(self) -> bool:
        """See `loop.Mind.urgent`."""
        return self._judgement.urgent

    async def hear(self, record: Record) -> None:
        """See `loop.Mind.hear`."""
        batch = _decode(record)
        if batch is None:
            return
        judgement, watchers = self._judgement, self._watchers
        heard, known, metrics = 0, watchers.known, watchers.book.metrics
        for reading in batch.items:
            if reading.metric not in metrics:
                continue
            series = (reading.sensor_id, reading.metric)
            asking = known.get(series)
            if asking is None:
                asking = await watchers.find(series)
            heard += judgement.hear(reading, asking, batch.accepted_us)
        judgement.tick(batch.accepted_us)
        JUDGED.inc(heard)
        self._now_us = max(self._now_us, batch.accepted_us)
        if watchers.book.combining:
            self._beat(record.offset, is_tick=not batch.items)

    def transitions(self) -> Sequence[Transition]:
        """See `loop.Mind.transitions`."""
        return self._judgement.changes().transitions

    def said(self) -> None:
        """See `loop.Mind.said`."""
        self._judgement.written()
        self._combined = 0

    def outgoing(self) -> Sequence[Outgoing]:
        """See `loop.Mind.outgoing`."""
        return [
            Outgoing(CONDITIONS, str(beat.partition), encode_beat(beat)) for beat in self._beats
        ]

    def published(self) -> None:
        """See `loop.Mind.published`."""
        self._beats.clear()

    def pack(self) -> bytes:
        """See `loop.Mind.pack`."""
        rules = self._stage.documents(self._watchers.book)
        states = self._judgement.states()
        return pack(Memory(rules, states, beats=self._beats, now_us=self._now_us))

    def _beat(self, offset: int, is_tick: bool) -> None:
        """Changes that a record led to, for the second stage; and with every tick the time."""
        if not is_tick and not self._judgement.urgent:
            return
        changes = self._judgement.changes().conditions[self._combined :]
        if changes or is_tick:
            partition, partitions = self._place
            beat = Beat(partition, offset, partitions, self._now_us, list(changes))
            self._beats.append(beat)
            self._combined += len(changes)

    async def revise(self) -> Sequence[Transition] | None:
        """See `loop.Mind.revise`."""
        old, now = self._watchers, self._stage.watchers
        self._watchers = now
        if old is now:
            return None
        names = unsettled(self._judgement)
        areas = {name: (await self._stage.place(name)).area_ids for name in names}
        self._judgement, ended = revised(self._judgement, now.book, areas)
        return ended


def _same(old: Book, new: Book) -> bool:
    return old is new or old.rules == new.rules


def _decode(record: Record) -> Batch | None:
    try:
        return decode_batch(record.value)
    except ValueError as error:  # the writer has set it aside in quarantine
        UNREADABLE.inc()
        _log.warning("unreadable record %s/%s: %s", record.partition, record.offset, error)
        return None
