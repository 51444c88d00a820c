"""`POST /v1/readings` as the documentation shows it, and `GET /v1/receipts/{receipt}`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from services.ingest.border.post_docs import post_route
from services.ingest.border.receipts import Garbage, Receipt, decode, digest
from shared.web.auth import require_role
from shared.web.problems import Problem


class Progress(Protocol):
    """See `storage.progress.Progress`."""

    async def progress(self) -> dict[int, tuple[str, int]]:
        """Partition → (incarnation, next offset) of the writer."""
        ...


class Quarantine(Protocol):
    """See `quarantine.repository.Quarantine`."""

    async def quarantined_at(
        self, incarnation: str, places: Sequence[tuple[int, int]]
    ) -> list[tuple[int, str]]:
        """(index, code) of what was set aside there."""
        ...


class QuarantinedItem(BaseModel):
    """An accepted item that was set aside later, such as a conflict."""

    index: int
    code: str


class ReceiptAnswer(BaseModel):
    """`pending`: durable, not yet stored; `stored`: every item is stored or quarantined;
    `expired`: the log that held it is gone."""

    status: Literal["pending", "stored", "expired"]
    quarantined: list[QuarantinedItem]


def readings_router(
    gateway: ASGIApp,
    progress: Progress,
    quarantine: Quarantine,
    incarnation: Callable[[], Awaitable[str]],
) -> APIRouter:
    """The documented route hands over to the same gateway that serves the hot path."""
    router = APIRouter(tags=["readings"])

    @router.post("/v1/readings", **post_route())
    async def post_readings(request: Request) -> Response:
        """Readings in any format."""
        return await _through(gateway, request)

    @router.get("/v1/receipts/{receipt}", dependencies=[Depends(require_role("viewer"))])
    async def read_receipt(receipt: str) -> ReceiptAnswer:
        """What became of an accepted batch; 404 for what is no receipt."""
        try:
            decoded = decode(receipt)
        except Garbage:
            raise Problem(404, "Not found", "This is no receipt.", code="not_found") from None
        return await _look_up(decoded, progress, quarantine, await incarnation())

    return router


async def _look_up(
    receipt: Receipt, progress: Progress, quarantine: Quarantine, incarnation: str
) -> ReceiptAnswer:
    known = await progress.progress()
    current = digest(incarnation) == receipt.life
    lives = {life for life, _ in known.values() if digest(life) == receipt.life}
    done = all(
        partition in known
        and digest(known[partition][0]) == receipt.life
        and known[partition][1] > offset
        for partition, offset in receipt.places
    )
    if not done:
        return ReceiptAnswer(status="pending" if current else "expired", quarantined=[])
    rows = await quarantine.quarantined_at(lives.pop(), receipt.places)
    items = [
        QuarantinedItem(index=own, code=code)
        for index, code in rows
        if (own := receipt.own(index)) is not None
    ]
    return ReceiptAnswer(status="stored", quarantined=items)


async def _through(gateway: ASGIApp, request: Request) -> Response:
    """The gateway's answer as a response of the framework's."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await gateway(request.scope, request.receive, send)
    if not messages:
        return Response(status_code=499)
    body = b"".join(message.get("body", b"") for message in messages[1:])
    response = Response(body, status_code=messages[0]["status"])
    response.raw_headers = list(messages[0]["headers"])
    return response
