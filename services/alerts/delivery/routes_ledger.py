"""The ledger of deliveries over HTTP."""

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from services.alerts import cursor
from services.alerts.delivery.endpoints import Endpoints, Which
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Operator = Annotated[Identity, Depends(require_role("operator"))]
Reader = Annotated[Identity, Depends(require_role("operator", somewhere=True))]
State = Literal["queued", "delivered", "superseded", "dead"]
Purpose = Literal["integration", "paging", "test"]


class Resend(BaseModel):
    """Which deliveries to send again: at least one field. `since`, `until`: of their making."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["delivered", "superseded", "dead"] | None = None
    endpoint_id: UUID | None = None
    incident_id: UUID | None = None
    purpose: Purpose | None = None
    person: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _something(self) -> "Resend":
        if not self.model_dump(exclude_none=True):
            raise ValueError("at least one field must be given: nobody wants everything again")
        return self


def deliveries_router(endpoints: Endpoints, wake: asyncio.Event) -> APIRouter:
    """`/v1/deliveries…`. `wake`: the deliverer's."""
    router = APIRouter(prefix="/v1/deliveries", tags=["delivery"])

    @router.get("")
    async def list_deliveries(
        _: Reader,
        state: State | None = None,
        endpoint_id: UUID | None = None,
        incident_id: UUID | None = None,
        purpose: Purpose | None = None,
        person: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor_: Annotated[str | None, Query(alias="cursor")] = None,
    ) -> dict[str, Any]:
        """Every delivery with its attempts (status, latency, reason), newest first."""
        after = cursor.decode(cursor_)
        which = Which(state, endpoint_id, incident_id, purpose, person)
        items = await endpoints.deliveries(which, after=after, limit=limit)
        last = items[-1] if len(items) == limit else None
        following = cursor.encode(last["created_at"], last["delivery_id"]) if last else None
        return {"items": items, "next": following}

    @router.post("/resend", status_code=202)
    async def resend_many(who: Operator, body: Resend) -> dict[str, Any]:
        """Send again whatever fits, under the old ids; receivers drop what they have seen."""
        again = await endpoints.resend(Which(**body.model_dump()), by=who.by)
        wake.set()
        return {"resent": len(again)}

    @router.get("/{delivery_id}")
    async def get_delivery(_: Reader, delivery_id: UUID) -> dict[str, Any]:
        """One delivery."""
        return await _existing(endpoints, delivery_id)

    @router.post("/{delivery_id}/resend", status_code=202)
    async def resend_one(who: Operator, delivery_id: UUID) -> dict[str, Any]:
        """Send one again, under its old id; 409 while it is queued or its endpoint is disabled."""
        before = await _existing(endpoints, delivery_id)
        if not await endpoints.resend(Which(), delivery_id, who.by):
            why = (
                "it is queued already"
                if before["state"] == "queued"
                else "its endpoint is disabled"
            )
            raise Problem(409, "Not possible now", why, code="conflict")
        wake.set()
        return await _existing(endpoints, delivery_id)

    return router


async def _existing(endpoints: Endpoints, delivery_id: UUID) -> dict[str, Any]:
    found = await endpoints.delivery(delivery_id)
    if found is None:
        detail = f"there is no delivery {delivery_id}"
        raise Problem(404, "Not found", detail, code="not_found")
    return found
