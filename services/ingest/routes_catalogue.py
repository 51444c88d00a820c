"""Metrics, areas and the quarantine over HTTP: lists to read."""

from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.ingest.cursors import number_of, to_cursor
from shared.web.auth import require_role

Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]


class Shelf(Protocol):
    """See `repository.Repository`."""

    async def all_metrics(self) -> list[dict[str, Any]]:
        """By code."""
        ...

    async def all_areas(self, polygons: bool) -> list[dict[str, Any]]:
        """City, districts, cells."""
        ...

    async def list_quarantine(
        self, code: str | None, source: str | None, before: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first."""
        ...


class MetricItem(BaseModel):
    """A metric: `minimum` and `maximum` bound what is plausible, in `unit`."""

    metric: str
    domain: str
    unit: str
    name_zh: str
    name_en: str
    minimum: float | None
    maximum: float | None
    normal_low: float | None
    normal_high: float | None
    interval_seconds: int
    max_age_seconds: int


class MetricList(BaseModel):
    """The catalogue, whole."""

    items: list[MetricItem]
    next: None = None


class AreaItem(BaseModel):
    """An area; `polygon` (GeoJSON geometry, WGS 84) only on request."""

    area_id: str
    parent_id: str | None
    level: str
    name_zh: str
    name_en: str
    polygon: dict[str, Any] | None = None


class AreaList(BaseModel):
    """Every area."""

    items: list[AreaItem]
    next: None = None


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


def catalogue_router(shelf: Shelf) -> APIRouter:
    """The three lists."""
    router = APIRouter(dependencies=[Depends(require_role("viewer"))])

    @router.get("/v1/metrics", tags=["sensors"])
    async def list_metrics() -> MetricList:
        """Every metric that a reading may have."""
        return MetricList(items=[MetricItem(**row) for row in await shelf.all_metrics()])

    @router.get("/v1/areas", tags=["sensors"], response_model_exclude_unset=True)
    async def list_areas(polygons: bool = False) -> AreaList:
        """The city, its districts and the grid cells with sensors in them."""
        rows = await shelf.all_areas(polygons)
        return AreaList(items=[AreaItem(**row) for row in rows], next=None)

    @router.get("/v1/quarantine", tags=["readings"])
    async def list_quarantine(
        limit: Limit = 100, cursor: Text = None, code: Text = None, source: Text = None
    ) -> QuarantineList:
        """Newest first. `code`: of the refusal; `source`: name of the posting key."""
        rows = await shelf.list_quarantine(code, source, number_of(cursor), limit + 1)
        following = to_cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None
        items = [QuarantineItem(**row) for row in rows[:limit]]
        return QuarantineList(items=items, next=following)

    return router
