"""`/v1/performance`: how well incidents were handled, as JSON or CSV."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from pydantic import AwareDatetime
from starlette.responses import JSONResponse, Response

from services.alerts.duties.performance import STEPS, By, Performance, Span
from shared.clock import Clock
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
From = Annotated[AwareDatetime | None, Query(alias="from")]

USUAL = timedelta(days=30)
LONGEST = timedelta(days=3660)
COLUMNS = (
    "name", "opened", "closed", "resolved", "mtta_mean", "mtta_median", "mtta_p90", "mttr_mean",
    "mttr_median", "mttr_p90", "reopened_share", *(f"on_time_{step}" for step in STEPS),
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def performance_router(performance: Performance, clock: Clock) -> APIRouter:
    """`/v1/performance`."""
    router = APIRouter(tags=["duties"])

    @router.get("/v1/performance", summary="How well incidents were handled",
                responses={200: {"content": {"text/csv": {}}}})  # fmt: skip
    async def read_performance(
        _: Viewer,
        by: By = "department",
        from_: From = None,
        to: AwareDatetime | None = None,
        accept: Annotated[str, Header()] = "",
    ) -> Response:
        """Counts, time until acknowledged and resolved in seconds, shares done in time, of
        incidents opened from `from` (30 days ago) until before `to` (now). CSV by `Accept`."""
        now = clock()
        span = _span(from_, to, now)
        rows = await performance.measure(by, span, now)
        if "text/csv" in accept:
            return Response(to_csv(rows), media_type="text/csv; charset=utf-8")
        answer = {
            "by": by, "from": span.first.isoformat(), "to": span.last.isoformat(),
            "items": [_item(row) for row in rows], "next": None,
        }  # fmt: skip
        return JSONResponse(answer)

    return router


def _span(first: Any, last: Any, now: Any) -> Span:
    try:
        span = Span(first or (last or now) - USUAL, last or now)
        good = timedelta(0) < span.last - span.first <= LONGEST
    except OverflowError:
        good = False
    if not good:
        detail = "/from: is before 'to', by ten years at most"
        raise Problem(422, "Invalid request", detail, code="invalid_request", pointer="/from")
    return span


def _item(row: dict[str, Any]) -> dict[str, Any]:
    return {column: row[column] for column in COLUMNS[:4]} | {
        "mtta_seconds": {part: row[f"mtta_{part}"] for part in ("mean", "median", "p90")},
        "mttr_seconds": {part: row[f"mttr_{part}"] for part in ("mean", "median", "p90")},
        "reopened_share": row["reopened_share"],
        "on_time": {step: row[f"on_time_{step}"] for step in STEPS},
    }


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """One line per row, names that a spreadsheet would take for formulas quoted. Pure."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        name = row["name"] or ""
        safe = f"'{name}" if name.startswith(_FORMULA) else name
        writer.writerow([safe, *(row[column] for column in COLUMNS[1:])])
    return sink.getvalue()
