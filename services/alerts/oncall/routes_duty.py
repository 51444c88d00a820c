"""Who is on duty, who would be told, and overrides, over HTTP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents.whereabouts import above
from services.alerts.oncall import plan
from services.alerts.oncall.entry import Code
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.problems import invalid, missing
from services.alerts.oncall.repository import Dangling, Repository
from services.alerts.oncall.roster import Override, Roster, duty
from services.alerts.oncall.route import Route
from services.alerts.oncall.routes_entries import Id, Operator, Reader
from services.alerts.oncall.shifts import Shift, shifts
from shared.clock import Clock

SHOWN = timedelta(days=14)
SHOWN_AT_MOST = timedelta(days=366)
Moment = Annotated[AwareDatetime | None, Query()]
From = Annotated[AwareDatetime | None, Query(alias="from")]
Plain = Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")]


class OverrideIn(BaseModel):
    """Who is on duty instead, from `starts_at` until before `ends_at`; nobody: a gap on purpose."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "people": ["deputy"],
                    "starts_at": "2026-10-01T08:30:00+08:00",
                    "ends_at": "2026-10-02T08:30:00+08:00",
                    "reason": "国庆调班",
                }
            ]
        },
    )

    people: Annotated[tuple[Code, ...], Field(max_length=20)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class Imagined(BaseModel):
    """An incident that there might be; the fields that routes look at."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"category": "gas", "priority": 1, "area_id": "441202"}]},
    )

    rule_id: Plain | None = None
    metric: Plain | None = None
    subjects: Annotated[tuple[Plain, ...], Field(max_length=100)] = ()
    cause: Plain | None = None
    category: Plain | None = None
    kind: Plain = "alert"
    area_id: Plain | None = None
    priority: Annotated[int, Field(ge=1, le=4)] = 2
    at: AwareDatetime | None = None


def duty_router(repository: Repository, engine: AsyncEngine, clock: Clock) -> APIRouter:
    """`/v1/duty`, `/v1/rosters/{id}/shifts|overrides…`, `/v1/routes/test`."""
    router = APIRouter(tags=["on-call"])
    _overrides(router, repository, clock)

    @router.get("/v1/duty", summary="Who is on duty")
    async def on_duty(_: Reader, at: Moment = None) -> dict[str, Any]:
        """Of every roster, now or `at`; `gap`: nobody is."""
        moment, known = at or clock(), await repository.look()
        items = [_on_duty(known, roster, moment) for roster in known.rosters.values()]
        return {"at": moment, "items": items, "next": None}

    @router.get("/v1/rosters/{roster_id}/shifts", summary="Shifts, hand-overs and gaps")
    async def list_shifts(
        _: Reader, roster_id: Id, from_: From = None, to: Moment = None
    ) -> dict[str, Any]:
        """From `from` (now) until `to` (14 days on), without a hole: `gap` where nobody is on
        duty."""
        known = await repository.look()
        roster = _roster(known, roster_id)
        first = from_ or clock()
        last = to or first + SHOWN
        if not timedelta(0) < last - first <= SHOWN_AT_MOST:
            raise invalid("/to", f"is later than from, by {SHOWN_AT_MOST.days} days at most")
        found = _shifts(roster, known.overrides.get(roster_id, ()), first, last)
        items = [_shift(known, roster, one) for one in found]
        gaps = sum(((one.ends_at - one.starts_at for one in found if one.gap)), timedelta(0))
        return {"items": items, "gap_minutes": int(gaps.total_seconds() // 60), "next": None}

    @router.post("/v1/routes/test", summary="Who would be told")
    async def test_routes(_: Reader, body: Imagined) -> dict[str, Any]:
        """Of such an incident, when, if nobody acknowledges it: every route that fits, and the
        first pass of its chain."""
        known, at = await repository.look(), body.at or clock()
        areas: Sequence[str] = ()
        if body.area_id is not None:
            async with reachable(engine.connect()) as connection:
                areas = (await above(connection, body.area_id)).area_ids
        found = [_route(known, route, body, at) for route in known.routes_for(body, areas)]
        return {"at": at, "items": found, "next": None}

    return router


def _overrides(router: APIRouter, repository: Repository, clock: Clock) -> None:
    @router.post("/v1/rosters/{roster_id}/overrides", status_code=201, summary="Swap duty")
    async def add_override(who: Operator, roster_id: Id, body: OverrideIn) -> dict[str, Any]:
        """The newest override holds."""
        _roster(await repository.look(), roster_id)
        if body.ends_at <= body.starts_at or body.ends_at - body.starts_at > SHOWN_AT_MOST:
            raise invalid("/ends_at", "is later than starts_at, by a year at most")
        override = Override(
            uuid4(), roster_id, body.people, body.starts_at, body.ends_at, body.reason, who.name,
            clock(),
        )  # fmt: skip
        try:
            await repository.override(override, who.by)
        except Dangling as error:
            raise invalid("/people", str(error)) from error
        return vars(override)

    @router.delete(
        "/v1/rosters/{roster_id}/overrides/{override_id}", status_code=204, summary="Take it back"
    )
    async def end_override(who: Operator, roster_id: Id, override_id: UUID) -> None:
        """The rotation holds again."""
        if not await repository.end_override(roster_id, override_id, who.name, who.by):
            raise missing("override", override_id)


def _roster(known: Oncall, roster_id: str) -> Roster:
    if roster_id not in known.rosters:
        raise missing("roster", roster_id)
    return known.rosters[roster_id]


def _shifts(
    roster: Roster, overrides: Sequence[Override], first: datetime, last: datetime
) -> Sequence[Shift]:
    try:
        return shifts(roster, overrides, first, last)
    except OverflowError as error:
        raise invalid("/from", "is too far away") from error


def _on_duty(known: Oncall, roster: Roster, at: datetime) -> dict[str, Any]:
    try:
        now = duty(roster, known.overrides.get(roster.roster_id, ()), at)
    except OverflowError as error:
        raise invalid("/at", "is too far away") from error
    return {
        "roster_id": roster.roster_id,
        "name": roster.name,
        "people": _people(known, now.people),
        "layer": now.layer,
        "override_id": now.override,
        "gap": not now.people,
    }


def _shift(known: Oncall, roster: Roster, shift: Shift) -> dict[str, Any]:
    return {
        "starts_at": shift.starts_at.astimezone(roster.clocks),
        "ends_at": shift.ends_at.astimezone(roster.clocks),
        "people": _people(known, shift.duty.people),
        "layer": shift.duty.layer,
        "override_id": shift.duty.override,
        "gap": shift.gap,
    }


def _people(known: Oncall, ids: Sequence[str]) -> list[dict[str, str]]:
    named = [(one, known.people.get(one)) for one in ids]
    return [{"person_id": one, "name": who.name if who else one} for one, who in named]


def _route(known: Oncall, route: Route, told: Imagined, at: datetime) -> dict[str, Any]:
    chain = known.chain(route.chain)
    first = route.muted_until(told, at) or at
    return {
        "route_id": route.route_id,
        "chain_id": route.chain,
        "muted_until": first if first > at else None,
        "calls": [
            {
                "at": call.at,
                "people": _people(known, call.people),
                "endpoints": call.endpoints,
                "gaps": call.gaps,
                "unreachable": [one for one in call.people if not known.people[one].contacts],
            }
            for call in (plan.calls(chain, known, first) if chain else ())
        ],
    }
