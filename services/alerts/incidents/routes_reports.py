"""`/v1/reports`: what hotlines, patrols and citizens report."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from services.alerts.incidents.answers import PRINTABLE
from services.alerts.incidents.report import Report, Reporter, Spot, report_id
from services.alerts.incidents.reports import Outcome, Reports
from services.alerts.incidents.whereabouts import Whereabouts
from shared.clock import Clock
from shared.contracts.incident import Incident
from shared.web.auth import require_role, require_role_or_scope
from shared.web.identity import Identity
from shared.web.problems import Problem

Reporting = Annotated[Identity, Depends(require_role_or_scope("operator", "report"))]
Handler = Annotated[Identity, Depends(require_role("operator", somewhere=True, handling=True))]
Dispatcher = Annotated[Identity, Depends(require_role("dispatcher", somewhere=True))]

AHEAD = timedelta(minutes=5)  # what a clock may be wrong
OLDEST = timedelta(days=7)


class PlaceIn(BaseModel):
    """WGS 84 degrees."""

    model_config = ConfigDict(extra="forbid")

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class ReportIn(BaseModel):
    """What somebody has seen. `photos`: https addresses, never fetched by this platform. `phone`:
    the caller's number; only `GET /v1/reports/{id}` shows it, by a grant. `reference`: your own
    number of the report; sent again it is the same report."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "category": "flooding",
                    "text": "隧道口积水约半米,车辆无法通行",
                    "place": {"lon": 112.4721, "lat": 23.0569},
                    "photos": ["https://photos.example.org/2026/1123/1.jpg"],
                    "reporter": "hotline",
                    "reference": "12345-20261123-0087",
                    "occurred_at": "2026-11-23T08:15:00+08:00",
                }
            ]
        },
    )

    category: Annotated[str, Field(max_length=64, pattern=PRINTABLE)]
    text: Annotated[str, Field(min_length=1, max_length=4_000, pattern=PRINTABLE)]
    place: PlaceIn | None = None
    area_id: Annotated[str | None, Field(max_length=64, pattern=PRINTABLE)] = None
    photos: Annotated[
        list[Annotated[str, Field(max_length=2_000, pattern=PRINTABLE)]], Field(max_length=9)
    ] = []
    reporter: Reporter
    phone: Annotated[str | None, Field(pattern=r"^\+?[0-9 \-]{5,24}$")] = None
    reference: Annotated[str | None, Field(min_length=1, max_length=200, pattern=PRINTABLE)] = None
    occurred_at: AwareDatetime | None = None

    @field_validator("photos")
    @classmethod
    def _are_https(cls, value: list[str]) -> list[str]:
        for photo in value:
            try:
                parts = urlsplit(photo)
                good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
            except ValueError:
                good = False
            if not good or any(char.isspace() for char in photo):
                raise ValueError("a photo is an https address without a login in it")
        return value

    @model_validator(mode="after")
    def _has_a_place(self) -> "ReportIn":
        if (self.place is None) == (self.area_id is None):
            raise ValueError("a report needs exactly one of 'place' and 'area_id'")
        return self

    def report(self, at: Whereabouts, clock: Clock, who: Identity) -> Report:
        """As it is kept."""
        now = clock()
        return Report(
            report_id=report_id(who.key_id, self.reference),
            category=self.category,
            text=self.text,
            spot=None if self.place is None else Spot(self.place.lon, self.place.lat),
            area_id=at.area_id,
            area_ids=at.area_ids,
            photos=tuple(self.photos),
            reporter=self.reporter,
            phone=self.phone,
            reference=self.reference,
            occurred_at=self.occurred_at or now,
            received_at=now,
            received_by=who.name,
        )


class ReportAnswer(BaseModel):
    """What became of a report. `known`: the same reference was sent before."""

    report_id: UUID
    outcome: Outcome
    incident: Incident


class ReportOut(BaseModel):
    """A report as it was taken, without the caller's number."""

    report_id: UUID
    incident_id: UUID
    category: str
    text: str
    lon: float | None
    lat: float | None
    area_id: str | None
    photos: list[str]
    reporter: str
    reference: str | None
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    received_by: str


class ReportWithPhone(ReportOut):
    """A report with the caller's number."""

    phone: str | None


class ReportList(BaseModel):
    """The reports of an incident."""

    items: list[ReportOut]
    next: None = None


def reports_router(reports: Reports, clock: Clock) -> APIRouter:
    """`/v1/reports…`, `/v1/incidents/{id}/reports`."""
    router = APIRouter(tags=["reports"])

    @router.post("/v1/reports", status_code=201, summary="Report something")
    async def take_report(who: Reporting, body: ReportIn, response: Response) -> ReportAnswer:
        """Opens an incident, or joins an open one of the same category within 200 m and 2 hours;
        `outcome` says which (201 opened, 200 otherwise)."""
        _check(body, reports, clock)
        spot = None if body.place is None else Spot(body.place.lon, body.place.lat)
        at = await reports.whereabouts(spot, body.area_id)
        if body.area_id is not None and at.area_id is None:
            raise _invalid("/area_id", f"there is no area {body.area_id}", "unknown_area")
        _check_confinement(who, at)
        taken = await reports.take(body.report(at, clock, who), at.name, who)
        if taken.outcome != "opened":
            response.status_code = 200
        return ReportAnswer(
            report_id=taken.report_id, outcome=taken.outcome, incident=taken.incident
        )

    @router.get("/v1/incidents/{incident_id}/reports", summary="The reports of an incident")
    async def list_reports(who: Handler, incident_id: UUID) -> ReportList:
        """Oldest first, without callers' numbers; who has not been granted them (`reports.phone`)
        does not get those in the text either."""
        return ReportList(items=[ReportOut(**one) for one in await reports.of(incident_id, who)])

    @router.get("/v1/reports/{report}", summary="One report, with the caller's number")
    async def read_report(who: Dispatcher, report: UUID, response: Response) -> ReportWithPhone:
        """For who has to call back: dispatchers, with a grant of their own (`reports.phone`, `POST
        /v1/grants`). To others the answer has no `phone`, and no numbers in its text."""
        response.headers["cache-control"] = "no-store"
        found = await reports.get(report, who, clock())
        if found is None:
            raise _unknown(report)
        return ReportWithPhone(**found)

    @router.delete("/v1/reports/{report}/phone", status_code=204, summary="Erase a number")
    async def erase_phone(who: Dispatcher, report: UUID) -> None:
        """The caller's number of a report, for good."""
        if not await reports.forget_phone(report, who, clock()):
            raise _unknown(report)

    return router


def _check(body: ReportIn, reports: Reports, clock: Clock) -> None:
    if body.category not in reports.kinds:
        known = ", ".join(sorted(reports.kinds))
        raise _invalid("/category", f"unknown; known: {known}", "unknown_category")
    if body.occurred_at is None:
        return
    now = clock()
    if body.occurred_at > now + AHEAD:
        raise _invalid("/occurred_at", "this moment is still to come", "in_future")
    if body.occurred_at < now - OLDEST:
        raise _invalid("/occurred_at", "a report is at most 7 days old", "too_old")


def _check_confinement(who: Identity, at: Whereabouts) -> None:
    """A key that is confined to areas reports from there."""
    allowed = who.restrictions.areas if who.restrictions is not None else frozenset[str]()
    if allowed and allowed.isdisjoint(at.area_ids):
        detail = "This key is confined to other areas."
        raise Problem(403, "Forbidden", detail, code="confined")


def _invalid(pointer: str, detail: str, code: str) -> Problem:
    return Problem(422, "Invalid request", f"{pointer}: {detail}", code=code, pointer=pointer)


def _unknown(report: UUID) -> Problem:
    return Problem(404, "Not found", f"there is no report {report}", code="not_found")
