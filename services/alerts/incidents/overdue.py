"""What was not done in time escalates: once per step, whoever restarts and however many look."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger
from services.alerts.incidents import steps as made
from services.alerts.metrics import OVERDUE
from shared.clock import Clock
from shared.contracts.incident import Incident, IncidentState
from shared.errors import Unavailable
from shared.store.tables import incidents

_log = logging.getLogger(__name__)

ACTOR = "duties"
LOOK_SECONDS = 5.0
AT_ONCE = 100
URGENT = 1  # the highest priority

# What should have been done in a state: 签收, 派遣, 处置, 核查.
_DUTY = {
    IncidentState.OPEN: "acknowledge",
    IncidentState.ACKNOWLEDGED: "dispatch",
    IncidentState.DISPATCHED: "handle",
    IncidentState.HANDLING: "handle",
    IncidentState.RESOLVED: "verify",
}


class Escalation:
    """The job. `wake`: set whenever something is in the outbox."""

    def __init__(self, engine: AsyncEngine, clock: Clock, wake: asyncio.Event) -> None:
        self._engine = engine
        self._clock = clock
        self._wake = wake

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a lost database is tried again."""
        while not stop.is_set():
            try:
                if await self.escalate_some():
                    continue
            except Unavailable as error:
                _log.warning("overdue steps wait: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def escalate_some(self) -> int:
        """Escalate what is longest overdue; how many."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            late = await _late(connection, now)
            for incident in late:
                step = made.event(
                    escalated(incident, now), "incident.overdue", ACTOR, said(incident)
                )
                await ledger.record(connection, step)
        for incident in late:
            OVERDUE.labels(_DUTY[incident.state]).inc()
        if late:
            self._wake.set()
        return len(late)


def escalated(incident: Incident, now: datetime) -> Incident:
    """The incident whose current step is overdue: one level more urgent. Pure."""
    priority = max(URGENT, incident.priority - 1)
    held = tuple(sorted({*incident.held, "priority"}))
    return made.stepped(incident, now, overdue=True, priority=priority, held=held)


def said(incident: Incident) -> str:
    """Who is late, with what, since when. Pure."""
    who = incident.department or "-"
    return f"{_DUTY[incident.state]} · {who} · {incident.step_due_at:%Y-%m-%dT%H:%M:%S%z}"


async def _late(connection: AsyncConnection, now: datetime) -> list[Incident]:
    """What is due and not told yet, locked; what another replica has locked is its business. Parts
    of a whole go with it; what is silenced, or long past, calls nobody."""
    query = (
        select(incidents)
        .where(
            ~incidents.c.overdue,
            incidents.c.step_due_at < now,
            incidents.c.state != IncidentState.CLOSED,
            ~incidents.c.historical,
            incidents.c.suppressed.is_(None),
            incidents.c.parent_id.is_(None),
        )
        .order_by(incidents.c.step_due_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return [ledger.to_incident(row) for row in await connection.execute(query)]
