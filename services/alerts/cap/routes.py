"""Public warnings over HTTP: for everybody, without logging in."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

from services.alerts.cap.feed import Entry, feed
from services.alerts.cap.newest import newest
from services.alerts.channels.cap import CAP_TYPE
from services.alerts.connection import reachable
from shared.clock import Clock
from shared.store.tables import cap_messages
from shared.web.problems import Problem

SHOWN = 500
_FRESH = {"Cache-Control": "public, max-age=15"}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
Identifier = Annotated[str, Path(max_length=100, pattern=r"^[0-9A-Za-z_]+$")]


def cap_router(engine: AsyncEngine, clock: Clock, sender: str, public_url: str) -> APIRouter:
    """`/v1/cap…`."""
    router = APIRouter(prefix="/v1/cap", tags=["public warnings"])

    @router.get("", summary="Warnings that hold", response_class=Response)
    async def list_warnings(request: Request) -> Response:
        """An Atom feed of the newest message of every warning that has not expired, as CAP 1.2
        documents; that one was lifted stands there for an hour. Public."""
        last = newest().subquery()
        now = clock()
        query = select(last).where(last.c.expires_at > now)
        async with reachable(engine.connect()) as connection:
            rows = (await connection.execute(query.order_by(last.c.sent_at.desc()))).all()[:SHOWN]
            changed = select(cap_messages.c.sent_at).order_by(cap_messages.c.sent_at.desc())
            updated = (await connection.execute(changed.limit(1))).scalar()
        entries = [
            Entry(row.identifier, row.headline, row.area, row.kind, row.sent_at, row.expires_at)
            for row in rows
        ]
        base = public_url.rstrip("/") or str(request.base_url).rstrip("/")
        whole = feed(base, sender, entries, updated or now)
        return Response(whole, media_type="application/atom+xml", headers=_FRESH)

    @router.get("/{identifier}", summary="One CAP 1.2 document", response_class=Response)
    async def get_warning(identifier: Identifier) -> Response:
        """A message as it was published; it never changes. Public."""
        query = select(cap_messages.c.document).where(cap_messages.c.identifier == identifier)
        async with reachable(engine.connect()) as connection:
            found = (await connection.execute(query)).scalar()
        if found is None:
            raise Problem(404, "Not found", f"there is no warning {identifier}", code="not_found")
        return Response(found, media_type=CAP_TYPE, headers=_FOREVER)

    return router
