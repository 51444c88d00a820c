"""`/v1/grants`: data that others are lent; `/v1/disclosure`: which data has which level."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from services.ingest.grants.grant import (
    Decision,
    Ending,
    Grant,
    GrantIn,
    GrantKey,
    GrantList,
    State,
    Usage,
)
from services.ingest.grants.repository import GrantShelf, Place
from shared.clock import Clock
from shared.disclosure.declaration import Declaration
from shared.web.auth import identify_request, require_role
from shared.web.cursors import from_cursor, to_cursor, wrong_cursor
from shared.web.identity import Identity
from shared.web.problems import Problem, invalid, refusals
from shared.web.rights import may

MOST_WAITING = 20  # requests of one person that are not decided

GrantId = Annotated[str, Path(pattern=r"^[0-9a-zA-Z\-]{1,64}$")]
Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Administrator = Annotated[Identity, Depends(require_role("admin"))]


async def person(identity: Annotated[Identity, Depends(identify_request)]) -> Identity:
    """A dependency that admits people only."""
    if identity.kind != "person":
        raise Problem(403, "Forbidden", "People ask for grants.", code="role")
    return identity


Person = Annotated[Identity, Depends(person)]


def grants_router(shelf: GrantShelf, declaration: Declaration, clock: Clock) -> APIRouter:
    """Request, decide, use, end."""
    router = APIRouter(tags=["grants"])

    @router.get("/v1/disclosure", summary="Which data has which level",
                responses=refusals(401, 403))  # fmt: skip
    async def read_declaration(_: Viewer) -> dict[str, Any]:
        """The levels with their names, every dataset with the level of each field, and what of it
        may be granted (`lent`: to a key; `subject`: to a person)."""
        return _shown(declaration)

    @router.get("/v1/grants", summary="Who was granted what", responses=refusals(401, 403, 422))
    async def list_grants(
        who: Viewer,
        state: State | None = None,
        mine: bool = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> GrantList:
        """Everybody sees who got what, why, and who decided; newest first."""
        name = who.name if mine else None
        found = await shelf.page(state, name, _place(from_cursor(cursor)), limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        after = to_cursor(f"{last.requested_at.isoformat()}|{last.grant_id}") if last else None
        return GrantList(items=found[:limit], next=after)

    @router.post("/v1/grants", status_code=201, summary="Ask for data",
                 responses=refusals(401, 403, 409, 422))  # fmt: skip
    async def request_grant(who: Person, wanted: GrantIn) -> Grant:
        """An administrator decides."""
        wrong = wanted.wrong(declaration, clock()) or await shelf.unknown(wanted)
        if wrong:
            raise invalid(wrong)
        if await shelf.waiting(who.name) >= MOST_WAITING:
            detail = f"{MOST_WAITING} of your requests are not decided yet."
            raise Problem(409, "Too many requests", detail, code="too_many")
        return await shelf.request(wanted, who.by)

    @router.get("/v1/grants/{grant_id}", summary="One grant", responses=refusals(401, 403, 404))
    async def read_grant(_: Viewer, grant_id: GrantId) -> Grant:
        """With who decided, and why."""
        return await _existing(shelf, grant_id)

    @router.get("/v1/grants/{grant_id}/usage", summary="What a grant was used for",
                responses=refusals(401, 403, 404))  # fmt: skip
    async def read_usage(_: Viewer, grant_id: GrantId) -> Usage:
        """Hour by hour, at most some seconds behind; the last 31 days."""
        await _existing(shelf, grant_id)
        used = await shelf.used(grant_id)
        requests, rows = sum(one.requests for one in used), sum(one.rows for one in used)
        return Usage(items=used, requests=requests, rows=rows)

    _add_decisions(router, shelf, clock)
    return router


def _add_decisions(router: APIRouter, shelf: GrantShelf, clock: Clock) -> None:
    @router.post("/v1/grants/{grant_id}/decision", summary="Approve or refuse a request",
                 responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def decide(who: Administrator, grant_id: GrantId, decision: Decision) -> Grant:
        """With a reason that everybody can read. Nobody decides his own request."""
        grant = await _existing(shelf, grant_id)
        if grant.requested_by == who.name:
            raise Problem(403, "Forbidden", "Somebody else decides your request.", code="own")
        _check(grant, decision, clock())
        return await shelf.decide(grant, decision, who.by) or await _conflict(shelf, grant_id)

    @router.post("/v1/grants/{grant_id}/key", status_code=201, summary="Collect a grant's key",
                 responses=refusals(401, 403, 404, 409))  # fmt: skip
    async def make_key(who: Person, grant_id: GrantId, response: Response) -> GrantKey:
        """By who asked for it; its token is shown this once. Another one ends the one before."""
        grant = await _existing(shelf, grant_id)
        if grant.requested_by != who.name:
            raise Problem(403, "Forbidden", "Who asked for it collects the key.", code="not_own")
        if grant.kind != "key":
            raise Problem(409, "Conflict", "A person's grant has no key.", code="no_key")
        response.headers["cache-control"] = "no-store"
        made = await shelf.make_key(grant_id, who.by)
        if made is None:
            await _conflict(shelf, grant_id)
        assert made is not None
        return made

    @router.post("/v1/grants/{grant_id}/revoke", summary="End a grant",
                 responses=refusals(401, 403, 404, 409, 422))  # fmt: skip
    async def revoke(who: Person, grant_id: GrantId, ending: Ending) -> Grant:
        """By an administrator, or by who asked for it; within two seconds no export, socket or
        request of its key goes on, anywhere."""
        grant = await _existing(shelf, grant_id)
        if grant.requested_by != who.name and not may(who, "admin"):
            raise Problem(403, "Forbidden", "This needs the role 'admin'.", code="role")
        ended = await shelf.revoke(grant_id, ending.reason, who.by)
        return ended or await _conflict(shelf, grant_id)


def _check(grant: Grant, decision: Decision, now: datetime) -> None:
    wrong = [
        (f"/fields/{place}", f"{name} was not asked for", "not_requested")
        for place, name in enumerate(decision.fields or ())
        if name not in grant.fields
    ]
    if decision.ends_at is not None and not now < decision.ends_at <= grant.ends_at:
        detail = f"lies in the future, and not after {grant.ends_at.isoformat()}"
        wrong.append(("/ends_at", detail, "invalid_value"))
    if wrong:
        raise invalid(wrong)


async def _existing(shelf: GrantShelf, grant_id: str) -> Grant:
    found = await shelf.get(grant_id)
    if found is None:
        raise Problem(404, "Not found", "There is no grant of this id.", code="not_found")
    return found


async def _conflict(shelf: GrantShelf, grant_id: str) -> Grant:
    """Always raises: it is not in a state for this."""
    grant = await _existing(shelf, grant_id)
    raise Problem(409, "Conflict", f"The grant is {grant.state}.", code=grant.state)


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        moment, grant_id = text.split("|")
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise wrong_cursor() from None
    if at.tzinfo is None:
        raise wrong_cursor()
    return at, grant_id


def _shown(declaration: Declaration) -> dict[str, Any]:
    levels = [
        {"code": level.code, "zh": name.zh, "en": name.en}
        for level, name in declaration.names.items()
    ]
    datasets = [
        {
            "dataset": one.name,
            "zh": one.zh,
            "en": one.en,
            "fields": [
                {
                    "name": field.name, "level": field.level.code, "below": field.below,
                    "lent": field.name in one.lent, "subject": field.subject,
                }
                for field in one.fields.values()
                if not field.frame
            ],
        }
        for one in declaration.datasets.values()
    ]  # fmt: skip
    return {"levels": levels, "items": datasets, "next": None}
