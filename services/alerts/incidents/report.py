"""What a person reports: where it is, which incident it belongs to, what it opens. Pure."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4, uuid5

from services.alerts.incidents.steps import stepped
from shared.contracts.incident import INCIDENT_NAMESPACE, Incident, IncidentState

NEAR_METRES = 200.0
NEAR_TIME = timedelta(hours=2)
SAID_AT_MOST = 200  # characters of a report in the timeline
_EARTH_METRES = 6_371_008.8
_NUMBERS = re.compile(r"\+?\d[\d \-]{5,}\d")

Reporter = Literal["hotline", "patrol", "citizen"]


@dataclass(frozen=True)
class Spot:
    """A point, WGS 84 degrees."""

    lon: float
    lat: float


@dataclass(frozen=True)
class Report:
    """`area_ids`: the areas that it lies in, the nearest first. `phone`: of a person, kept apart.
    `reference`: the sender's own number of it; the same again is the same report."""

    report_id: UUID
    category: str
    text: str
    spot: Spot | None
    area_id: str | None
    area_ids: tuple[str, ...]
    photos: tuple[str, ...]
    reporter: Reporter
    phone: str | None
    reference: str | None
    occurred_at: datetime
    received_at: datetime
    received_by: str


@dataclass(frozen=True)
class Kind:
    """What its category says."""

    name: str
    grade: int
    priority: int


@dataclass(frozen=True)
class Candidate:
    """An open incident of the report's category and one place and time of it."""

    incident_id: UUID
    spot: Spot
    at: datetime


def report_id(received_by: str, reference: str | None) -> UUID:
    """The same reference of the same sender is the same report."""
    return uuid5(INCIDENT_NAMESPACE, f"{received_by}|{reference}") if reference else uuid4()


def metres(one: Spot, other: Spot) -> float:
    """Distance on the sphere."""
    lat, other_lat = math.radians(one.lat), math.radians(other.lat)
    north, east = other_lat - lat, math.radians(other.lon - one.lon)
    chord = math.sin(north / 2) ** 2
    chord += math.cos(lat) * math.cos(other_lat) * math.sin(east / 2) ** 2
    return 2 * _EARTH_METRES * math.asin(min(1.0, math.sqrt(chord)))


def joined(report: Report, candidates: Iterable[Candidate]) -> UUID | None:
    """The incident that a report belongs to: the nearest within reach of place and time. A report
    that names an area only could be anywhere in it: it joins nothing."""
    if report.spot is None:
        return None
    reached = [
        (metres(report.spot, one.spot), str(one.incident_id), one.incident_id)
        for one in candidates
        if abs(report.occurred_at - one.at) <= NEAR_TIME
    ]
    near = [one for one in reached if one[0] <= NEAR_METRES]
    return min(near)[2] if near else None


def opened(report: Report, kind: Kind, area_name: str) -> Incident:
    """The incident that a report opens."""
    title = f"{kind.name} · {area_name}" if area_name else kind.name
    return Incident(
        id=uuid5(report.report_id, "incident"),
        title=title,
        state=IncidentState.OPEN,
        grade=kind.grade,
        priority=kind.priority,
        area_id=report.area_id,
        subjects=(),
        rule_id=None,
        rule_version=None,
        opened_at=report.received_at,
        updated_at=report.received_at,
        observed_at=report.occurred_at,
        deadline_at=None,
        kind="report",
        category=report.category,
    )


def told_again(incident: Incident, now: datetime) -> Incident:
    """The incident after another report of it; where only people report, they are its members."""
    members = incident.members + (1 if incident.kind == "report" else 0)
    return stepped(incident, now, members=members)


def said(report: Report) -> str:
    """A report in the timeline, without telephone numbers: the timeline goes everywhere."""
    text = without_numbers(" ".join(report.text.split()))
    return f"{report.reporter}: {text[:SAID_AT_MOST]}"


def without_numbers(text: str) -> str:
    """For who has not been granted callers' numbers: what may be one is not in it."""
    return _NUMBERS.sub("…", text)
