"""Merging, splitting and linking incidents over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.incidents.answers import PRINTABLE, Find, conflict, unknown_incident
from services.alerts.incidents.families import Families, Pair
from services.alerts.incidents.lifecycle import Refusal, Wanted
from services.alerts.incidents.merging import LINK, MERGE, link, merge, unlink
from shared.contracts.incident import Incident
from shared.web.auth import require_role
from shared.web.identity import Identity

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Operator = Annotated[Identity, Depends(require_role(LINK.role, somewhere=True))]
Dispatcher = Annotated[Identity, Depends(require_role(MERGE.role, somewhere=True))]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Ids = Annotated[list[UUID], Field(max_length=1_000)]
EXAMPLE = "0b6c2a0e-8a57-5c57-9f0c-0d5a8ed1c6b1"


class Told(BaseModel):
    """`version`: of the incident the person was looking at; a newer one answers 409."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=4_000, pattern=PRINTABLE)] = ""
    version: Annotated[int | None, Field(ge=1)] = None

    def wanted(self) -> Wanted:
        """As commands take it."""
        return Wanted(self.note, version=self.version)


class MergeBody(Told):
    """`into`: where everything goes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"into": EXAMPLE, "note": "同一处积水"}]}
    )

    into: UUID


class SplitBody(Told):
    """What becomes an incident of its own: alerts (`GET /v1/incidents/{id}/alerts`) and reports."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reports": [EXAMPLE], "note": "另一处"}]}
    )

    alerts: Ids = []
    reports: Ids = []
    title: Annotated[str | None, Field(min_length=1, max_length=200, pattern=PRINTABLE)] = None


class LinkBody(Told):
    """`incident`: the other one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"incident": EXAMPLE}]})

    incident: UUID


class PairOut(BaseModel):
    """Both incidents after the command; `other`: the one merged into, split off, or linked."""

    incident: Incident
    other: Incident


def families_router(families: Families, find: Find) -> APIRouter:
    """`/v1/incidents/{id}/merge|split|link|unlink`, `/v1/incidents/{id}/alerts`. `find`: one
    incident with its timeline."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"])

    @router.get("/{incident_id}/alerts", summary="The alerts of an incident")
    async def list_alerts(_: Viewer, incident_id: UUID, limit: Limit = 1_000) -> dict[str, Any]:
        """The first raised first."""
        return {"items": await families.alerts_of(incident_id, limit), "next": None}

    @router.post("/{incident_id}/merge", summary="Merge an incident into another")
    async def merge_incident(who: Dispatcher, incident_id: UUID, body: MergeBody) -> PairOut:
        """Alerts, reports and parts go over; this incident ends with `merged_into`."""
        wanted = body.wanted()
        outcome = await families.pair(incident_id, body.into, merge, wanted, who)
        return await _pair(outcome, incident_id, find)

    @router.post("/{incident_id}/split", summary="Split an incident")
    async def split_incident(who: Dispatcher, incident_id: UUID, body: SplitBody) -> PairOut:
        """Some of its alerts and reports become an incident of their own, linked with this one."""
        outcome = await families.split(
            incident_id, body.alerts, body.reports, body.title, body.wanted(), who
        )
        return await _pair(outcome, incident_id, find)

    @router.post("/{incident_id}/link", summary="Link two incidents")
    async def link_incidents(who: Operator, incident_id: UUID, body: LinkBody) -> PairOut:
        """Each names the other under `links`."""
        wanted = body.wanted()
        outcome = await families.pair(incident_id, body.incident, link, wanted, who)
        return await _pair(outcome, incident_id, find)

    @router.post("/{incident_id}/unlink", summary="Undo a link")
    async def unlink_incidents(who: Operator, incident_id: UUID, body: LinkBody) -> PairOut:
        """Neither names the other any more."""
        wanted = body.wanted()
        outcome = await families.pair(incident_id, body.incident, unlink, wanted, who)
        return await _pair(outcome, incident_id, find)

    return router


async def _pair(outcome: Pair | Refusal | UUID, incident_id: UUID, find: Find) -> PairOut:
    if isinstance(outcome, Refusal):
        raise await conflict(outcome, incident_id, find)
    if isinstance(outcome, UUID):
        raise unknown_incident(outcome)
    return PairOut(incident=outcome.incident, other=outcome.other)
