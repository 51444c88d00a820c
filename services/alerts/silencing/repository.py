"""Silences on PostgreSQL, and what they do to the incidents that stand."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.connection import reachable
from services.alerts.incidents import ledger, loading
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.jurisdiction import ANYWHERE, Jurisdiction
from services.alerts.silencing.inhibitions import Inhibition
from services.alerts.silencing.matchers import Matchers
from services.alerts.silencing.silence import Silence, Stillness, reconsider
from shared.clock import Clock
from shared.store.audit import Action, record
from shared.store.tables import alerts, alerts_audit, incidents, silences
from shared.web.identity import Identity
from shared.web.rights import demand, may

LOOK_SECONDS = 2.0
STANDING = and_(alerts.c.state != "cleared", alerts.c.historical.is_(False))
Now = ColumnElement[bool]


class Silencing:
    """`gathering.Silencing`, and what people do with silences. `wake`: set when the outbox has
    something new."""

    def __init__(
        self,
        engine: AsyncEngine,
        inhibitions: Sequence[Inhibition],
        clock: Clock,
        wake: asyncio.Event,
        jurisdiction: Jurisdiction = ANYWHERE,
    ) -> None:
        self._engine = engine
        self._jurisdiction = jurisdiction
        self._inhibitions = inhibitions
        self._clock = clock
        self._wake = wake

    async def quiet(self, connection: AsyncConnection, now: datetime) -> Stillness:
        """See `gathering.Silencing.quiet`."""
        active = await load(connection, _active(now))
        standing = []
        if self._inhibitions:
            sources = or_(*(one.source.condition() for one in self._inhibitions))
            standing = await ledger.load_alerts(connection, STANDING, sources)
        return Stillness(active, self._inhibitions, standing)

    async def settle(self, connection: AsyncConnection, book: Casebook) -> None:
        """See `gathering.Silencing.settle`."""
        if not isinstance(book.quiet, Stillness) or not book.quiet.stirred:
            return
        targets = or_(*(one.target.condition() for one in self._inhibitions))
        await _load_standing(connection, book, targets)
        reconsider(book, {})

    async def make(self, silence: Silence, who: Identity) -> None:
        """A new silence, at once in force where it has begun. Raises `Problem` 403 where it would
        reach beyond what `who` may keep quiet."""
        row = asdict(silence) | {
            "matchers": {} if silence.matchers is None else silence.matchers.model_dump(mode="json")
        }
        async with reachable(self._engine.begin()) as connection:
            await ledger.one_at_a_time(connection)
            await self._demand(connection, silence, who)
            await connection.execute(insert(silences).values(row))
            await self._reconsider(connection, self._clock())
            action = Action(
                "silence.made", str(silence.silence_id), silence.created_at, None, _said(row)
            )
            await record(connection, alerts_audit, who.by, action)
        self._wake.set()

    async def end(self, silence_id: UUID, who: Identity) -> Silence | None:
        """End a silence early. None: there is none; one that is over stays as it is. Raises
        `Problem` 403."""
        now = self._clock()
        async with reachable(self._engine.begin()) as connection:
            known = await load(connection, silences.c.silence_id == silence_id)
            if not known:
                return None
            await ledger.one_at_a_time(connection)
            await self._demand(connection, known[0], who)
            ending = (
                update(silences)
                .where(silences.c.silence_id == silence_id, _not_over(now))
                .values(ended_at=now, ended_by=who.name)
            )
            if (await connection.execute(ending)).rowcount:
                await self._reconsider(connection, now)
                before = _said(asdict(known[0]))
                action = Action("silence.ended", str(silence_id), now, before)
                await record(connection, alerts_audit, who.by, action)
            found = await load(connection, silences.c.silence_id == silence_id)
        self._wake.set()
        return found[0] if found else None

    async def _demand(self, connection: AsyncConnection, silence: Silence, who: Identity) -> None:
        """A shelving is judged as its incident is. Other silences reach whatever their matchers
        fit: who is confined has to name areas, and metrics, that are his."""
        if may(who, "operator"):
            return
        if silence.incident_id is not None:
            found = await ledger.find(connection, silence.incident_id)
            shelved = [] if found is None else [found]
            await self._jurisdiction.demand(connection, who, "operator", *shelved)
            return
        matchers = silence.matchers or Matchers.model_construct()
        for area in matchers.area or (None,):
            for metric in matchers.metric or (None,):
                place = await self._jurisdiction.around(connection, (area,), (metric,))
                demand(who, "operator", place)

    async def get(self, silence_id: UUID) -> Silence | None:
        """One silence."""
        async with reachable(self._engine.connect()) as connection:
            found = await load(connection, silences.c.silence_id == silence_id)
        return found[0] if found else None

    async def page(
        self, state: str | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Silence]:
        """Newest first, from `after` (created_at, silence_id) on."""
        now = self._clock()
        states: dict[str | None, list[Now]] = {
            None: [],
            "active": [_active(now)],
            "pending": [_not_over(now), silences.c.starts_at > now],
            "expired": [~_not_over(now)],
        }
        order = tuple_(silences.c.created_at, silences.c.silence_id)
        query = select(silences).where(*states[state])
        if after is not None:
            query = query.where(order < after)
        query = query.order_by(silences.c.created_at.desc(), silences.c.silence_id.desc())
        async with reachable(self._engine.connect()) as connection:
            return [_to_silence(row) for row in await connection.execute(query.limit(limit))]

    async def matched(self, matchers: Matchers, since: datetime) -> Casebook:
        """The live incidents that stand, or were raised since, with an alert that fits."""
        book = Casebook(self._clock())
        lately = or_(alerts.c.state != "cleared", alerts.c.recorded_at >= since)
        which = and_(alerts.c.historical.is_(False), lately, matchers.condition())
        query = select(alerts.c.incident_id).distinct().where(which).limit(1_000)
        async with reachable(self._engine.connect()) as connection:
            ids = set((await connection.execute(query)).scalars())
            await loading.load_whole(connection, book, ids, locked=False)
        return book

    async def knows(self, incident: UUID) -> int | None:
        """The priority of an incident that is not closed; None: there is none."""
        query = select(incidents.c.priority).where(
            incidents.c.id == incident, incidents.c.state != "closed"
        )
        async with reachable(self._engine.connect()) as connection:
            return (await connection.execute(query)).scalar()

    async def run(self, stop: asyncio.Event) -> None:
        """A job: what begins and ends by itself. Raises `Unavailable`."""
        since = None
        while not stop.is_set():
            now = self._clock()
            await self.tend(since, now)
            since = now
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def tend(self, since: datetime | None, now: datetime) -> None:
        """Look for silences that began or ended after `since`; None: whatever there is."""
        turned = exists().where(_turned(since, now)) if since is not None else None
        async with reachable(self._engine.begin()) as connection:
            if turned is not None and not (await connection.execute(select(turned))).scalar_one():
                return
            await ledger.one_at_a_time(connection)
            await self._reconsider(connection, now)
        self._wake.set()

    async def _reconsider(self, connection: AsyncConnection, now: datetime) -> None:
        active = await load(connection, _active(now))
        book = Casebook(now, await self.quiet(connection, now))
        conditions: list[Now] = [alerts.c.suppressed.is_not(None)]
        conditions += [one.matchers.condition() for one in active if one.matchers is not None]
        await _load_standing(connection, book, or_(*conditions))
        shelved = [one.incident_id for one in active if one.incident_id is not None]
        hidden = and_(incidents.c.suppressed.is_not(None), incidents.c.state != "closed")
        query = select(incidents.c.id).where(or_(hidden, incidents.c.id.in_(shelved)))
        await loading.load_whole(connection, book, set((await connection.execute(query)).scalars()))
        reconsider(book, {str(one.silence_id): note(one) for one in active})
        await ledger.record_book(connection, book)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """As the audit log shows a silence."""
    names = ("kind", "matchers", "incident_id", "starts_at", "ends_at", "reason")
    return {name: row[name] for name in names}


def note(silence: Silence) -> str:
    """Who and why, for the timeline."""
    return f"{silence.created_by}: {silence.reason}"


async def load(connection: AsyncConnection, *which: Now) -> list[Silence]:
    """The silences that a condition names."""
    rows: Iterable[Row[Any]] = await connection.execute(select(silences).where(*which))
    return [_to_silence(row) for row in rows]


async def _load_standing(connection: AsyncConnection, book: Casebook, which: Now) -> None:
    query = select(alerts.c.incident_id).distinct().where(STANDING, which)
    await loading.load_whole(connection, book, set((await connection.execute(query)).scalars()))


def _not_over(now: datetime) -> Now:
    return and_(silences.c.ended_at.is_(None), silences.c.ends_at > now)


def _active(now: datetime) -> Now:
    return and_(_not_over(now), silences.c.starts_at <= now)


def _turned(since: datetime, now: datetime) -> Now:
    since -= timedelta(seconds=5)  # replicas' clocks differ
    moments = (silences.c.starts_at, silences.c.ends_at, silences.c.ended_at)
    return or_(*(and_(moment > since, moment <= now) for moment in moments))


def _to_silence(row: Row[Any]) -> Silence:
    fields = dict(row._mapping)
    given = fields["matchers"]
    return Silence(**fields | {"matchers": Matchers.model_validate(given) if given else None})
