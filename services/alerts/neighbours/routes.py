"""Neighbouring cities over HTTP: who they are, and what concerns them."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.channels import standard_webhooks
from services.alerts.neighbours.interest import Interest
from services.alerts.neighbours.repository import Neighbours, NewNeighbour
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem, invalid, refusals

Admin = Annotated[Identity, Depends(require_role("admin"))]
Operator = Annotated[Identity, Depends(require_role("operator"))]
Adcode = Annotated[int, Path(ge=1, le=999_999, examples=[440100])]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
Url = Annotated[str, Field(max_length=2_000)]
Secret = Annotated[str, Field(max_length=200)]
Minutes = Annotated[int, Field(ge=1, le=10_080)]
WhyRefuse = Callable[[str], Awaitable[str | None]]
_WAY = ("url", "secret", "enabled")
Wrong = list[tuple[str, str, str]]  # pointer, what, code


class NeighbourIn(BaseModel):
    """A city. `url`: where its platform takes warnings, such as
    `https://city.example.org/v1/neighbours/441200/warnings`. `secret`: the one that its
    administrator has handed over; without one, it is made here, to be handed over. `interest`:
    which of our public warnings it is sent; null: none. `silent_after_minutes`: how long it may say
    nothing before walls say so; null: for ever."""

    model_config = ConfigDict(extra="forbid")

    adcode: Annotated[int, Field(ge=1, le=999_999)]
    name_zh: Name
    name_en: Name
    url: Url
    secret: Secret | None = None
    interest: Interest | None = Interest()
    silent_after_minutes: Minutes | None = 60


class NeighbourChange(BaseModel):
    """What is to be different. `enabled`: true forgets past failures; `secret`: the one that it
    has made anew; the old one holds for a day more."""

    model_config = ConfigDict(extra="forbid")

    name_zh: Name | None = None
    name_en: Name | None = None
    url: Url | None = None
    secret: Secret | None = None
    enabled: bool | None = None
    interest: Interest | None = None
    silent_after_minutes: Minutes | None = None


class Neighbour(BaseModel):
    """A city as it is now. `heard_at`: its last message with a good signature; `delivered_at`: when
    the last of our warnings that it took was queued; `queued`: those that wait for it; `failures`:
    of the way to it, one after another, `failing_since`."""

    adcode: int
    name_zh: str
    name_en: str
    url: str
    interest: Interest | None
    silent_after_minutes: int | None
    enabled: bool
    endpoint_id: UUID
    created_at: datetime
    heard_at: datetime | None
    delivered_at: datetime | None
    queued: int
    failures: int
    failing_since: datetime | None


class NewSecret(BaseModel):
    """The secret that both cities share, shown this once."""

    adcode: int
    secret: str


class NeighbourList(BaseModel):
    """All of them. `level`: the mildest colour of our public warnings; `off`: there are none."""

    items: list[Neighbour]
    next: None = None
    level: str


def neighbours_router(
    desk: Neighbours, why_refuse: WhyRefuse, own: int, categories: Collection[str], level: str
) -> APIRouter:
    """`/v1/neighbours…`. `own`: our adcode; `categories`: of incidents."""
    router = APIRouter(prefix="/v1/neighbours", tags=["neighbours"])

    @router.get("", summary="Neighbouring cities", responses=refusals(401, 403))
    async def list_neighbours(_: Operator) -> NeighbourList:
        """Each with when it was heard of last, and the health of the way to it."""
        items = [Neighbour(**one) for one in await desk.everyone()]
        return NeighbourList(items=items, level=level)

    @router.post("", status_code=201, summary="Name a neighbour",
                 responses=refusals(401, 403, 409, 422))  # fmt: skip
    async def add_neighbour(who: Admin, body: NeighbourIn) -> NewSecret:
        """From now on it is sent what concerns it, and what it signs with the secret is taken."""
        if body.adcode == own:
            raise invalid([("/adcode", "this is our own", "invalid_value")])
        await _check(body, categories, why_refuse)
        secret = await desk.add(NewNeighbour(**_fields(body)), who.by)
        if secret is None:
            detail = f"{body.adcode} is a neighbour already"
            raise Problem(409, "Conflict", detail, code="conflict")
        return NewSecret(adcode=body.adcode, secret=secret)

    @router.patch("/{adcode}", summary="Change a neighbour",
                  responses=refusals(401, 403, 404, 422))  # fmt: skip
    async def change_neighbour(who: Admin, adcode: Adcode, body: NeighbourChange) -> Neighbour:
        """Only the fields that are given; null where there may be none."""
        await _check(body, categories, why_refuse)
        given = body.model_dump(exclude_unset=True)
        _refuse_null(given)
        way: dict[str, Any] = {name: given.pop(name) for name in _WAY if name in given}
        after = await desk.change(adcode, given, way, who.by)
        if after is None:
            raise _missing(adcode)
        return Neighbour(**after)

    @router.post("/{adcode}/rotate", summary="Make the shared secret anew",
                 responses=refusals(401, 403, 404))  # fmt: skip
    async def rotate_secret(who: Admin, adcode: Adcode) -> NewSecret:
        """To be handed over; for 24 h both are signed with, and taken."""
        secret = standard_webhooks.new_secret()
        if await desk.change(adcode, {}, {"secret": secret}, who.by) is None:
            raise _missing(adcode)
        return NewSecret(adcode=adcode, secret=secret)

    @router.delete("/{adcode}", status_code=204, summary="Part with a neighbour",
                   responses=refusals(401, 403, 404))  # fmt: skip
    async def remove_neighbour(who: Admin, adcode: Adcode) -> Response:
        """Nothing more is sent to it or taken from it; its warnings are shown no more."""
        if not await desk.remove(adcode, who.by):
            raise _missing(adcode)
        return Response(status_code=204)

    return router


def _fields(body: NeighbourIn) -> dict[str, Any]:
    return {name: getattr(body, name) for name in NeighbourIn.model_fields}


async def _check(
    body: NeighbourIn | NeighbourChange, categories: Collection[str], why_refuse: WhyRefuse
) -> None:
    wrong: Wrong = []
    reason = standard_webhooks.reason_to_refuse(body.secret) if body.secret is not None else None
    if reason is not None:
        wrong.append(("/secret", reason, "invalid_value"))
    for at, one in enumerate(body.interest.categories if body.interest else ()):
        if one not in categories:
            known = f"there is no category {one!r}; known: {', '.join(sorted(categories))}"
            wrong.append((f"/interest/categories/{at}", known, "invalid_value"))
    reason = await _web(body.url, why_refuse) if body.url is not None else None
    if reason is not None:
        wrong.append(("/url", reason, "invalid_value"))
    if wrong:
        raise invalid(wrong)


async def _web(url: str, why_refuse: WhyRefuse) -> str | None:
    if not url.lower().startswith(("http://", "https://")):
        return "a platform is reached by http or https"
    return await why_refuse(url)


def _refuse_null(given: dict[str, Any]) -> None:
    may_be_null = {"interest", "silent_after_minutes"}
    wrong = [name for name, value in given.items() if value is None and name not in may_be_null]
    if wrong:
        raise invalid([(f"/{name}", "it cannot be null", "invalid_type") for name in wrong])


def _missing(adcode: int) -> Problem:
    return Problem(404, "Not found", f"{adcode} is no neighbour", code="not_found")
