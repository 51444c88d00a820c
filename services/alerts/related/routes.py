"""`GET /v1/incidents/{id}/related`: what moved with an incident, and what was like it."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from services.alerts.incidents.answers import unknown_incident
from services.alerts.related.neighbours import Tie
from services.alerts.related.precedents import Likeness, Precedent
from services.alerts.related.relations import Companion, Related
from shared.contracts.incident import IncidentState
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import documented

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
EXAMPLE: dict[str, Any] = {
    "incident_id": "5b2c8f6e-3f5e-5d6e-9c55-1d1f4a3c0001",
    "own": {"sensor_id": "gauge-1", "metric": "water.level", "since": "2026-05-01T07:20:00Z",
            "values": [6.1, 6.1, 6.4, None, 7.2]},
    "start": "2026-05-01T02:00:00Z", "step_seconds": 300, "compared": 34, "nothing": None,
    "series": [
        {"sensor_id": "rain-3", "metric": "weather.rain", "name": "三号雨量站", "tie": "area",
         "r": 0.91, "lag_seconds": -1500, "pairs": 83, "since": "2026-05-01T06:55:00Z",
         "against": "yesterday", "values": [0.0, 4.2, 31.5, 40.0, 38.1]},
    ],
    "incidents": [
        {"id": "5b2c8f6e-3f5e-5d6e-9c55-1d1f4a3c0002", "title": "河道水位超警戒 · 一号水位站",
         "state": "closed", "priority": 2, "alike": ["sensor", "rule", "area", "category"],
         "opened_at": "2026-04-20T11:00:00Z", "cleared_at": "2026-04-20T14:10:00Z",
         "resolved_at": "2026-04-20T15:00:00Z", "closed_at": "2026-04-20T16:00:00Z",
         "took_seconds": 14400, "department": "水利局", "note": "开闸放水"},
    ],
}  # fmt: skip


class Relations(Protocol):
    """See `relations.Relations`."""

    async def of(self, incident_id: UUID) -> Related | None:
        """None: there is no such incident. Raises `Overloaded`, `Unavailable`."""
        ...


class OwnSeries(BaseModel):
    """What the incident is about. `values`: means of `step_seconds` from `start` on, null where
    nothing was read; `since`: when it left what was usual in the hours before."""

    sensor_id: str
    metric: str
    since: datetime | None
    values: list[float | None]


class Moved(OwnSeries):
    """A series that moved with it. `r`: correlation, negative: the other way; `lag_seconds`: it
    came so much later, negative: earlier; `against`: compared was what is other than a day before
    (`yesterday`), or the values themselves, where that day is not known."""

    name: str
    tie: Tie
    r: float
    lag_seconds: int
    pairs: int
    against: Literal["yesterday", "itself"]


class Earlier(BaseModel):
    """A past incident that was like it. `took_seconds`: from opening until it was resolved, or
    closed; null: it is not."""

    id: UUID
    title: str
    state: IncidentState
    priority: int
    alike: list[Likeness]
    opened_at: datetime
    cleared_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    took_seconds: float | None
    department: str | None
    note: str


class RelatedAnswer(BaseModel):
    """`compared`: how many series were looked at; `nothing`: why none could be."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    incident_id: UUID
    own: OwnSeries | None
    start: datetime | None
    step_seconds: int | None
    compared: int
    nothing: Literal["no_series", "too_little"] | None
    series: list[Moved]
    incidents: list[Earlier]


def related_router(relations: Relations) -> APIRouter:
    """`/v1/incidents/{id}/related`."""
    router = APIRouter(prefix="/v1/incidents", tags=["incidents"])

    @router.get(
        "/{incident_id}/related",
        summary="What moved with an incident, and what was like it",
        responses=documented({
            404: "There is no such incident",
            503: "Too many such questions at once, or the database is away; see `Retry-After`",
        }),
    )  # fmt: skip
    async def related(_: Viewer, incident_id: UUID) -> RelatedAnswer:
        """Series near it, and those that depend on it or it on them, whose course from six hours
        before its opening to two hours after it follows its own, at most an hour earlier or later;
        and past incidents of the same rule, sensors, area or kind, with how they ended."""
        found = await relations.of(incident_id)
        if found is None:
            raise unknown_incident(incident_id)
        window = found.window
        return RelatedAnswer(
            incident_id=incident_id,
            own=_own(found),
            start=None if window is None else window.start,
            step_seconds=None if window is None else window.seconds,
            compared=found.compared,
            nothing=None if found.nothing is None else found.nothing.value,
            series=[_moved(one) for one in found.companions],
            incidents=[_earlier(one) for one in found.precedents],
        )

    return router


def _own(found: Related) -> OwnSeries | None:
    if found.own is None:
        return None
    sensor_id, metric = found.own
    return OwnSeries(
        sensor_id=sensor_id, metric=metric, since=found.since, values=list(found.values)
    )


def _moved(one: Companion) -> Moved:
    sensor_id, metric = one.series
    return Moved(
        sensor_id=sensor_id, metric=metric, name=one.name, tie=one.tie, r=round(one.r, 3),
        lag_seconds=one.lag_seconds, pairs=one.pairs, since=one.since, values=list(one.values),
        against="yesterday" if one.against_yesterday else "itself",
    )  # fmt: skip


def _earlier(one: Precedent) -> Earlier:
    incident = one.incident
    ended = [at for at in (one.resolved_at, one.closed_at) if at is not None]
    took = (min(ended) - incident.opened_at).total_seconds() if ended else None
    return Earlier(
        id=incident.id, title=incident.title, state=incident.state, priority=incident.priority,
        alike=list(one.alike), opened_at=incident.opened_at, cleared_at=one.cleared_at,
        resolved_at=one.resolved_at, closed_at=one.closed_at, took_seconds=took,
        department=incident.department, note=one.note,
    )  # fmt: skip
