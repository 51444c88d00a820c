"""Metrics and areas over HTTP: lists to read."""

from typing import Any, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from shared.web.auth import require_role


class Shelf(Protocol):
    """See `repository.Repository`."""

    async def all_metrics(self) -> list[dict[str, Any]]:
        """By code."""
        ...

    async def all_areas(self, polygons: bool) -> list[dict[str, Any]]:
        """City, districts, cells."""
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


def catalogue_router(shelf: Shelf) -> APIRouter:
    """The two lists."""
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

    return router
