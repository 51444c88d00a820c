"""Departments and working days over HTTP."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.duties.calendar import Calendar, Day, Override
from services.alerts.duties.departments import Category, Department
from services.alerts.duties.files import DepartmentEntry
from services.alerts.duties.roster import Roster
from shared.clock import Clock
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Operator = Annotated[Identity, Depends(require_role("operator"))]
Dispatcher = Annotated[Identity, Depends(require_role("dispatcher"))]
Name = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)
From = Annotated[date | None, Query(alias="from", ge=FIRST, le=LAST)]
To = Annotated[date | None, Query(ge=FIRST, le=LAST)]

DAYS_SHOWN = 60
DAYS_AT_MOST = 366


class DepartmentIn(DepartmentEntry):
    """A department. `categories`: what it owns; `areas`: where it is responsible, with everything
    below (empty: the whole city); `parent`: another department's name."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "name": {"zh": "城东街道", "en": "Chengdong Subdistrict"},
                    "areas": ["441202"],
                    "parent": "指挥中心",
                }
            ]
        },
    )


class DayIn(BaseModel):
    """A day of which you know better. `working` null: as announced again."""

    model_config = ConfigDict(extra="forbid")

    day: Annotated[date, Field(ge=FIRST, le=LAST)]
    working: bool | None
    note: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


class DaysIn(BaseModel):
    """Days to override."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"days": [{"day": "2027-02-05", "working": False, "note": "除夕"}]},
                {"days": [{"day": "2026-11-24", "working": False, "note": "台风停工"}]},
            ]
        },
    )

    days: Annotated[list[DayIn], Field(min_length=1, max_length=DAYS_AT_MOST)]


def duties_router(roster: Roster, clock: Clock) -> APIRouter:
    """`/v1/departments…`, `/v1/calendar`."""
    router = APIRouter(tags=["duties"])

    @router.get("/v1/departments", summary="Departments and categories")
    async def list_departments(_: Viewer) -> dict[str, Any]:
        """Everybody who can be sent, and what incidents may be about."""
        known = (await roster.look()).departments
        return {
            "items": [_department(each) for each in known.departments],
            "categories": _categories(known.categories),
            "next": None,
        }

    @router.put("/v1/departments/{name}", summary="Enter or change a department")
    async def put_department(who: Dispatcher, name: Name, body: DepartmentIn) -> dict[str, Any]:
        """`name`: in Chinese, as incidents call it. It holds within two seconds, for incidents that
        open from then on."""
        department = body.department()
        await _check(roster, name, department)
        await roster.put_department(department, who.name, who.by)
        return _department(department)

    @router.delete("/v1/departments/{name}", status_code=204, summary="Remove a department")
    async def remove_department(who: Dispatcher, name: Name) -> None:
        """Incidents that it has keep it."""
        if not await roster.remove_department(name, who.by):
            raise Problem(404, "Not found", f"there is no department {name}", code="not_found")

    @router.get("/v1/calendar", summary="Working days")
    async def read_calendar(_: Viewer, from_: From = None, to: To = None) -> dict[str, Any]:
        """Each day from `from` (today) up to `to` (60 days on), with who says so; `unknown_years`:
        whose holidays nobody has entered, so that only their weekends are free."""
        calendar = (await roster.look()).deadlines.calendar
        first = from_ or clock().astimezone(calendar.zone).date()
        last = to or first + timedelta(days=DAYS_SHOWN)
        if not 0 <= (last - first).days < DAYS_AT_MOST:
            detail = f"/to: up to {DAYS_AT_MOST} days, from the first to the last"
            raise Problem(422, "Invalid request", detail, code="invalid_request")
        return _calendar(calendar, first, last)

    @router.put("/v1/calendar", summary="Override days")
    async def put_calendar(who: Operator, body: DaysIn) -> dict[str, Any]:
        """For deadlines that are set from then on."""
        days = {
            one.day: None if one.working is None else Override(one.working, one.note)
            for one in body.days
        }
        await roster.put_days(days, who.name, who.by)
        calendar = (await roster.look()).deadlines.calendar
        return {"items": [_day(calendar.day(day)) for day in sorted(days)], "next": None}

    return router


async def _check(roster: Roster, name: str, department: Department) -> None:
    known = (await roster.look()).departments
    if department.name != name:
        raise _invalid("/name/zh", f"is not the name in the address, {name}")
    strangers = sorted(department.categories - known.categories.keys())
    if strangers:
        raise _invalid("/categories", f"there is no category {strangers[0]}")
    parents = {each.name: each.parent for each in known.departments}
    above = department.parent
    if above is not None and above not in parents:
        raise _invalid("/parent", f"there is no department {above}")
    while above is not None:
        if above == name:
            raise _invalid("/parent", "a department cannot be above itself")
        above = parents.get(above)


def _department(department: Department) -> dict[str, Any]:
    return {
        "name": {"zh": department.name, "en": department.name_en},
        "categories": sorted(department.categories),
        "areas": sorted(department.areas),
        "parent": department.parent,
    }


def _categories(known: Mapping[str, Category]) -> list[dict[str, Any]]:
    return [
        {
            "category": one.code,
            "kind": one.kind,
            "name": {"zh": one.name_zh, "en": one.name_en},
            "grade": one.grade,
            "priority": one.priority,
        }
        for one in known.values()
    ]


def _calendar(calendar: Calendar, first: date, last: date) -> dict[str, Any]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {
        "items": [_day(calendar.day(day)) for day in days],
        "hours": [[str(opens), str(closes)] for opens, closes in calendar.hours],
        "zone": str(calendar.zone),
        "unknown_years": [
            year for year in range(first.year, last.year + 1) if not calendar.knows(year)
        ],
        "next": None,
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(), "working": day.working, "source": day.source, "note": day.note
    }  # fmt: skip


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(
        422, "Invalid request", f"{pointer}: {detail}", code="invalid_request", pointer=pointer
    )
