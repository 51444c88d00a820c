"""`GET /v1/history`: one series over time."""

from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from services.ops_center.history import (
    DEFAULT_POINTS,
    MAX_POINTS,
    MIN_POINTS,
    BadParameter,
    History,
    Span,
    span_of,
)
from shared.clock import Clock
from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN
from shared.web.auth import require_role
from shared.web.problems import Problem

_MOMENT = "RFC 3339 with offset, such as 2026-05-01T08:00:00+08:00"


class Archive(Protocol):
    """The stored readings as this edge needs them."""

    async def unit(self, metric: str) -> str | None:
        """Of a metric; None if the catalogue does not have it."""
        ...

    async def has_sensor(self, sensor_id: str) -> bool:
        """Whether the registry knows it."""
        ...

    async def history(
        self, sensor_id: str, metric: str, unit: str, span: Span, points: int
    ) -> History:
        """At most `points` items, in order of time."""
        ...


def history_router(archive: Archive, clock: Clock) -> APIRouter:
    """Also for sensors that have no place in the picture."""
    router = APIRouter(tags=["history"], dependencies=[Depends(require_role("viewer"))])

    @router.get("/v1/history")
    async def history(
        sensor_id: Annotated[str, Query(pattern=SENSOR_ID_PATTERN)],
        metric: Annotated[str, Query(pattern=METRIC_PATTERN, max_length=64)],
        start: Annotated[str | None, Query(alias="from", description=_MOMENT)] = None,
        end: Annotated[str | None, Query(alias="to", description=_MOMENT)] = None,
        points: Annotated[int, Query(ge=MIN_POINTS, le=MAX_POINTS)] = DEFAULT_POINTS,
    ) -> Response:
        """Readings observed from `from` (inclusive; default 24 h before `to`) to `to` (exclusive;
        default now): each of them if there are at most `points`, else buckets of
        `resolution_seconds` with mean, min, max, count and last. Where nothing was read there is
        no item."""
        try:
            span = span_of(start, end, clock())
        except BadParameter as error:
            raise _wrong(error.name, error.detail, "invalid_value") from None
        unit = await archive.unit(metric)
        if unit is None:
            raise _wrong("metric", f"there is no metric {metric}", "unknown_metric")
        if not await archive.has_sensor(sensor_id):
            detail = f"There is no sensor {sensor_id}."
            raise Problem(404, "Not found", detail, code="unknown_sensor")
        found = await archive.history(sensor_id, metric, unit, span, points)
        return Response(msgspec.json.encode(found), media_type="application/json")

    return router


def _wrong(name: str, detail: str, code: str) -> Problem:
    pointer = f"/query/{name}"
    errors = [{"pointer": pointer, "detail": detail, "code": code}]
    detail = f"{pointer}: {detail}"
    return Problem(422, "Invalid request", detail, code="invalid_request", errors=errors)
