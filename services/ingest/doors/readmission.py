"""Items of the quarantine on their way back through the border."""

import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from services.ingest import metrics
from services.ingest.border.acceptance import rights_of
from services.ingest.border.decode import Items, Refusal, Wire
from services.ingest.border.formats.record import Unreadable, read_record
from services.ingest.border.intake import Intake, Taken
from services.ingest.doors.charging import charged
from services.ingest.keys.quotas import Quotas
from services.ingest.quarantine.held import Held
from services.ingest.quarantine.workshop import Readmitted, Reason
from shared.contracts.reading import ItemCode
from shared.web.identity import Identity

Publish = Callable[[Taken, str], Awaitable[str]]
Read = Callable[[Any], Awaitable[Items]]


class Gathered:
    """Several bodies judged as one. `owner(index)`: which of them an item belongs to."""

    def __init__(self, parts: Sequence[tuple[int, Items]]) -> None:
        self._places = [
            (number, items, index) for number, items in parts for index in range(len(items))
        ]

    def __len__(self) -> int:
        return len(self._places)

    def items(self, start: int, stop: int) -> Iterator[Wire | Refusal]:
        """As `Items.items`."""
        for _, items, index in islice(self._places, start, stop):
            yield from items.items(index, index + 1)

    def raw(self, index: int) -> bytes:
        """As `Items.raw`."""
        _, items, own = self._places[index]
        return items.raw(own)

    def pointer(self, index: int, field: str) -> str:
        """As `Items.pointer`: inside its own body."""
        _, items, own = self._places[index]
        return items.pointer(own, field)

    def owner(self, index: int) -> int:
        """The number of the body that the item is part of."""
        return self._places[index][0]


class Readmission:
    """`readers`: format → what reads an item that came in it. `intake` bounds no batch: what lies
    in quarantine as one record may be larger than a request."""

    def __init__(
        self, intake: Intake, quotas: Quotas, publish: Publish, readers: Mapping[str, Read]
    ) -> None:
        self._intake = intake
        self._quotas = quotas
        self._publish = publish
        self._readers = readers

    async def readmit(self, items: Sequence[Held], identity: Identity) -> Readmitted:
        """Judge with the rights of `identity`, and charge its quota (`Problem` 429 beyond it);
        durable in the log when it returns."""
        refused: dict[int, Reason] = {}
        parts: list[tuple[int, Items]] = []
        for held in items:
            read = await self._read(held)
            if isinstance(read, Reason):
                refused[held.id] = read
            else:
                parts.append((held.id, read))
        gathered = Gathered(parts)
        with charged(self._quotas, identity, 0) as charge:
            charge(len(gathered), 0)
            taken = await self._intake.take_items(gathered, rights_of(identity))
            receipt = await self._publish(taken, identity.name) if taken.partitions else None
        for refusal in taken.refused:
            detail = f"{refusal.pointer}: {refusal.detail}".lstrip(": ")
            refused.setdefault(gathered.owner(refusal.index), Reason(refusal.code.value, detail))
        metrics.ACCEPTED.labels("quarantine").inc(taken.accepted)
        return Readmitted(receipt, refused)

    async def _read(self, held: Held) -> Items | Reason:
        reader = self._readers.get(held.format)
        if held.mended is None and reader is not None:
            items = await reader(held.item)
        else:
            item = held.item if held.mended is None else held.mended
            try:
                items = read_record((), json.dumps(item).encode(), sys.maxsize)
            except Unreadable as error:
                return Reason(ItemCode.MALFORMED.value, str(error))
        return items if len(items) else Reason(ItemCode.MALFORMED.value, "holds no reading")
