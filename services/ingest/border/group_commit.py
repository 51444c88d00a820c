"""Group commit: small requests that arrive together share one record per partition.

The log's price is per record, not per reading. While one group is on its way the next one gathers,
so a group is as large as the load makes it, and a lone request waits for nobody.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.ingest.border import receipts
from services.ingest.border.batches import Shared, to_records
from services.ingest.border.intake import Single, Taken
from shared import tracing
from shared.contracts.reading import Reading
from shared.errors import Overloaded, Unavailable
from shared.eventlog.log import EventLog
from shared.tracing import Journey

SMALL_ITEMS = 1_000  # a request of more has records of its own, and need not wait for a group
GROUP_ITEMS = 4_000  # then it leaves at once
GROUPS_UNDER_WAY = 1
WAITING_REQUESTS = 5_000  # of this process, before more are refused
TRACED = "gateway: POST"

Trace = Callable[[Sequence[Reading]], str]


@dataclass(frozen=True, slots=True)
class Durable:
    """A group that the log has acknowledged. `offsets`: partition → offset of its record."""

    incarnation: str
    offsets: Mapping[int, int]

    def receipt_of_one(self, partition: int, first: int, size: int = 1) -> str:
        """Of a request of `size` items, numbered from `first`, that only `partition` has any of."""
        offset = self.offsets[partition]
        return receipts.encode_one(self.incarnation, partition, offset, first, size)


class Waiter(Protocol):
    """A request that waits for its group."""

    def arrived(self, durable: Durable, first: int) -> None:
        """Its readings are durable, numbered from `first` in the group's records."""
        ...

    def failed(self, error: Exception) -> None:
        """They are not."""
        ...


@dataclass(slots=True)
class Group:
    """What gathers. `waiting`: each request, and the number of its first reading."""

    shared: Shared = field(default_factory=Shared)
    waiting: list[tuple[Waiter, int]] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)

    def tell(self, durable: Durable) -> None:
        """Every request that waits."""
        for journey in self.journeys:
            journey.end()
        for waiter, first in self.waiting:
            waiter.arrived(durable, first)

    def refuse(self, error: Exception) -> int:
        """Tell every request that waits, how many; from now on none does."""
        for journey in self.journeys:
            journey.end(error)
        waiting, self.waiting, self.journeys = self.waiting, [], []
        for waiter, _ in waiting:
            waiter.failed(error)
        return len(waiting)


class GroupCommit:
    """Publishes readings to `city.readings` and answers with receipts."""

    def __init__(self, log: EventLog, heard: Callable[[], None] = lambda: None) -> None:
        """`heard` is called whenever the log has acknowledged something."""
        self._log = log
        self._heard = heard
        self._gathering = Group()
        self._under_way: dict[asyncio.Task[None], Group] = {}
        self._waiting = 0
        self._scheduled = False

    async def publish(
        self, taken: Taken, source: str, trace: Trace | None = None, parent: bytes | None = None
    ) -> str:
        """The receipt, once every record is durable. Raises `Unavailable` or `Overloaded`.

        What has a `trace` has records of its own, since a record keeps one trace. `parent`: the W3C
        context that the request brought.
        """
        count = taken.size
        if count > SMALL_ITEMS or trace is not None:
            places = await self.append(taken, source, trace, parent)
            return receipts.encode(await self._log.incarnation(), places)
        pending = _Pending(asyncio.get_running_loop().create_future())
        self.enter(taken, source, pending, parent)
        return receipt_of(taken, *await pending.done)

    def enter(self, taken: Taken, source: str, waiter: Waiter, parent: bytes | None = None) -> None:
        """A small request into the group that gathers. Raises `Overloaded`; else `waiter` is
        told what became of it."""
        shared = self._room()
        first = shared.add(taken.partitions, taken.size, taken.accepted_us, source)
        self._wait(waiter, first, taken.partitions, taken.accepted_us, parent)

    def enter_one(
        self, one: Single, source: str, waiter: Waiter, parent: bytes | None = None
    ) -> None:
        """The same for a request of a single item."""
        shared = self._room()
        first = shared.add_one(one.partition, one.reading, one.accepted_us, source)
        self._wait(waiter, first, (one.partition,), one.accepted_us, parent)

    async def append(
        self, taken: Taken, source: str, trace: Trace | None = None, parent: bytes | None = None
    ) -> list[tuple[int, int]]:
        """Into records of its own; (partition, offset) of each, once they are durable."""
        journey = tracing.begin(TRACED, parent, taken.accepted_us)
        headers = () if journey is None else (journey.header,)
        records = to_records(taken.partitions, taken.accepted_us, source, trace, headers)
        try:
            positions = await self._log.publish(records)
        except BaseException as error:
            if journey is not None:
                journey.end(error)
            raise
        self._heard()
        if journey is not None:
            journey.end()
        return [(position.partition, position.offset) for position in positions]

    async def incarnation(self) -> str:
        """Of the log."""
        return await self._log.incarnation()

    def give_up(self, error: Overloaded) -> None:
        """Refuse what gathers, and what is under way: whether that is durable nobody can say, and
        to repeat it changes nothing."""
        groups, self._gathering = [*self._under_way.values(), self._gathering], Group()
        for group in groups:
            self._waiting -= group.refuse(error)

    def _room(self) -> Shared:
        if self._waiting >= WAITING_REQUESTS:
            raise Overloaded("too many requests wait for the event log", 1)
        return self._gathering.shared

    def _wait(
        self, waiter: Waiter, first: int, partitions: Collection[int], accepted_us: int,
        parent: bytes | None,
    ) -> None:  # fmt: skip
        """`waiter` for the group that gathers, where its items are."""
        group = self._gathering
        group.waiting.append((waiter, first))
        journey = tracing.begin(TRACED, parent, accepted_us)
        if journey is not None:
            group.journeys.append(journey)
            group.shared.trace(partitions, journey.header)
        self._waiting += 1
        self._schedule(full=group.shared.size > GROUP_ITEMS - SMALL_ITEMS)

    def _schedule(self, full: bool) -> None:
        """Requests of the same turn of the loop come along; a full group leaves at once."""
        if full:
            self._leave()
        elif not self._scheduled and len(self._under_way) < GROUPS_UNDER_WAY:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self._gathering.waiting and len(self._under_way) < GROUPS_UNDER_WAY:
            self._leave()

    def _leave(self) -> None:
        group, self._gathering = self._gathering, Group()
        task = asyncio.get_running_loop().create_task(self._commit(group))
        self._under_way[task] = group
        task.add_done_callback(self._arrived)

    def _arrived(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task)
        self._turn()

    async def _commit(self, group: Group) -> None:
        """Publish a group; what becomes of it concerns its own requests and no others."""
        try:
            positions = await self._log.publish(group.shared.records())
            self._heard()
            offsets = {position.partition: position.offset for position in positions}
            durable = Durable(await self._log.incarnation(), offsets)
        except BaseException as error:  # each request is told, whatever it is
            told = error if isinstance(error, Exception) else Unavailable("closing")
            self._waiting -= group.refuse(told)
            if not isinstance(error, Exception):
                raise
            return
        self._waiting -= len(group.waiting)
        group.tell(durable)


class _Pending:
    """A waiter that a coroutine awaits: (what is durable, the number of its first reading)."""

    def __init__(self, done: "asyncio.Future[tuple[Durable, int]]") -> None:
        self.done = done

    def arrived(self, durable: Durable, first: int) -> None:
        if not self.done.done():  # else its request was cancelled
            self.done.set_result((durable, first))

    def failed(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def receipt_of(taken: Taken, durable: Durable, first: int) -> str:
    """The receipt of a request whose readings are numbered from `first` in shared records."""
    if len(taken.partitions) == 1:
        [partition] = taken.partitions
        return durable.receipt_of_one(partition, first, taken.size)
    places = [(partition, durable.offsets[partition]) for partition in taken.partitions]
    return receipts.encode(durable.incarnation, places, first, taken.size)
