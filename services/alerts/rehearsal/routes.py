"""Previews over HTTP: what a draft of a rule would have raised."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import APIRouter, Depends, Query, Request

from services.alerts.rehearsal.preview import Answer, Question, span
from services.alerts.rules import body
from services.alerts.rules.versions import Standing
from shared.clock import Clock
from shared.web.auth import require_role
from shared.web.identity import Identity

Admin = Annotated[Identity, Depends(require_role("admin"))]
MAX_ROWS = 2_000_000
MAX_SECONDS = 30.0
MAX_DAYS = 31


class Previews(Protocol):
    """Who plays history."""

    async def ask(self, question: Question) -> Answer:
        """Raises `Overloaded`, `Unavailable`."""
        ...


Find = Callable[[str], Awaitable[dict[str, Standing]]]


def preview_router(previews: Previews, find: Find, clock: Clock) -> APIRouter:
    """`/v1/rules/preview`. `find`: what stands of a rule."""
    router = APIRouter(prefix="/v1/rules", tags=["rules"])

    @router.post("/preview", openapi_extra=body.REQUEST)
    async def preview_rule(
        _: Admin,
        request: Request,
        days: Annotated[int, Query(ge=1, le=MAX_DAYS, description="Days of history")] = 7,
        compare: Annotated[bool, Query(description="Also play the version in force")] = True,
        rows: Annotated[int, Query(ge=1, le=MAX_ROWS, description="Most readings read")] = MAX_ROWS,
    ) -> dict[str, Any]:
        """What this rule would have raised in the last days, beside what the version in force
        would have. Nothing is written and nobody is told. Bounded by rows and time: `read` says
        how far it came, and `cut` what ended it.
        """
        found = body.parsed(*await body.read_text(request))
        current = (await find(found.rule.id)).get(found.rule.id) if compare else None
        beside = None if current is None or current.current.retired else current.current
        start, end = span(clock(), days)
        question = Question(
            dict(found.document),
            None if beside is None else beside.full_document(),
            start,
            end,
            rows,
            MAX_SECONDS,
        )
        answer = await previews.ask(question)
        return {"from": start, "to": end, **msgspec.to_builtins(answer)}

    return router
