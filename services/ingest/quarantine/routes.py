"""The quarantine over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from shared.web.auth import require_role
from shared.web.cursors import number_of, to_cursor

Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]


class Shelf(Protocol):
    """See `repository.Quarantine`."""

    async def list_quarantine(
        self, code: str | None, source: str | None, before: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first."""
        ...


class QuarantineItem(BaseModel):
    """What was set aside: `item` as it came, `index` in its request (-1: a whole record)."""

    id: int
    code: str
    detail: str
    source: str
    item: Any
    index: int
    topic: str
    partition: int
    offset: int
    quarantined_at: datetime


class QuarantineList(BaseModel):
    """A page of the quarantine."""

    items: list[QuarantineItem]
    next: str | None


def quarantine_router(shelf: Shelf) -> APIRouter:
    """Browse it."""
    router = APIRouter(tags=["readings"], dependencies=[Depends(require_role("viewer"))])

    @router.get("/v1/quarantine")
    async def list_quarantine(
        limit: Limit = 100, cursor: Text = None, code: Text = None, source: Text = None
    ) -> QuarantineList:
        """Newest first. `code`: of the refusal; `source`: name of the posting key."""
        rows = await shelf.list_quarantine(code, source, number_of(cursor), limit + 1)
        following = to_cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None
        items = [QuarantineItem(**row) for row in rows[:limit]]
        return QuarantineList(items=items, next=following)

    return router
