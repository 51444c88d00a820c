"""The quarantine over HTTP: looking at it."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.quarantine.selection import Bound, Count, Selection, State, Text
from shared.web.auth import identify_request, require_role
from shared.web.cursors import number_of, to_cursor
from shared.web.identity import Identity
from shared.web.problems import Problem


class Shelf(Protocol):
    """See `repository.Quarantine`."""

    async def page(
        self, selection: Selection, before: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first."""
        ...

    async def one(self, number: int) -> dict[str, Any] | None:
        """One item with its `changes`."""
        ...

    async def counts(self) -> list[Count]:
        """What lies there."""
        ...

    async def dropped(self) -> list[Count]:
        """What the bound has cost."""
        ...


class PageQuery(Selection):
    """A selection, one page at a time."""

    model_config = ConfigDict(extra="ignore")

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Text = None


class QuarantineItem(BaseModel):
    """What was set aside: `item` as it came, `index` in its request (-1: a whole record).

    `format`: in which it came; `reading`: what its door made of it; `mended`: what would be
    replayed instead; `receipt`: of the replay.
    """

    id: int
    state: State
    code: str
    detail: str
    source: str
    format: str
    item: Any
    reading: Any
    mended: Any
    receipt: str | None
    index: int
    topic: str
    partition: int
    offset: int
    quarantined_at: datetime


class QuarantineChange(BaseModel):
    """What somebody did with an item. `item`: as mended."""

    at: datetime
    actor: str
    action: str
    detail: str
    item: Any


class QuarantineDetail(QuarantineItem):
    """An item and its history, oldest first."""

    changes: list[QuarantineChange]


class QuarantineList(BaseModel):
    """A page of the quarantine."""

    items: list[QuarantineItem]
    next: str | None


class Group(BaseModel):
    """How many items share a source, a reason and a state."""

    source: str
    code: str
    state: str
    items: int


class Summary(BaseModel):
    """`by_code`: what waits, by reason; `dropped`: what the bound has cost so far, counted."""

    waiting: int
    by_code: dict[str, int]
    groups: list[Group]
    dropped: list[Group]
    bound: Bound


async def reader(identity: Annotated[Identity, Depends(identify_request)]) -> Identity:
    """Operators and API keys: what lies in quarantine is nothing for a screen."""
    if identity.kind != "key":
        return await require_role("operator", somewhere=True)(identity)
    return identity


def quarantine_router(shelf: Shelf, bound: Bound) -> APIRouter:
    """Browse it."""
    router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"], dependencies=[Depends(reader)])

    @router.get("")
    async def list_quarantine(wanted: Annotated[PageQuery, Query()]) -> QuarantineList:
        """Newest first. `code`: of the refusal; `source`: name of the posting key; `since` and
        `until`: when it was set aside."""
        limit = wanted.limit
        rows = await shelf.page(wanted, number_of(wanted.cursor), limit + 1)
        following = to_cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None
        items = [QuarantineItem(**row) for row in rows[:limit]]
        return QuarantineList(items=items, next=following)

    @router.get("/summary")
    async def summary() -> Summary:
        """How much lies there and why; and what the bound has cost."""
        return _summary(await shelf.counts(), await shelf.dropped(), bound)

    @router.get("/{number}", responses={404: {"description": "No such item"}})
    async def read_item(number: int) -> QuarantineDetail:
        """One item with its history."""
        row = await shelf.one(number) if 0 < number < 1 << 63 else None
        if row is None:
            raise no_such_item()
        return QuarantineDetail(**row)

    return router


def no_such_item() -> Problem:
    """404."""
    return Problem(404, "Not found", "No such item lies in quarantine.", code="not_found")


def _summary(counts: list[Count], dropped: list[Count], bound: Bound) -> Summary:
    by_code: Counter[str] = Counter()
    for count in counts:
        if count.state == "waiting":
            by_code[count.code] += count.items
    return Summary(
        waiting=by_code.total(),
        by_code=dict(by_code),
        groups=[Group(**count._asdict()) for count in counts],
        dropped=[Group(**count._asdict()) for count in dropped],
        bound=bound,
    )
