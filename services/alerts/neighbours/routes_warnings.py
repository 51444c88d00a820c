"""Where a neighbouring city's platform brings its warnings, and where people read them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.channels.cap import CAP_TYPE
from services.alerts.connection import reachable
from services.alerts.neighbours.mailbox import Mailbox, Taken, TooMany, Unsigned
from services.alerts.neighbours.message import MAX_BYTES, Unfit
from shared.clock import Clock
from shared.store.audit import By
from shared.store.neighbourhood import holds
from shared.store.tables import neighbour_warnings
from shared.web.auth import origin_of, require_role
from shared.web.identity import Identity
from shared.web.limit import read_at_most
from shared.web.problems import Problem, documented, refusals

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Adcode = Annotated[int, Path(ge=1, le=999_999, examples=[440100])]
_TYPES = (CAP_TYPE, "application/xml", "text/xml")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {CAP_TYPE: {"schema": {"type": "string", "maxLength": MAX_BYTES}}},
    }
}
_REFUSED = documented({
    401: "The signature is not of this body, or not of now",
    404: "No such neighbour",
    413: f"More than {MAX_BYTES} bytes",
    415: "No CAP document",
    422: "The document cannot be taken: `pointer` says where, `detail` why",
    429: "Too many messages within a minute",
})  # fmt: skip


class Receipt(BaseModel):
    """`kept`: it warns, or lifts a warning, and is not only a sign of life or a test; `known`: it
    had been taken before, and changed nothing."""

    identifier: str
    kept: bool
    known: bool


class NeighbourWarning(BaseModel):
    """A message of a neighbour. `holds`: it is shown; `exercise`: the danger is not real."""

    sender: str
    identifier: str
    kind: str
    exercise: bool
    severity: str
    category: str
    wording: dict[str, Any]
    sent_at: datetime
    since: datetime
    expires_at: datetime
    received_at: datetime
    holds: bool


class NeighbourWarnings(BaseModel):
    """The newest first."""

    items: list[NeighbourWarning]
    next: None = None


def warnings_router(mailbox: Mailbox, engine: AsyncEngine, clock: Clock) -> APIRouter:
    """`/v1/neighbours/{adcode}/warnings`."""
    router = APIRouter(prefix="/v1/neighbours", tags=["neighbours"])

    @router.post("/{adcode}/warnings", summary="A warning of a neighbour",
                 responses=_REFUSED, openapi_extra=_BODY)  # fmt: skip
    async def take_warning(adcode: Adcode, request: Request, response: Response) -> Receipt:
        """A CAP 1.2 document (UTF-8, no document type), signed as Standard Webhooks are with the
        secret that both cities share. 201 when it is new, 200 when it was known."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _TYPES:
            raise Problem(415, "Unsupported media type", f"a warning is sent as {CAP_TYPE}",
                          code="media_type")  # fmt: skip
        raw = await read_at_most(request, MAX_BYTES)
        taken = await _taken(mailbox, adcode, request, raw)
        response.status_code = 201 if taken.kept and not taken.known else 200
        return Receipt(identifier=taken.message.identifier, kept=taken.kept, known=taken.known)

    @router.get("/{adcode}/warnings", summary="What a neighbour has warned of",
                responses=refusals(401, 403))  # fmt: skip
    async def list_warnings(
        _: Viewer, adcode: Adcode, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> NeighbourWarnings:
        """Its messages, the newest first; none of who is no neighbour."""
        names = NeighbourWarning.model_fields.keys() - {"holds"}
        columns = [neighbour_warnings.c[name] for name in names]
        query = (
            select(*columns, holds(clock()).label("holds"))
            .where(neighbour_warnings.c.adcode == adcode)
            .order_by(neighbour_warnings.c.sent_at.desc(), neighbour_warnings.c.identifier)
            .limit(limit)
        )
        async with reachable(engine.connect()) as connection:
            rows = (await connection.execute(query)).all()
        return NeighbourWarnings(items=[NeighbourWarning(**row._mapping) for row in rows])

    return router


async def _taken(mailbox: Mailbox, adcode: int, request: Request, raw: bytes) -> Taken:
    """`Problem` when it is not."""
    origin = origin_of(request)
    by = By(str(adcode), "neighbour", origin.address, origin.request_id)
    try:
        taken = await mailbox.take(adcode, request.headers, raw, by)
    except Unsigned as error:
        raise Problem(401, "Unauthorised", str(error), code="bad_signature") from error
    except TooMany as error:
        detail = "more messages within a minute than a city can have to say"
        raise Problem(429, "Too many requests", detail, code="too_many",
                      headers={"Retry-After": "60"}) from error  # fmt: skip
    except Unfit as error:
        detail = f"{error.pointer or 'document'}: {error.detail}"
        raise Problem(422, "Invalid warning", detail, code=error.code,
                      pointer=error.pointer) from error  # fmt: skip
    if taken is None:
        raise Problem(404, "Not found", f"{adcode} is no neighbour", code="not_found")
    return taken
