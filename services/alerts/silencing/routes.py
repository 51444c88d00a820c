"""Silences, maintenance windows, subjects out of service and shelvings over HTTP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.alerts import cursor
from services.alerts.incidents.grouping import ALONE
from services.alerts.silencing.inhibitions import Inhibition, InhibitionError
from services.alerts.silencing.matchers import TOO_BROAD, Matchers
from services.alerts.silencing.repository import Silencing
from services.alerts.silencing.silence import LONGEST, Kind, Silence
from shared.clock import Clock
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Operator = Annotated[Identity, Depends(require_role("operator", somewhere=True))]
PRINTABLE = r"^[^\x00]*$"
LONGEST_OF_P1 = timedelta(hours=1)  # an incident of priority 1 may be shelved so long
NOISE: dict[str, Any] = {"rule": ["noise-*"], "area": ["441202"]}
NIGHT: dict[str, Any] = {
    "matchers": NOISE,
    "until": "2026-05-02T06:00:00+08:00",
    "reason": "广场演出, 已报备",
}


class SilenceBody(BaseModel):
    """What is to be quiet, from when until when, and why. The actor is who asks.

    `kind`: silence (at most 7 days), maintenance (30 days), out_of_service (366 days) take
    `matchers`; shelving (8 h, of priority 1: 1 h) takes `incident_id`.
    """

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"examples": [NIGHT]}
    )

    kind: Kind = "silence"
    matchers: Matchers | None = None
    incident_id: UUID | None = None
    starts_at: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=PRINTABLE)]


class PreviewBody(BaseModel):
    """What a silence would be about."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"matchers": NOISE}]})

    matchers: Matchers


def silences_router(
    silencing: Silencing,
    clock: Clock,
    inhibitions: Sequence[Inhibition],
    errors: Sequence[InhibitionError],
) -> APIRouter:
    """`/v1/silences…` and `/v1/inhibitions`."""
    router = APIRouter(prefix="/v1", tags=["silences"])

    @router.get("/silences", summary="Silences, newest first")
    async def list_silences(
        _: Viewer,
        state: Literal["active", "pending", "expired"] | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor_: Annotated[str | None, Query(alias="cursor")] = None,
    ) -> dict[str, Any]:
        """Every silence there was: none is ever deleted."""
        items = await silencing.page(state, cursor.decode(cursor_), limit)
        last = items[-1] if len(items) == limit else None
        following = cursor.encode(last.created_at, last.silence_id) if last else None
        return {"items": [public(one, clock()) for one in items], "next": following}

    @router.get("/silences/{silence_id}", summary="One silence")
    async def get_silence(_: Viewer, silence_id: UUID) -> dict[str, Any]:
        """With who made it and why."""
        found = await silencing.get(silence_id)
        if found is None:
            raise _unknown(silence_id)
        return public(found, clock())

    @router.post("/silences", status_code=201, summary="Keep something quiet")
    async def make_silence(who: Operator, body: SilenceBody) -> dict[str, Any]:
        """What is silenced is recorded and shown as such, but delivers nothing. If it still stands
        when the silence ends, it is delivered then. Priority 1 is silenced by name only."""
        now = clock()
        silence = _checked(body, who.name, now)
        if silence.incident_id is not None:
            await _check_shelving(silencing, silence)
        await silencing.make(silence, who)
        return public(silence, now)

    @router.post("/silences/preview", summary="What a silence would hide")
    async def preview(_: Operator, body: PreviewBody) -> dict[str, Any]:
        """Of the incidents that stand, and of those of the last day: which would tell nobody
        (`whole`), and which would only lack some of their alerts (`part`)."""
        return await _preview(silencing, body.matchers, clock())

    @router.delete("/silences/{silence_id}", summary="End a silence now")
    async def end_silence(who: Operator, silence_id: UUID) -> dict[str, Any]:
        """It stays in the list, with who ended it."""
        found = await silencing.end(silence_id, who)
        if found is None:
            raise _unknown(silence_id)
        return public(found, clock())

    @router.get("/inhibitions", summary="Which alerts keep which others quiet")
    async def list_inhibitions(_: Viewer) -> dict[str, Any]:
        """Those in force, and those that were refused, with file and reason."""
        return {
            "items": [one.model_dump(mode="json") for one in inhibitions],
            "errors": [vars(error) for error in errors],
            "next": None,
        }

    return router


def public(silence: Silence, now: datetime) -> dict[str, Any]:
    """A silence as the API shows it."""
    matchers = silence.matchers
    return {
        "silence_id": silence.silence_id,
        "kind": silence.kind,
        "state": silence.state(now),
        "matchers": None if matchers is None else matchers.model_dump(exclude_defaults=True),
        "incident_id": silence.incident_id,
        "from": silence.starts_at,
        "until": silence.ends_at,
        "reason": silence.reason,
        "created_by": silence.created_by,
        "created_at": silence.created_at,
        "ended_at": silence.ended_at,
        "ended_by": silence.ended_by,
    }


def _checked(body: SilenceBody, actor: str, now: datetime) -> Silence:
    start = body.starts_at or now
    if (body.matchers is None) == (body.kind != "shelving"):
        raise _wrong("matchers", "matchers are for every kind but a shelving, which has none")
    if (body.incident_id is None) == (body.kind == "shelving"):
        raise _wrong("incident_id", "a shelving names its incident; nothing else does")
    if body.until <= max(start, now):
        raise _wrong("until", "it would end before it begins, or has ended already")
    if body.until - start > LONGEST[body.kind]:
        raise _wrong("until", f"{body.kind}: at most {LONGEST[body.kind]}")
    matchers = body.matchers
    if matchers is not None and ALONE in matchers.priority and not matchers.by_name:
        raise Problem(422, "Invalid request", TOO_BROAD, code="too_broad", pointer="/matchers")
    return Silence(
        uuid4(), body.kind, matchers, body.incident_id, start, body.until, body.reason, actor, now
    )


async def _check_shelving(silencing: Silencing, silence: Silence) -> None:
    assert silence.incident_id is not None
    priority = await silencing.knows(silence.incident_id)
    if priority is None:
        raise _wrong("incident_id", "there is no such incident, or it is closed")
    if priority == ALONE and silence.ends_at - silence.starts_at > LONGEST_OF_P1:
        raise _wrong("until", f"an incident of priority 1: at most {LONGEST_OF_P1}")


async def _preview(silencing: Silencing, matchers: Matchers, now: datetime) -> dict[str, Any]:
    since = now - timedelta(days=1)
    book = await silencing.matched(matchers, since)
    items: list[dict[str, Any]] = []
    spared = 0
    for case in book.cases.values():
        members = book.members(case.id)
        standing = [one for one in members if one.standing] if case.active else members
        hidden = [one for one in standing if matchers.may_hide(one)]
        spared += any(matchers.fit(one) and not matchers.may_hide(one) for one in standing)
        if hidden:
            hides = "whole" if len(hidden) == len(standing) else "part"
            shown = case.incident.model_dump(mode="json", exclude={"alarms"})
            items.append({"incident": shown, "open": case.active, "hides": hides})
    items.sort(key=lambda one: (not one["open"], str(one["incident"]["opened_at"])))
    detail = TOO_BROAD if spared else None
    return {"items": items[:500], "next": None, "priority_1_not_hidden": spared, "detail": detail}


def _wrong(field: str, detail: str) -> Problem:
    return Problem(422, "Invalid request", detail, code="invalid_value", pointer=f"/{field}")


def _unknown(silence_id: UUID) -> Problem:
    return Problem(404, "Not found", f"there is no silence {silence_id}", code="not_found")
