"""NDJSON of any length: judged and published slice by slice, answered once at the end.

The next slice is read only when the last one is durable, so a stream is as fast as the log and
the memory it needs does not grow. What breaks off in the middle (the sender hangs up, the log
fails) leaves the slices before it durable; to send everything again is safe, since a reading that
is stored already changes nothing.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec

from services.ingest.border import receipts
from services.ingest.border.acceptance import Acceptance, Poster, count, rights_of
from services.ingest.border.batches import count_on
from services.ingest.border.formats.lines import Lines
from services.ingest.border.formats.parts import Part, Parts
from services.ingest.border.formats.unpack import Corrupt, unpacker
from services.ingest.border.intake import Refused, Taken
from services.ingest.requests import Gone
from shared.web.problems import Problem, from_error

SLICE_ITEMS = 4_000
SLICE_BYTES = 1024 * 1024
LISTED = 1_000  # refused lines that the answer describes; the others are counted
RECEIPT_PLACES = 250  # records that one receipt names
EARLIER_RECEIPTS = 100

_encode = msgspec.json.Encoder().encode


class Slips:
    """Where the stream's readings lie, as receipts."""

    def __init__(self) -> None:
        self._places: list[tuple[int, int]] = []
        self._last: dict[int, int] = {}
        self._earlier: deque[str] = deque(maxlen=EARLIER_RECEIPTS)
        self._incarnation = ""
        self.dropped = 0

    def add(self, incarnation: str, places: Sequence[tuple[int, int]]) -> None:
        """Further records."""
        self._incarnation = incarnation
        if len(self._places) + len(places) > RECEIPT_PLACES:
            self.dropped += len(self._earlier) == EARLIER_RECEIPTS
            self._earlier.append(receipts.encode(self._incarnation, self._places))
            self._places = []
        self._places += places
        self._last |= dict(places)

    def receipts(self) -> tuple[str | None, list[str]]:
        """The receipt, and earlier ones where one cannot name everything. A partition is stored in
        order, so the receipt names the last record of each: once it is stored, all is."""
        named = {partition for partition, _ in self._places}
        rest = [place for place in self._last.items() if place[0] not in named]
        places = [*rest, *self._places]
        return (receipts.encode(self._incarnation, places) if places else None), list(self._earlier)


class Stream:
    """One request. `slice_items`: published in one go."""

    def __init__(self, acceptance: Acceptance, poster: Poster, slice_items: int) -> None:
        self._acceptance = acceptance
        self._poster = poster
        self._slice_items = min(slice_items, SLICE_ITEMS, poster.account.readings.burst)
        self._begun: list[Part] = []
        self._begun_bytes = 0
        self._judged = 0
        self._accepted = 0
        self._listed: list[Refused] = []
        self._codes: Counter[str] = Counter()
        self._slips = Slips()

    async def take(self, portions: AsyncIterator[bytes], coding: str | None) -> tuple[int, bytes]:
        """Status and body. Raises `Gone`, or a `Problem` that tells how far it came."""
        try:
            async with aclosing(portions):  # type: ignore[type-var]
                await self._read(portions, coding)
        except Gone:
            raise
        except Exception as error:
            problem = from_error(error)
            if problem.status == 500:
                raise
            if self._judged:
                problem.extra |= self._so_far()
            raise problem from error
        if not self._judged:
            raise Problem(422, "Empty stream", "The stream holds no reading.", code="empty")
        return 202 if self._accepted else 422, _encode(self._so_far())

    async def _read(self, portions: AsyncIterator[bytes], coding: str | None) -> None:
        source, lines = unpacker(coding), Lines()
        try:
            async for portion in portions:
                for piece in source.feed(portion):
                    for part in lines.feed(piece):
                        await self._add(part)
                if not portion:
                    await self._publish()
            source.end()
        except Corrupt as error:
            detail = f"The stream cannot be unpacked: {error.detail}, at byte {error.position}."
            raise Problem(
                400, "Malformed body", detail, code="malformed", position=error.position
            ) from None
        for part in lines.end():
            await self._add(part)
        await self._publish()

    async def _add(self, part: Part) -> None:
        self._begun.append(part)
        self._begun_bytes += len(part.raw)
        if len(self._begun) >= self._slice_items or self._begun_bytes >= SLICE_BYTES:
            await self._publish()

    async def _publish(self) -> None:
        """The slice that has gathered; only what is durable is counted."""
        if not self._begun:
            return
        items, size = Parts(self._begun), self._begun_bytes
        self._begun, self._begun_bytes = [], 0
        await self._pay(len(items), size)
        taken = await self._acceptance.judge(items, rights_of(self._poster.identity))
        if taken.partitions:
            for readings in taken.partitions.values():
                count_on(readings, self._judged)
            found = await self._acceptance.append(taken, self._poster.identity.name)
            self._slips.add(found.incarnation, found.places)
        self._account(taken)

    async def _pay(self, items: int, size: int) -> None:
        """A stream over its quota is not refused but made to wait."""
        account = self._poster.account
        account.charge(items, size)
        while wait := account.wait():
            await asyncio.sleep(wait)

    def _account(self, taken: Taken) -> None:
        for refused in taken.refused:
            self._codes[refused.code.value] += 1
            if len(self._listed) < LISTED:
                self._listed.append(replace(refused, index=self._judged + refused.index))
        self._judged += taken.size
        self._accepted += taken.accepted
        count(taken.accepted, taken.refused)

    def _so_far(self) -> dict[str, Any]:
        receipt, earlier = self._slips.receipts()
        found: dict[str, Any] = {
            "receipt": receipt,
            "accepted": self._accepted,
            "rejected": [msgspec.to_builtins(refused) for refused in self._listed],
            "rejected_total": sum(self._codes.values()),
            "rejected_by_code": dict(self._codes),
            "items": self._judged,
        }
        if earlier:
            found |= {"earlier_receipts": earlier, "dropped_receipts": self._slips.dropped}
        return found
