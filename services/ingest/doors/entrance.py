"""A door for systems that read no answers: what is refused is set aside as well as told."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.ingest import metrics
from services.ingest.border.acceptance import rights_of
from services.ingest.border.intake import Intake, Refused, Taken
from services.ingest.doors.found import Adapted
from services.ingest.quarantine.aside import SetAside, as_json
from shared.contracts.reading import ItemCode
from shared.web.identity import Identity

DOORS = "doors"  # stands where the log's incarnation stands in other rows of the quarantine

Publish = Callable[[Taken, str], Awaitable[str]]


class Shelf(Protocol):
    """See `quarantine.repository.Quarantine`."""

    async def set_aside(self, rows: Sequence[SetAside], incarnation: str) -> None:
        """Keep; what is kept already is left alone."""
        ...


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a payload. Nothing of it is lost any more."""

    receipt: str | None
    accepted: int
    refused: list[Refused]


class Entrance:
    """The same intake, rights, log and bounds as everybody's. `check` raises `Overloaded` while
    nothing may enter."""

    def __init__(
        self, intake: Intake, publish: Publish, shelf: Shelf, check: Callable[[], None]
    ) -> None:
        self._intake = intake
        self._publish = publish
        self._shelf = shelf
        self._check = check

    async def enter(self, adapted: Adapted, door: str, identity: Identity) -> Entered:
        """Durable, in the log or in quarantine, when it returns. Raises `Unavailable`, or
        `TooManyItems`; then the sender may send it all again."""
        self._check()
        taken = await self._intake.take_items(adapted, rights_of(identity))
        receipt = await self._publish(taken, identity.name) if taken.partitions else None
        rows = [_aside(adapted, refused, door, identity.name) for refused in taken.refused]
        await self._shelf.set_aside(rows, DOORS)
        metrics.ACCEPTED.labels(door).inc(taken.accepted)
        for refused in taken.refused:
            metrics.REJECTED.labels(door, refused.code.value).inc()
        return Entered(receipt, taken.accepted, taken.refused)

    async def set_aside(
        self, raw: bytes, door: str, source: str, code: ItemCode, detail: str
    ) -> None:
        """A payload that could not even be taken apart."""
        row = SetAside(f"doors/{door}", 0, _number(source, raw), 0, source, code, detail,
                       as_json(raw), door)  # fmt: skip
        await self._shelf.set_aside([row], DOORS)
        metrics.REJECTED.labels(door, code.value).inc()


def _aside(adapted: Adapted, refused: Refused, door: str, source: str) -> SetAside:
    raw = adapted.raw(refused.index)
    reading = adapted.found[refused.index].reading
    return SetAside(
        topic=f"doors/{door}",
        partition=0,
        offset=_number(source, raw),
        index=0,
        source=source,
        code=refused.code,
        detail=f"{refused.pointer}: {refused.detail}".lstrip(": "),
        item=as_json(raw),
        format=door,
        reading=as_json(adapted.reading(refused.index)) if reading else None,
    )


def _number(source: str, raw: bytes) -> int:
    """The same item from the same source, sent again, is not set aside twice."""
    digest = hashlib.sha256(source.encode() + b"\0" + raw).digest()
    return int.from_bytes(digest[:8], "big") >> 1
