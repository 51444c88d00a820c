"""Webhook endpoints and the ledger of deliveries over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.alerts import cursor
from services.alerts.delivery.endpoints import Endpoints
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Admin = Annotated[Identity, Depends(require_role("admin"))]
Operator = Annotated[Identity, Depends(require_role("operator"))]

EVENTS = ("opened", "cleared", "refired", "acknowledged", "dispatched", "started", "resolved",
          "closed", "reopened", "assigned", "transferred", "regraded", "commented", "overdue",
          "reported", "merged", "absorbed", "split", "linked", "unlinked", "joined", "changed",
          "member_cleared", "no_data", "resumed", "adopted", "released", "surfaced", "suppressed",
          "unsuppressed")  # fmt: skip
WhyRefuse = Callable[[str], Awaitable[str | None]]
KNOWN = {"*", *(f"incident.{name}" for name in EVENTS)}


class EndpointIn(BaseModel):
    """A receiver. `events`: types such as `incident.opened`, or `*`."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2_000)]
    events: Annotated[list[str], Field(min_length=1)] = ["*"]


def endpoints_router(endpoints: Endpoints, why_refuse: WhyRefuse) -> APIRouter:
    """`/v1/endpoints…`. `why_refuse`: why a URL cannot be a receiver, None if it can."""
    router = APIRouter(prefix="/v1/endpoints", tags=["delivery"])

    @router.get("")
    async def list_endpoints(_: Operator) -> dict[str, Any]:
        """Every endpoint, without its secret."""
        return {"items": await endpoints.everyone(), "next": None}

    @router.post("", status_code=201)
    async def add_endpoint(_: Admin, body: EndpointIn) -> dict[str, Any]:
        """Add a receiver; its `secret` is shown this once."""
        reason = await why_refuse(body.url)
        if reason is not None:
            raise _invalid("/url", reason)
        unknown = sorted(set(body.events) - KNOWN)
        if unknown:
            raise _invalid("/events", f"unknown event {unknown[0]!r}; known: {sorted(KNOWN)}")
        return await endpoints.add(body.url, body.events)

    @router.delete("/{endpoint_id}", status_code=204)
    async def remove_endpoint(_: Admin, endpoint_id: UUID) -> Response:
        """Send a receiver nothing more; the ledger keeps what it was sent."""
        if not await endpoints.remove(endpoint_id):
            detail = f"there is no endpoint {endpoint_id}"
            raise Problem(404, "Not found", detail, code="not_found")
        return Response(status_code=204)

    return router


def deliveries_router(endpoints: Endpoints) -> APIRouter:
    """`/v1/deliveries`."""
    router = APIRouter(prefix="/v1/deliveries", tags=["delivery"])

    @router.get("")
    async def list_deliveries(
        _: Operator,
        state: Annotated[str | None, Query(pattern="^(queued|delivered|superseded|dead)$")] = None,
        endpoint_id: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor_: Annotated[str | None, Query(alias="cursor")] = None,
    ) -> dict[str, Any]:
        """Every delivery with its attempts, newest first."""
        after = cursor.decode(cursor_)
        items = await endpoints.deliveries(
            state=state, endpoint_id=endpoint_id, after=after, limit=limit
        )
        last = items[-1] if len(items) == limit else None
        following = cursor.encode(last["created_at"], last["delivery_id"]) if last else None
        return {"items": items, "next": following}

    return router


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(
        422, "Invalid request", f"{pointer}: {detail}", code="invalid_request", pointer=pointer
    )
