"""The border: a body of readings → what enters the log, and what is refused and why.

The gateway and the normaliser share it, so both judge alike.
"""

import asyncio
from dataclasses import dataclass

import msgspec

from services.ingest.border.decode import Items, Refusal, Wire, read_body
from services.ingest.border.judge import Admitted, Rights, judge
from services.ingest.registry.lookup import Registry
from shared.clock import Clock, to_micros
from shared.contracts.reading import ItemCode, Reading

SLICE_ITEMS = 500  # judged in one go before other requests get their turn


class TooManyItems(Exception):
    """The batch has more items than `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a batch has at most {limit} items")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused item. `index` in the request; `pointer` a JSON pointer into the body."""

    index: int
    pointer: str
    code: ItemCode
    detail: str


class Taken(msgspec.Struct, frozen=True):
    """A judged body of `size` items. `partitions`: partition of `city.readings` → its readings,
    in order."""

    body: Items
    size: int
    partitions: dict[int, list[Reading]]
    refused: list[Refused]
    accepted_us: int

    @property
    def accepted(self) -> int:
        """How many items may enter."""
        return self.size - len(self.refused)


class Single(msgspec.Struct, frozen=True, gc=False):
    """A judged body of one reading, which may enter."""

    reading: Reading
    partition: int
    accepted_us: int


class Intake:
    """Judges bodies against the registry. `max_items` per body."""

    def __init__(self, registry: Registry, clock: Clock, max_items: int) -> None:
        self._registry = registry
        self._clock = clock
        self._max_items = max_items

    async def take(self, body: bytes, rights: Rights) -> Taken:
        """Judge every item of `body`. Raises `Malformed` or `TooManyItems`."""
        return await self.take_items(read_body(body), rights)

    async def take_items(self, decoded: Items, rights: Rights) -> Taken:
        """Judge what a door has made of its own format. Raises `TooManyItems`."""
        if len(decoded) > self._max_items:
            raise TooManyItems(self._max_items)
        taken = self._begin(decoded)
        for start in range(0, taken.size, SLICE_ITEMS):
            if start:
                await asyncio.sleep(0)
            self._take_slice(taken, start, rights)
        return taken

    def take_few(self, decoded: Items, rights: Rights) -> Taken:
        """Judge at most a slice."""
        taken = self._begin(decoded)
        self._take_slice(taken, 0, rights)
        return taken

    def take_one(self, wire: Wire, rights: Rights) -> Single | None:
        """Judge a body of one item; None: it is refused, and `take_items` says why."""
        now_us = to_micros(self._clock())
        verdict = judge(wire, self._registry, rights, now_us)
        if isinstance(verdict, Admitted):
            return Single(_reading(wire, verdict, 0), verdict.partition, now_us)
        return None

    def _begin(self, decoded: Items) -> Taken:
        return Taken(decoded, len(decoded), {}, [], to_micros(self._clock()))

    def _take_slice(self, taken: Taken, start: int, rights: Rights) -> None:
        registry, now_us, partitions = self._registry, taken.accepted_us, taken.partitions
        items = taken.body.items(start, start + SLICE_ITEMS)
        for index, item in enumerate(items, start):
            if isinstance(item, Refusal):
                taken.refused.append(_refused(taken.body, index, item))
                continue
            verdict = judge(item, registry, rights, now_us)
            if isinstance(verdict, Admitted):
                reading = _reading(item, verdict, index)
                partitions.setdefault(verdict.partition, []).append(reading)
            else:
                taken.refused.append(_refused(taken.body, index, verdict))


def _reading(item: Wire, verdict: Admitted, index: int) -> Reading:
    return Reading(
        item.sensor_id,
        item.metric,
        verdict.observed_us,
        item.value,
        item.quality,
        item.replace,
        index,
    )


def _refused(body: Items, index: int, refusal: Refusal) -> Refused:
    return Refused(index, body.pointer(index, refusal.field), refusal.code, refusal.detail)
