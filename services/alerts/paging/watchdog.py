"""Proves that every incident that people must know of has a next step, and says so to somebody
outside: when the heartbeat stops, the city's own paging has."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx
from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts import attention
from services.alerts.connection import reachable
from services.alerts.metrics import FAILING, HEARTBEATS, STALLED
from shared.clock import Clock
from shared.errors import Unavailable
from shared.store.tables import deliveries, endpoints, escalations, incidents, notices

_log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
TOLERANCE = timedelta(minutes=5)
HEARTBEAT_TIMEOUT_SECONDS = 10.0
FAILING_AFTER = 3  # attempts, which take less than a minute
AT_ONCE = 1_000
MUST_BE_TOLD = and_(
    incidents.c.state.in_(("open", "acknowledged")),
    ~incidents.c.historical,
    incidents.c.suppressed.is_(None),
    incidents.c.parent_id.is_(None),
    incidents.c.merged_into.is_(None),
    incidents.c.alert_state != "cleared",
)


@dataclass(frozen=True)
class Findings:
    """`stepless`: incidents that nobody would ever be told of; `late`: whose next step is more than
    5 minutes overdue; `unsaid`, `unsent`: notices and pages that are."""

    stepless: int = 0
    late: int = 0
    unsaid: int = 0
    unsent: int = 0

    @property
    def well(self) -> bool:
        """Nothing stands still."""
        return not any(vars(self).values())


class Watchdog:
    """`heartbeat_url`: told once a minute while all is well; "": nobody."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, wake: asyncio.Event, heartbeat_url: str
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._wake = wake
        self._url = heartbeat_url

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        async with httpx.AsyncClient(timeout=HEARTBEAT_TIMEOUT_SECONDS, trust_env=False) as client:
            while not stop.is_set():
                await self.watch(client)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def watch(self, client: httpx.AsyncClient) -> bool:
        """Look once, and tell that all is well, if it is; whether that was told."""
        try:
            findings, failing = await self.look(), await self.failing()
        except Unavailable as error:
            _log.error("nobody knows whether incidents are escalated: %s", error)
            return False
        for name, count in vars(findings).items():
            STALLED.labels(name).set(count)
        FAILING.set(failing)
        if not findings.well:
            _log.error("paging stands still, the heartbeat is withheld: %s", findings)
            return False
        return await self._beat(client)

    async def look(self) -> Findings:
        """What stands still now. Incidents without a next step are given one."""
        late = self._clock() - TOLERANCE
        async with reachable(self._engine.begin()) as connection:
            stepless = await _stepless(connection)
            await attention.want(connection, stepless, self._clock())
            found = Findings(len(stepless), *await _counts(connection, late))
        if stepless:
            self._wake.set()
        return found

    async def failing(self) -> int:
        """Endpoints in use that have failed several times in a row."""
        wanted = endpoints.c.enabled & (endpoints.c.failures >= FAILING_AFTER)
        query = select(func.count()).select_from(endpoints).where(wanted)
        async with reachable(self._engine.connect()) as connection:
            return int((await connection.execute(query)).scalar_one())

    async def _beat(self, client: httpx.AsyncClient) -> bool:
        if not self._url:
            return False
        try:
            answer = await client.post(self._url, content=b"")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.warning("the heartbeat was not taken: %s", error)
            HEARTBEATS.labels("failed").inc()
            return False
        HEARTBEATS.labels("taken" if answer.is_success else "failed").inc()
        return answer.is_success


async def _stepless(connection: AsyncConnection) -> list[UUID]:
    told = escalations.c.incident_id == incidents.c.id
    lost = or_(escalations.c.incident_id.is_(None), escalations.c.next_at.is_(None))
    query = select(incidents.c.id).join(escalations, told, isouter=True)
    found = await connection.execute(query.where(MUST_BE_TOLD, lost).limit(AT_ONCE))
    return list(found.scalars())


async def _counts(connection: AsyncConnection, late: datetime) -> tuple[int, int, int]:
    async def count(table: Table, *which: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(*which)
        return int((await connection.execute(query)).scalar_one())

    overdue = await count(escalations, escalations.c.next_at < late)
    unsaid = await count(notices, notices.c.state == "waiting", notices.c.due_at < late)
    enabled = select(endpoints.c.endpoint_id).where(
        endpoints.c.enabled, func.coalesce(endpoints.c.not_before < late, True)
    )
    unsent = await count(
        deliveries, deliveries.c.state == "queued",
        deliveries.c.purpose == "paging", deliveries.c.due_at < late,
        deliveries.c.endpoint_id.in_(enabled),
    )  # fmt: skip
    return overdue, unsaid, unsent
