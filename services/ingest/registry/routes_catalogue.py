"""`/v1/metrics`: the catalogue over HTTP."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from services.ingest.registry.catalogue import Definition, MetricPut
from services.ingest.registry.registrar import Registrar, UnitInUse
from shared.contracts.reading import METRIC_PATTERN
from shared.web.auth import require_role, require_scope
from shared.web.identity import Identity
from shared.web.problems import Problem

Registering = Annotated[Identity, Depends(require_scope("register"))]
MetricPath = Annotated[str, Path(pattern=METRIC_PATTERN, max_length=64, examples=["water.level"])]


class Shelf(Protocol):
    """See `repository.Repository`."""

    async def all_metrics(self) -> list[Definition]:
        """By code."""
        ...


class MetricList(BaseModel):
    """The catalogue, whole."""

    items: list[Definition]
    next: None = None


def catalogue_router(shelf: Shelf, registrar: Registrar) -> APIRouter:
    """List metrics, make and replace them."""
    router = APIRouter(tags=["sensors"])

    @router.get(
        "/v1/metrics",
        summary="The catalogue of metrics",
        dependencies=[Depends(require_role("viewer"))],
    )
    async def list_metrics() -> MetricList:
        """Every metric that a reading may have."""
        return MetricList(items=await shelf.all_metrics())

    @router.put(
        "/v1/metrics/{code}",
        summary="Make or replace a metric",
        responses={409: {"description": "Sensors have this metric in another unit."}},
    )
    async def put_metric(who: Registering, code: MetricPath, body: MetricPut) -> Definition:
        """Every process knows it within seconds. A new range counts for readings that come in
        from then on, for all sensors that have the metric; what is stored stays as it is. The
        unit of a metric that sensors have cannot change: make another metric."""
        try:
            return await registrar.define(code, body, who.by)
        except UnitInUse:
            detail = f"Sensors measure {code} in another unit: make a metric of its own for this."
            raise Problem(409, "Conflict", detail, code="unit_in_use") from None

    return router
