"""Who was told of what, and what happens next, over HTTP."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts import cursor
from services.alerts.connection import reachable
from services.alerts.oncall import plan
from services.alerts.oncall.chain import Notify
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.repository import Repository
from services.alerts.paging import desk
from services.alerts.paging.escalation import Track
from shared.store.tables import notices
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Operator = Annotated[Identity, Depends(require_role("operator", somewhere=True))]
Words = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


def paging_router(engine: AsyncEngine, oncall: Repository) -> APIRouter:
    """`/v1/notifications`, `/v1/incidents/{id}/escalation`."""
    router = APIRouter(tags=["on-call"])

    @router.get("/v1/notifications", summary="Who was told of what, and why not")
    async def list_notifications(
        _: Operator,
        incident_id: UUID | None = None,
        recipient: Words = None,
        state: Literal["waiting", "sent", "dropped", "superseded"] | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor_: Annotated[str | None, Query(alias="cursor")] = None,
    ) -> dict[str, Any]:
        """Every decision, newest first. `recipient`: `person:…`, `endpoint:…`, or `nobody`, where
        somebody should have been told and nobody was there; `why`: the reason."""
        given = {"incident_id": incident_id, "recipient": recipient, "state": state}
        which = [notices.c[name] == value for name, value in given.items() if value is not None]
        order = tuple_(notices.c.created_at, notices.c.notice_id)
        after = cursor.decode(cursor_)
        if after is not None:
            which.append(order < after)
        query = select(notices).where(*which).limit(limit)
        query = query.order_by(notices.c.created_at.desc(), notices.c.notice_id.desc())
        async with reachable(engine.connect()) as connection:
            items = [dict(row._mapping) for row in await connection.execute(query)]
        last = items[-1] if len(items) == limit else None
        following = cursor.encode(last["created_at"], last["notice_id"]) if last else None
        return {"items": items, "next": following}

    @router.get("/v1/incidents/{incident_id}/escalation", summary="What happens next")
    async def get_escalation(_: Operator, incident_id: UUID) -> dict[str, Any]:
        """`stage`: new, telling, unrouted, acknowledged, quiet (somebody or something hides it),
        over; `next_at`: when it is looked at again; of each track, whom the next step tells."""
        async with reachable(engine.connect()) as connection:
            found = await desk.load_escalation(connection, incident_id)
        if found is None:
            detail = f"nobody is to be told of an incident {incident_id}"
            raise Problem(404, "Not found", detail, code="not_found")
        known = await oncall.look()
        telling = found.stage == "telling"
        return {
            "incident_id": incident_id,
            "stage": found.stage,
            "next_at": found.next_at,
            "tracks": [
                _track(track) | {"next_call": _next(track, known) if telling else None}
                for track in found.tracks
            ],
        }

    return router


def _track(track: Track) -> dict[str, Any]:
    return {
        "route_id": track.route.route_id,
        "chain_id": track.chain.chain_id,
        "position": track.position,
        "passes": track.passes,
        "due_at": track.due_at,
    }


def _next(track: Track, known: Oncall) -> dict[str, Any]:
    """Whom the chain tells next, by who is on duty then."""
    steps = track.chain.unrolled
    coming = [*steps[track.position :], *steps]
    step = next(one for one in coming if isinstance(one, Notify))
    call = plan.call(step, known, track.due_at)
    return {
        "at": track.due_at,
        "people": call.people,
        "endpoints": call.endpoints,
        "gaps": call.gaps,
    }
