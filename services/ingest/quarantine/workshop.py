"""Work on the quarantine: mending, replaying and discarding, one by one and in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from services.ingest.quarantine.held import Change, Held
from services.ingest.quarantine.mending import Rule, Unmendable, mend
from services.ingest.quarantine.selection import Selection
from shared.store.audit import By
from shared.web.identity import Identity

SAMPLES = 20
REPLAY_AT_ONCE = 500


class Gone(Exception):
    """No such item."""


class Settled(Exception):
    """The item is replayed, or somebody has just changed it: nothing is to be changed now."""


class Shelf(Protocol):
    """See `changes.Changes`."""

    async def held(self, selection: Selection, after: int, limit: int) -> list[Held]:
        """Oldest first, beyond the id `after`."""
        ...

    async def apply(self, changes: Sequence[Change], by: By) -> set[int]:
        """The ids that were changed."""
        ...


class Reason(NamedTuple):
    """Why an item is not taken."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Readmitted:
    """What the border said. `refused`: id → reason; the rest is in the log, under `receipt`."""

    receipt: str | None
    refused: Mapping[int, Reason]


class Border(Protocol):
    """See `doors.readmission.Readmission`."""

    async def readmit(self, items: Sequence[Held], identity: Identity) -> Readmitted:
        """Judge like everybody else's; durable in the log when it returns."""
        ...


class Sample(NamedTuple):
    """An item before and after a rule."""

    id: int
    before: Any
    after: Any


@dataclass(slots=True)
class Work:
    """What came of a bulk operation. `next`: the last id it came to; None when it is through."""

    done: int = 0
    left: dict[int, Reason] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    next: int | None = None


class Workshop:
    """Everything that changes an item of the quarantine."""

    def __init__(self, shelf: Shelf, border: Border) -> None:
        self._shelf = shelf
        self._border = border

    async def mend_one(self, number: int, item: Any, note: str, by: By) -> None:
        """Put `item` beside the original; None: forget what was mended. It waits again.
        Raises `Gone` or `Settled`."""
        held = await self._one(number)
        action: Any = "restored" if item is None else "mended"
        changed = replace(held, mended=item, state="waiting")
        if not await self._shelf.apply([Change(changed, action, note)], by):
            raise Settled

    async def mend(
        self, selection: Selection, rule: Rule, after: int, limit: int, by: By, dry_run: bool
    ) -> Work:
        """Apply `rule` to what waits and nobody has mended yet, so that repeating it is safe."""
        rows = await self._waiting(selection, after, limit)
        work = _begin(rows, limit)
        changes: list[Change] = []
        for held in rows:
            if held.mended is not None and selection.ids is None:
                work.left[held.id] = Reason("mended", "mended before: name its id to mend it again")
                continue
            try:
                made = mend(rule, held.as_reading)
            except Unmendable as error:
                work.left[held.id] = Reason("unmendable", str(error))
                continue
            changes.append(Change(replace(held, mended=made), "mended", rule.model_dump_json()))
            if len(work.samples) < SAMPLES:
                work.samples.append(Sample(held.id, held.as_reading, made))
        if dry_run:
            work.done = len(changes)
        else:
            self._finish(work, changes, await self._shelf.apply(changes, by))
        return work

    async def replay(
        self, selection: Selection, after: int, limit: int, identity: Identity
    ) -> Work:
        """Through the border with `identity`'s rights. What is refused again stays, with the new
        reason. A crash on the way leaves items waiting that are stored: replaying them once more
        changes nothing (the natural key)."""
        rows = await self._waiting(selection, after, limit)
        work = _begin(rows, limit)
        for start in range(0, len(rows), REPLAY_AT_ONCE):
            some = rows[start : start + REPLAY_AT_ONCE]
            taken = await self._border.readmit(some, identity)
            changes = [_replayed(held, taken) for held in some]
            applied = await self._shelf.apply(changes, identity.by)
            self._finish(work, [c for c in changes if c.action == "replayed"], applied)
            work.left |= taken.refused
            if taken.receipt is not None:
                work.receipts.append(taken.receipt)
        return work

    async def discard(
        self, selection: Selection, after: int, limit: int, by: By, note: str
    ) -> Work:
        """Give up what waits, for the reason `note`. A mend brings it back."""
        rows = await self._waiting(selection, after, limit)
        work = _begin(rows, limit)
        changes = [Change(replace(held, state="discarded"), "discarded", note) for held in rows]
        self._finish(work, changes, await self._shelf.apply(changes, by))
        return work

    async def _one(self, number: int) -> Held:
        found = await self._shelf.held(Selection(ids=[number]), 0, 1)
        if not found:
            raise Gone
        if found[0].state == "replayed":
            raise Settled
        return found[0]

    async def _waiting(self, selection: Selection, after: int, limit: int) -> list[Held]:
        waiting = selection.model_copy(update={"state": "waiting"})
        return await self._shelf.held(waiting, after, limit)

    @staticmethod
    def _finish(work: Work, changes: Iterable[Change], applied: set[int]) -> None:
        for change in changes:
            if change.held.id in applied:
                work.done += 1
            else:
                work.left[change.held.id] = Reason("changed", "somebody has just changed it")


def _begin(rows: Sequence[Held], limit: int) -> Work:
    return Work(next=rows[-1].id if len(rows) == limit else None)


def _replayed(held: Held, taken: Readmitted) -> Change:
    reason = taken.refused.get(held.id)
    if reason is None:
        return Change(replace(held, state="replayed", receipt=taken.receipt), "replayed")
    note = f"{reason.code}: {reason.detail}"
    return Change(replace(held, code=reason.code, detail=reason.detail), "refused", note)
