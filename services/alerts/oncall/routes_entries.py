"""People, rosters, chains and routes over HTTP."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query

from services.alerts.oncall.chain import Chain
from services.alerts.oncall.entry import Entry, Person
from services.alerts.oncall.problems import in_use, invalid, missing
from services.alerts.oncall.repository import Dangling, Repository
from services.alerts.oncall.roster import Roster
from services.alerts.oncall.route import Route
from shared.web.auth import require_role
from shared.web.identity import Identity

Admin = Annotated[Identity, Depends(require_role("admin"))]
Operator = Annotated[Identity, Depends(require_role("operator"))]
Reader = Annotated[Identity, Depends(require_role("operator", somewhere=True))]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
Before = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")]

_PERSON = {"person_id": "li", "name": "李工", "language": "zh", "contacts": []}
_ROSTER = {
    "roster_id": "night",
    "name": "夜班",
    "zone": "Asia/Shanghai",
    "layers": [
        {
            "name": "周轮换",
            "turns": [["commander"], ["deputy"]],
            "starts_on": "2026-01-05",
            "days": 7,
            "hand_over": "08:30",
        }
    ],
}
_CHAIN = {
    "chain_id": "gas",
    "name": "燃气",
    "steps": [
        {"kind": "notify", "targets": [{"kind": "roster", "id": "command-centre"}]},
        {"kind": "wait", "minutes": 5},
        {"kind": "notify", "targets": [{"kind": "person", "id": "commander"}]},
        {"kind": "wait", "minutes": 5},
        {"kind": "repeat", "times": 3},
    ],
}
_ROUTE = {
    "route_id": "gas",
    "name": "燃气",
    "matchers": {"category": ["gas"], "priority": [1, 2]},
    "chain": "urgent",
}


def entries_router(repository: Repository) -> APIRouter:
    """`/v1/people…`, `/v1/rosters…`, `/v1/chains…`, `/v1/routes…`."""
    router = APIRouter(tags=["on-call"])
    _people(router, repository)
    _rosters(router, repository)
    _chains(router, repository)
    _routes(router, repository)
    return router


def _people(router: APIRouter, repository: Repository) -> None:
    @router.get("/v1/people", summary="Who can be told")
    async def list_people(_: Reader) -> dict[str, Any]:
        """Everybody, with the endpoints of their contacts, the one to try first in front."""
        return _page((await repository.look()).people.values())

    @router.put("/v1/people/{person_id}", summary="Enter or change a person")
    async def put_person(
        who: Admin, person_id: Id, body: Annotated[Person, Body(examples=[_PERSON])]
    ) -> dict[str, Any]:
        """`person_id`: the account's name, so that acknowledging is known to be theirs."""
        return await _put(repository, body, ("person_id", person_id), who)

    @router.delete("/v1/people/{person_id}", status_code=204, summary="Remove a person")
    async def remove_person(who: Admin, person_id: Id) -> None:
        """409 while a roster or a chain names them."""
        await _remove(repository, "person", person_id, who)


def _rosters(router: APIRouter, repository: Repository) -> None:
    @router.get("/v1/rosters", summary="Duty rosters")
    async def list_rosters(_: Reader) -> dict[str, Any]:
        """Layers of rotations; `/v1/rosters/{id}/shifts` says what follows from them."""
        return _page((await repository.look()).rosters.values())

    @router.put("/v1/rosters/{roster_id}", summary="Enter or change a roster")
    async def put_roster(
        who: Admin, roster_id: Id, body: Annotated[Roster, Body(examples=[_ROSTER])]
    ) -> dict[str, Any]:
        """The first layer that has somebody decides; hand-overs are at local time."""
        return await _put(repository, body, ("roster_id", roster_id), who)

    @router.delete("/v1/rosters/{roster_id}", status_code=204, summary="Remove a roster")
    async def remove_roster(who: Admin, roster_id: Id) -> None:
        """409 while a chain names it."""
        await _remove(repository, "roster", roster_id, who)


def _chains(router: APIRouter, repository: Repository) -> None:
    @router.get("/v1/chains", summary="Escalation chains")
    async def list_chains(_: Reader) -> dict[str, Any]:
        """Who is told, one after the other, until somebody acknowledges."""
        return _page((await repository.look()).chains.values())

    @router.put("/v1/chains/{chain_id}", summary="Enter or change a chain")
    async def put_chain(
        who: Admin, chain_id: Id, body: Annotated[Chain, Body(examples=[_CHAIN])]
    ) -> dict[str, Any]:
        """For incidents that are told from then on; what is on its way keeps the old one."""
        return await _put(repository, body, ("chain_id", chain_id), who)

    @router.delete("/v1/chains/{chain_id}", status_code=204, summary="Remove a chain")
    async def remove_chain(who: Admin, chain_id: Id) -> None:
        """409 while a route names it."""
        await _remove(repository, "chain", chain_id, who)


def _routes(router: APIRouter, repository: Repository) -> None:
    @router.get("/v1/routes", summary="Which incident goes to which chain")
    async def list_routes(_: Reader) -> dict[str, Any]:
        """In the order in which they are looked at; `complaints`: what names something that there
        is not."""
        known = await repository.look()
        return _page(known.routes) | {"complaints": sorted(known.complaints())}

    @router.put("/v1/routes/{route_id}", summary="Enter or change a route")
    async def put_route(
        who: Admin,
        route_id: Id,
        body: Annotated[Route, Body(examples=[_ROUTE])],
        before: Before = None,
    ) -> dict[str, Any]:
        """`before`: the route that it is to be looked at before; else a new one is the last, and
        one that is known keeps its place."""
        return await _put(repository, body, ("route_id", route_id), who, before)

    @router.delete("/v1/routes/{route_id}", status_code=204, summary="Remove a route")
    async def remove_route(who: Admin, route_id: Id) -> None:
        """What is on its way by it stays so."""
        await _remove(repository, "route", route_id, who)


def _page(entries: Iterable[Entry]) -> dict[str, Any]:
    items: Sequence[dict[str, Any]] = [_shown(one) for one in entries]
    return {"items": items, "next": None}


def _shown(entry: Entry) -> dict[str, Any]:
    return entry.model_dump(mode="json", by_alias=True)


async def _put(
    repository: Repository,
    entry: Entry,
    named: tuple[str, str],
    who: Identity,
    before: str | None = None,
) -> dict[str, Any]:
    field, wanted = named
    if getattr(entry, field) != wanted:
        raise invalid(f"/{field}", f"is not the id in the address, {wanted}")
    try:
        await repository.put(entry, who.name, before, who.by)
    except Dangling as error:
        raise invalid("/", str(error)) from error
    return _shown(entry)


async def _remove(repository: Repository, kind: str, entry_id: str, who: Identity) -> None:
    try:
        removed = await repository.remove(kind, entry_id, who.by)
    except Dangling as error:
        raise in_use(str(error)) from error
    if not removed:
        raise missing(kind, entry_id)
