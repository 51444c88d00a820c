"""The second stage: rules over several sensors, on the low-volume `city.conditions`."""

import logging
from collections.abc import Iterable, Sequence

import msgspec

from services.alerts.engine.beats import Beat, decode_beat
from services.alerts.engine.kept import Kept, Store
from services.alerts.engine.loop import Loop
from services.alerts.engine.memory import Unreadable, documents, pack, rules_of, unpack
from services.alerts.engine.past import Past
from services.alerts.engine.watchers import Places
from services.alerts.judging.combination import Combination, CombinationStates
from services.alerts.judging.revision import revised_combination
from services.alerts.judging.rulebook import Book
from services.alerts.judging.schedule import DayKind, official_day
from services.alerts.judging.transition import Place, Transition
from services.alerts.metrics import UNREADABLE
from services.alerts.rules.rule import Rule
from shared.contracts.topics import CONDITIONS
from shared.eventlog.log import Outgoing, Record

_log = logging.getLogger(__name__)

GROUP = "alerts-combining"


class CombinedMemory(msgspec.Struct):
    """See `memory.Memory`. `taken`: per partition of the readings the last offset heard of;
    `now_us`: how far time has come there."""

    rules: list[dict[str, object]] | None = None
    states: CombinationStates = msgspec.field(default_factory=CombinationStates)
    taken: dict[int, int] = {}
    now_us: dict[int, int] = {}


class CombiningEngine(Loop):
    """One member of the group that judges `city.conditions`."""

    def __init__(
        self,
        rules: Iterable[Rule],
        places: Places,
        store: Store,
        past: Past | None = None,
        day_kind: DayKind = official_day,
    ) -> None:
        self._changes = ConditionChanges(Book(rules, day_kind), places)
        self._day_kind = day_kind
        super().__init__(self._changes, store, past)

    def adopt(self, rules: Iterable[Rule]) -> None:
        """See `engine.Engine.adopt`."""
        self._changes.coming = Book(rules, self._day_kind)
        self.rules_changed()


class ConditionChanges:
    """`loop.Stage`. `book`: the rules in force; `coming`: rules that are not yet."""

    topic = CONDITIONS
    group = GROUP

    def __init__(self, book: Book, places: Places) -> None:
        self.book = book
        self.coming: Book | None = None
        self._places = places

    def restore(self, kept: Kept, partition: int, partitions: int) -> "Whole":
        """See `loop.Stage.restore`. Offsets of another log mean nothing."""
        try:
            found = [unpack(one.form, one.kept, CombinedMemory) for one in kept.snapshots]
            memory = found[-1] if found else CombinedMemory()
        except Unreadable as error:
            _log.error("rules over several sensors start with no memory: %s", error)
            memory = CombinedMemory()
        if not kept.own:
            memory.taken, memory.now_us = {}, {}
        rules = rules_of(memory.rules)
        book = self.book if rules is None else Book(rules, self.book.day_kind)
        return Whole(self, self.book if book.rules == self.book.rules else book, memory)

    async def place(self, subject: str) -> Place:
        """See `loop.Stage.place`."""
        return await self._places.find(subject)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """See `loop.Stage.publish`. Nothing follows."""

    def change_rules(self) -> None:
        """See `loop.Stage.change_rules`."""
        if self.coming is not None and self.coming.rules != self.book.rules:
            self.book = self.coming
        self.coming = None


class Whole:
    """`loop.Mind`: what is known of all areas and groups."""

    def __init__(self, stage: ConditionChanges, book: Book, memory: CombinedMemory) -> None:
        self._stage = stage
        self._combination = Combination(book, memory.states)
        self._taken, self._now_us = memory.taken, memory.now_us

    @property
    def urgent(self) -> bool:
        """See `loop.Mind.urgent`."""
        return self._combination.urgent

    async def hear(self, record: Record) -> None:
        """See `loop.Mind.hear`. What was published twice is heard once."""
        try:
            beat = decode_beat(record.value)
        except ValueError as error:
            UNREADABLE.inc()
            _log.warning("unreadable record %s/%d: %s", record.topic, record.offset, error)
            return
        if beat.offset <= self._taken.get(beat.partition, -1):
            return
        self._taken[beat.partition] = beat.offset
        for change in beat.changes:
            self._combination.hear(change)
        self._pass_time(beat)

    def transitions(self) -> Sequence[Transition]:
        """See `loop.Mind.transitions`."""
        return self._combination.changes()

    def said(self) -> None:
        """See `loop.Mind.said`."""
        self._combination.written()

    def outgoing(self) -> Sequence[Outgoing]:
        """See `loop.Mind.outgoing`."""
        return ()

    def published(self) -> None:
        """See `loop.Mind.published`."""

    def pack(self) -> bytes:
        """See `loop.Mind.pack`."""
        combination = self._combination
        rules = documents(combination.book.rules.values())
        return pack(CombinedMemory(rules, combination.states(), self._taken, self._now_us))

    async def revise(self) -> Sequence[Transition] | None:
        """See `loop.Mind.revise`."""
        if self._combination.book is self._stage.book:
            return None
        self._combination, ended = revised_combination(self._combination, self._stage.book)
        return ended

    def _pass_time(self, beat: Beat) -> None:
        """It has come as far as in the partition that is furthest behind."""
        known = self._now_us
        known[beat.partition] = max(beat.now_us, known.get(beat.partition, 0))
        if len(known) >= beat.partitions:
            self._combination.tick(min(known.values()))
