"""Silences, maintenance windows, subjects out of service, shelvings: what is quiet when. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.alerts.incidents.alert import Alert
from services.alerts.incidents.case import settled
from services.alerts.incidents.casebook import Casebook
from services.alerts.silencing.inhibitions import Inhibition
from services.alerts.silencing.matchers import Matchers
from shared.contracts.incident import Suppression

Kind = Literal["silence", "maintenance", "out_of_service", "shelving"]
LONGEST: dict[Kind, timedelta] = {
    "silence": timedelta(days=7),
    "maintenance": timedelta(days=30),
    "out_of_service": timedelta(days=366),
    "shelving": timedelta(hours=8),
}


@dataclass(frozen=True, slots=True)
class Silence:
    """A row of `alerts.silences`. A shelving names its incident, every other kind its alerts."""

    silence_id: UUID
    kind: Kind
    matchers: Matchers | None
    incident_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def until(self) -> datetime:
        """When it ends, or has ended."""
        return self.ends_at if self.ended_at is None else min(self.ended_at, self.ends_at)

    def state(self, now: datetime) -> Literal["pending", "active", "expired"]:
        """Where it stands."""
        if now >= self.until:
            return "expired"
        return "pending" if now < self.starts_at else "active"

    @property
    def suppression(self) -> Suppression:
        """What an incident says of it."""
        by: Literal["silence", "maintenance", "shelved"] = "maintenance"
        if self.kind in ("silence", "shelving"):
            by = "silence" if self.kind == "silence" else "shelved"
        return Suppression(by=by, id=str(self.silence_id), until=self.ends_at)


class Stillness:
    """`case.Quiet` of one moment: what is silenced, and what stands that inhibits others."""

    def __init__(
        self, silences: Sequence[Silence], inhibitions: Sequence[Inhibition],
        standing: Iterable[Alert],
    ) -> None:  # fmt: skip
        self._matching = [(one, one.matchers) for one in silences if one.matchers is not None]
        self._shelved = {one.incident_id: one.suppression for one in silences if one.incident_id}
        self._inhibitions = inhibitions
        self._sources = {one.alert_id: one for one in standing}
        self.stirred = False  # a source has come or gone since

    def of(self, alert: Alert) -> Suppression | None:
        """The longest silence or window, else an inhibition."""
        if alert.historical:
            return None
        found = [one for one, matchers in self._matching if matchers.may_hide(alert)]
        if found:
            return max(found, key=lambda one: (one.ends_at, str(one.silence_id))).suppression
        for inhibition in self._inhibitions:
            if any(inhibition.inhibits(source, alert) for source in self._sources.values()):
                return Suppression(by="inhibition", id=inhibition.id)
        return None

    def shelved(self, incident: UUID) -> Suppression | None:
        """The shelving of an incident."""
        return self._shelved.get(incident)

    def hear(self, alert: Alert) -> None:
        """An alert has changed: it may have become a source, or be none any more."""
        if alert.historical or not any(one.source.fit(alert) for one in self._inhibitions):
            return
        known = self._sources.pop(alert.alert_id, None)
        if alert.standing:
            self._sources[alert.alert_id] = alert
        self.stirred |= (known is None) == alert.standing


def reconsider(book: Casebook, notes: dict[str, str]) -> None:
    """Every alert in the book as it is to be now; who becomes quiet or heard takes a step.
    `notes`: id of a silence → who and why."""
    for alert in [one for one in book.alerts() if one.standing and not one.historical]:
        now = book.quiet.of(alert)
        if now != alert.suppressed:
            book.put(replace(alert, suppressed=now))
    for case in list(book.cases.values()):
        members = book.members(case.id)
        if not case.active or case.incident.historical or not members:
            continue
        before = case.incident.suppressed
        after: Suppression | None = settled(members, book.quiet.shelved(case.id))["suppressed"]
        if before != after:
            kind = "incident.suppressed" if after is not None else "incident.unsuppressed"
            note = notes.get(after.id, "") if after is not None else ""
            book.step(case, kind, note=note)
