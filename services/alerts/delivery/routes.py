"""Endpoints over HTTP: who is told, by which channel."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.channels.channel import Target
from services.alerts.channels.registry import CHANNELS, named
from services.alerts.delivery.endpoints import Endpoints, NewEndpoint
from services.alerts.delivery.probing import Probe
from shared.disclosure.level import LevelCode
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
Events = Annotated[list[str], Field(max_length=100)]
Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Options = Annotated[dict[Words, Words], Field(max_length=20)]
Url = Annotated[str, Field(max_length=2_000)]
Language = Literal["zh", "en"]
_SIGNING = {"dingtalk", "feishu", "alertmanager"}  # channels whose secret the receiver gives out


class EndpointIn(BaseModel):
    """A receiver. `events`: types such as `incident.opened`, or `*`; none: it is used for pages
    only. `channel`: webhook, alertmanager, slack, dingtalk, feishu, wecom, email (`mailto:…`).
    `secret`: of a DingTalk or Feishu bot that checks signatures. `level`: what the receiver is
    cleared for; fields above it are withheld from its messages."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events = ["*"]
    name: Words = ""
    channel: str = "webhook"
    language: Language = "zh"
    options: Options = {}
    secret: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    level: LevelCode = "internal"


class EndpointChange(BaseModel):
    """What is to be different. `enabled`: true forgets past failures."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    name: Words | None = None
    language: Language | None = None
    options: Options | None = None
    enabled: bool | None = None
    level: LevelCode | None = None


def endpoints_router(endpoints: Endpoints, why_refuse: WhyRefuse, probe: Probe) -> APIRouter:
    """`/v1/endpoints…`. `why_refuse`: why a URL cannot be a receiver, None if it can."""
    router = APIRouter(prefix="/v1/endpoints", tags=["delivery"])

    @router.get("")
    async def list_endpoints(_: Operator) -> dict[str, Any]:
        """Every endpoint, without its secret."""
        return {"items": await endpoints.everyone(), "next": None}

    @router.post("", status_code=201)
    async def add_endpoint(who: Admin, body: EndpointIn) -> dict[str, Any]:
        """Add a receiver; a webhook's `secret` is shown this once."""
        if body.channel not in CHANNELS:
            known = f"unknown channel {body.channel!r}; known: {sorted(CHANNELS)}"
            raise _invalid("/channel", known)
        if body.secret is not None and body.channel not in _SIGNING:
            raise _invalid("/secret", f"only channels with one take it: {sorted(_SIGNING)}")
        _check_events(body.events)
        await _check_url(body.channel, body.url, why_refuse)
        return await endpoints.put(NewEndpoint(**body.model_dump()), who.by)

    @router.get("/{endpoint_id}")
    async def get_endpoint(_: Operator, endpoint_id: UUID) -> dict[str, Any]:
        """One endpoint with its health: failures in a row, since when, not before when."""
        return _found(await endpoints.get(endpoint_id), endpoint_id)

    @router.patch("/{endpoint_id}")
    async def change_endpoint(
        who: Admin, endpoint_id: UUID, body: EndpointChange
    ) -> dict[str, Any]:
        """Change a receiver, switch it off, or on again."""
        before = _found(await endpoints.get(endpoint_id), endpoint_id)
        values = {name: value for name, value in body.model_dump().items() if value is not None}
        if body.events is not None:
            _check_events(body.events)
        if body.url is not None:
            await _check_url(before["channel"], body.url, why_refuse)
        return _found(await endpoints.change(endpoint_id, values, who.by), endpoint_id)

    @router.post("/{endpoint_id}/rotate")
    async def rotate_secret(who: Admin, endpoint_id: UUID) -> dict[str, Any]:
        """A new `secret`, shown this once; for 24 h messages are signed with both."""
        found = _found(await endpoints.get(endpoint_id), endpoint_id)
        secret = await endpoints.rotate(endpoint_id, who.by)
        if secret is None:
            raise _invalid("/channel", f"a {found['channel']} endpoint has no secret of ours")
        return {"endpoint_id": endpoint_id, "secret": secret}

    _add_probing(router, endpoints, probe)
    return router


def _add_probing(router: APIRouter, endpoints: Endpoints, probe: Probe) -> None:
    @router.post("/{endpoint_id}/test")
    async def test_endpoint(_: Operator, endpoint_id: UUID) -> dict[str, Any]:
        """Send a test message, once, and say how it went: the delivery with its attempt. 409 when
        the endpoint is disabled."""
        if not _found(await endpoints.get(endpoint_id), endpoint_id)["enabled"]:
            raise Problem(409, "Not possible now", "the endpoint is disabled", code="conflict")
        return await probe.test(endpoint_id)

    @router.delete("/{endpoint_id}", status_code=204)
    async def remove_endpoint(who: Admin, endpoint_id: UUID) -> Response:
        """Send a receiver nothing more; the ledger keeps what it was sent."""
        found = await endpoints.get(endpoint_id)
        if found is not None and found["channel"] == "cap":
            detail = "it is a neighbouring city's: DELETE /v1/neighbours/{adcode}"
            raise Problem(409, "Not possible now", detail, code="conflict")
        if not await endpoints.remove(endpoint_id, who.by):
            raise _missing(endpoint_id)
        return Response(status_code=204)


def _check_events(events: list[str]) -> None:
    unknown = sorted(set(events) - KNOWN)
    if unknown:
        raise _invalid("/events", f"unknown event {unknown[0]!r}; known: {sorted(KNOWN)}")


async def _check_url(channel: str, url: str, why_refuse: WhyRefuse) -> None:
    reason = named(channel).reason_to_refuse(Target(url, ()))
    if reason is None:
        reason = await why_refuse(url)
    if reason is not None:
        raise _invalid("/url", reason)


def _found(row: dict[str, Any] | None, endpoint_id: UUID) -> dict[str, Any]:
    if row is None:
        raise _missing(endpoint_id)
    return row


def _missing(endpoint_id: UUID) -> Problem:
    return Problem(404, "Not found", f"there is no endpoint {endpoint_id}", code="not_found")


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(
        422, "Invalid request", f"{pointer}: {detail}", code="invalid_request", pointer=pointer
    )
