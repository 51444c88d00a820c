"""The job that escalates incidents and tells people: due escalations become notices, due notices
become pages, one message per person."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.metrics import NOTICES, PAGES
from services.alerts.oncall.entry import Person
from services.alerts.oncall.repository import Repository
from services.alerts.outgoing import Outgoing, queue
from services.alerts.paging import desk, page
from services.alerts.paging.notice import Notice, gather
from shared.clock import Clock
from shared.contracts.incident import Incident
from shared.errors import Unavailable
from shared.store.tables import endpoints

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # pages fall due after minutes; what has changed wakes it


class Links(Protocol):
    """Makes what a reader may open."""

    def of(self, incident: UUID, reader: str | None, now: datetime) -> Mapping[str, str]:
        """{"open", "acknowledge", "resolve"}: addresses; {} where the city has none."""
        ...


class Pager:
    """`wake`: set when incidents have changed; `delivered`: set when something is to be sent."""

    def __init__(
        self,
        engine: AsyncEngine,
        oncall: Repository,
        links: Links,
        clock: Clock,
        wake: asyncio.Event,
        delivered: asyncio.Event,
    ) -> None:
        self._engine = engine
        self._oncall = oncall
        self._escalations = desk.Escalations(oncall)
        self._links = links
        self._clock = clock
        self._wake = wake
        self._delivered = delivered

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a lost database is tried again."""
        while not stop.is_set():
            self._wake.clear()
            try:
                if await self.look():
                    continue
            except Unavailable as error:
                _log.warning("pages wait: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)

    async def look(self) -> int:
        """Escalate and tell what is due; how much was done."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            done = await self._escalations.advance(connection, now)
        async with reachable(self._engine.connect()) as connection:
            recipients = await desk.due_recipients(connection, now)
        for recipient in recipients:
            async with reachable(self._engine.begin()) as connection:
                done += await self._tell(connection, recipient, now)
        if recipients:
            self._delivered.set()
        return done

    async def _tell(self, connection: AsyncConnection, recipient: str, now: datetime) -> int:
        due = await desk.take(connection, recipient, now)
        if not due:
            return 0
        standing = await desk.standing(connection, due, self._oncall)
        heard = await desk.heard(connection, recipient, due, now)
        decided = gather(due, standing, heard, now)
        page_id, said = uuid4(), decided.said
        unreachable = said and not await self._queue(
            connection, recipient, page_id, said, standing.incidents, now
        )
        if unreachable:
            said = tuple(one.dropped("no contact that works") for one in said)
        else:
            said = tuple(one.sent() for one in said)
            PAGES.inc(1 if said else 0)
        everything = (*said, *decided.later, *decided.never)
        await desk.settle(connection, everything, page_id, now)
        for one in everything:
            NOTICES.labels(one.state).inc()
        return len(everything)

    async def _queue(
        self,
        connection: AsyncConnection,
        recipient: str,
        page_id: UUID,
        said: Sequence[Notice],
        incidents: Mapping[UUID, Incident],
        now: datetime,
    ) -> bool:
        """Queue a page for the recipient's first contact; False: there is none that works."""
        kind, _, name = recipient.partition(":")
        person: Person | None = None
        wanted: Sequence[UUID] = ()
        if kind == "person":
            person = (await self._oncall.current(connection)).person(name)
            wanted = person.contacts if person is not None else ()
        elif kind == "endpoint":
            wanted = (UUID(name),)
        contacts = await _working(connection, wanted)
        if not contacts:
            return False
        reader = person.person_id if person is not None else None
        body = page.body(
            page_id, person, said, incidents, lambda one: self._links.of(one, reader, now), now
        )
        first = page.ordered(said, incidents)[0]
        message = Outgoing(
            contacts[0], page_id, first.id, "page", body, now, now, "paging", reader,
            tuple(contacts[1:]),
        )  # fmt: skip
        await queue(connection, [message])
        return True


async def _working(connection: AsyncConnection, wanted: Sequence[UUID]) -> list[UUID]:
    """Those of these endpoints that are enabled, in the order given."""
    query = select(endpoints.c.endpoint_id).where(
        endpoints.c.endpoint_id.in_(list(wanted)), endpoints.c.enabled
    )
    working = set((await connection.execute(query)).scalars())
    return [one for one in wanted if one in working]
