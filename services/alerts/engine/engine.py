"""The first stage: readings of one sensor → transitions, per partition of `city.readings`."""

import logging
from collections.abc import Iterable, Sequence

from services.alerts.engine.first import states_of
from services.alerts.engine.kept import Kept, Store
from services.alerts.engine.loop import Loop
from services.alerts.engine.memory import Memory, documents, pack, recall, rules_of
from services.alerts.engine.past import Past
from services.alerts.engine.watchers import Places, Watchers
from services.alerts.judging.partition import Judgement
from services.alerts.judging.revision import revised, unsettled
from services.alerts.judging.rulebook import Book
from services.alerts.judging.schedule import DayKind, plain_day
from services.alerts.judging.transition import Place, Transition
from services.alerts.metrics import JUDGED, UNREADABLE
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Batch, decode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record

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
        day_kind: DayKind = plain_day,
    ) -> None:
        self._readings = Readings(rules, places, day_kind)
        super().__init__(self._readings, store, past)

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
        self._written_down: tuple[Book, list[dict[str, object]]] | None = None
        places.listen(lambda sensor_id: self.watchers.forget(sensor_id))

    def book(self, rules: Iterable[Rule]) -> Book:
        """The rules, compiled."""
        return Book(rules, self._day_kind)

    def restore(self, kept: Kept, partition: int, partitions: int) -> "Partition":
        """See `loop.Stage.restore`."""
        memory = recall(kept, partition, partitions)
        rules, watchers = rules_of(memory), self.watchers
        if rules is not None and not _same(old := self.book(rules), watchers.book):
            watchers = Watchers(old, self._places)
        return Partition(self, memory, watchers)

    async def place(self, subject: str) -> Place:
        """See `loop.Stage.place`."""
        return await self._places.find(subject)

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

    def __init__(self, stage: Readings, memory: Memory, watchers: Watchers) -> None:
        self._stage = stage
        self._watchers = watchers
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

    def transitions(self) -> Sequence[Transition]:
        """See `loop.Mind.transitions`."""
        return self._judgement.changes().transitions

    def said(self) -> None:
        """See `loop.Mind.said`."""
        self._judgement.written()

    def pack(self) -> bytes:
        """See `loop.Mind.pack`."""
        rules = self._stage.documents(self._watchers.book)
        return pack(Memory(rules, self._judgement.states()))

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
