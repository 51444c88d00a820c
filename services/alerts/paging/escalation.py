"""What an incident's escalation does next. Pure: from the escalation, the incident as it is now and
who is on duty follow the escalation afterwards, and whom to tell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict

from services.alerts.oncall import plan
from services.alerts.oncall.chain import Chain, Wait
from services.alerts.oncall.oncall import Oncall
from services.alerts.oncall.route import Route
from services.alerts.paging.notice import NOBODY, Notice, Reason, hidden, over, taken, urgent
from shared.contracts.incident import Incident, IncidentState

Stage = Literal["new", "telling", "unrouted", "acknowledged", "quiet", "over"]
AGAIN = timedelta(minutes=5)  # until it is tried again, when nobody could be told


class Track(BaseModel):
    """One route's chain on its way, as both were when it began. `position`: of the next step in the
    unrolled chain; `passes`: how often it has been gone through."""

    model_config = ConfigDict(frozen=True)

    route: Route
    chain: Chain
    due_at: datetime
    position: int = 0
    passes: int = 0


@dataclass(frozen=True)
class Escalation:
    """Of one incident. `priority`: when its routes were found; `expired`: the version whose
    acknowledgement nothing has followed; `next_at`: None: only when something happens."""

    incident_id: UUID
    stage: Stage = "new"
    priority: int | None = None
    expired: int | None = None
    tracks: tuple[Track, ...] = ()
    next_at: datetime | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a decision looks at besides the incident. `areas`: all that it lies in; `told`: who was
    told of it."""

    oncall: Oncall
    areas: Sequence[str]
    told: Collection[str]
    now: datetime


@dataclass
class _Run:
    """One decision while it is made."""

    incident: Incident
    around: Surroundings
    notices: list[Notice] = field(default_factory=list)

    def tell(self, recipient: str, route: Route, reason: Reason) -> None:
        now, pressing = self.around.now, urgent(self.incident) and reason != "resolved"
        group = "|".join((route.route_id, *route.group(self.incident)))
        wait = timedelta(0) if pressing else timedelta(seconds=route.group_wait_seconds)
        self.notices.append(
            Notice(
                uuid4(), self.incident.id, recipient, route.route_id, group, reason, pressing,
                now, now + wait, timedelta(seconds=route.group_interval_seconds),
            )
        )  # fmt: skip

    def nobody(self, route_id: str, why: str) -> None:
        """Said to nobody, for everybody to see."""
        made = Notice(
            uuid4(), self.incident.id, NOBODY, route_id, route_id, "new", urgent(self.incident),
            self.around.now, self.around.now,
        )  # fmt: skip
        self.notices.append(made.dropped(why))


def decide(
    before: Escalation, incident: Incident, around: Surroundings
) -> tuple[Escalation, list[Notice]]:
    """Afterwards, and whom to tell."""
    run = _Run(incident, around)
    if hidden(incident):
        return replace(before, stage="quiet", next_at=None), []
    if over(incident):
        if before.stage != "over":
            _tell_those_told(run, before, "resolved")
        return replace(before, stage="over", tracks=(), next_at=None), run.notices
    worse = before.priority is not None and incident.priority < before.priority
    if worse:
        _tell_those_told(run, before, "changed")
        before = replace(before, priority=incident.priority, stage="new")
    if taken(incident) and before.expired != incident.version:
        waiting = _acknowledged(before, incident, around.now)
        if waiting is not None:
            return waiting, run.notices
        before = replace(before, stage="new", expired=incident.version)
    if before.stage not in ("telling", "unrouted"):
        before = _begin(before, run)
    return _advance(before, run), run.notices


def _acknowledged(before: Escalation, incident: Incident, now: datetime) -> Escalation | None:
    """It waits for who has acknowledged it; None: that has expired."""
    after = replace(before, stage="acknowledged", priority=incident.priority, next_at=None)
    if incident.state != IncidentState.ACKNOWLEDGED:
        return after  # it is worked on: the duties' deadlines watch over it
    minutes = min((track.chain.acknowledged_minutes for track in before.tracks), default=30)
    expires = incident.updated_at + timedelta(minutes=minutes)
    return replace(after, next_at=expires) if expires > now else None


def _begin(before: Escalation, run: _Run) -> Escalation:
    oncall, incident = run.around.oncall, run.incident
    tracks = []
    for route in oncall.routes_for(incident, run.around.areas):
        chain = oncall.chain(route.chain)
        if chain is None:
            run.nobody(route.route_id, f"there is no chain {route.chain}")
        else:
            tracks.append(Track(route=route, chain=chain, due_at=run.around.now))
    if not tracks and before.stage != "unrouted":
        run.nobody("", "no route fits")
    return replace(
        before,
        stage="telling" if tracks else "unrouted",
        priority=incident.priority,
        tracks=tuple(tracks),
    )


def _advance(before: Escalation, run: _Run) -> Escalation:
    now = run.around.now
    if before.stage == "unrouted":
        again = _begin(before, run)
        if again.stage == "unrouted":
            return replace(again, next_at=now + AGAIN)
        before = again
    tracks = tuple(_step(track, run) if track.due_at <= now else track for track in before.tracks)
    return replace(before, tracks=tracks, next_at=min(track.due_at for track in tracks))


def _step(track: Track, run: _Run) -> Track:
    """Do all that is due of a track. Nobody waits for somebody who was not told."""
    steps, now = track.chain.unrolled, run.around.now
    reached, anybody = track.position > 0, track.position > 0  # it stands behind a wait
    position = track.position
    while position < len(steps):
        step = steps[position]
        position += 1
        if isinstance(step, Wait):
            if reached:
                due = now + timedelta(minutes=step.minutes)
                return track.model_copy(update={"position": position, "due_at": due})
            continue
        reached = _call(plan.call(step, run.around.oncall, now), track, run)
        anybody = anybody or reached
    if not anybody:
        if track.passes == 0:
            run.nobody(track.route.route_id, f"nobody of chain {track.chain.chain_id} to tell")
        due = now + AGAIN
    else:
        due = now + timedelta(seconds=track.route.repeat_interval_seconds)
    return track.model_copy(update={"position": 0, "passes": track.passes + 1, "due_at": due})


def _call(call: plan.Call, track: Track, run: _Run) -> bool:
    """Tell whom a step names; whether there was anybody."""
    people = run.around.oncall.people
    reachable = [f"person:{one}" for one in call.people if people[one].contacts]
    found = [*reachable, *(f"endpoint:{one}" for one in call.endpoints)]
    for recipient in found:
        if recipient in run.around.told:
            reason: Reason = "repeat"
        else:
            reason = "escalated" if track.position > 0 or track.passes > 0 else "new"
        run.tell(recipient, track.route, reason)
    if track.passes == 0:
        for roster in call.gaps:
            run.nobody(track.route.route_id, f"nobody is on duty by roster {roster}")
    return bool(found)


def _tell_those_told(run: _Run, before: Escalation, reason: Reason) -> None:
    if not before.tracks:
        return
    for recipient in sorted(run.around.told):
        run.tell(recipient, before.tracks[0].route, reason)
