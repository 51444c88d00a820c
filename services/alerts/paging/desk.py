"""Escalations and notices on PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import ledger
from services.alerts.incidents.whereabouts import above
from services.alerts.oncall.repository import Repository
from services.alerts.paging.escalation import Escalation, Surroundings, Track, decide
from services.alerts.paging.notice import BREATH, Heard, Notice, Standing, over
from shared.contracts.incident import Incident
from shared.store.tables import deliveries, escalations, incidents, notices

AT_ONCE = 100
_WAITING = notices.c.state == "waiting"
_SENT = notices.c.state == "sent"
_COLUMNS = frozenset(notices.c.keys())


class Escalations:
    """Takes due escalations one step further."""

    def __init__(self, oncall: Repository) -> None:
        self._oncall = oncall

    async def advance(self, connection: AsyncConnection, now: datetime) -> int:
        """Decide of what is due, and write whom to tell; how many. What another replica has in hand
        is its business."""
        query = (
            select(escalations)
            .where(escalations.c.next_at <= now)
            .order_by(escalations.c.next_at)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        due = [_escalation(row) for row in await connection.execute(query)]
        if not due:
            return 0
        known = await self._oncall.current(connection)
        ids = [one.incident_id for one in due]
        found = await load_incidents(connection, ids)
        await _supersede(connection, [one.id for one in found.values() if over(one)])
        told = await _told(connection, ids)
        areas = await _areas(connection, found.values())
        made: list[Notice] = []
        for before in due:
            incident = found[before.incident_id]
            around = Surroundings(known, areas[incident.area_id], told[incident.id], now)
            after, notes = decide(before, incident, around)
            await _write(connection, after)
            made += notes
        await _queue(connection, made)
        return len(due)


async def load_escalation(connection: AsyncConnection, incident: UUID) -> Escalation | None:
    """Of an incident; None: people were never to be told of it."""
    query = select(escalations).where(escalations.c.incident_id == incident)
    row = (await connection.execute(query)).first()
    return None if row is None else _escalation(row)


async def load_incidents(
    connection: AsyncConnection, ids: Collection[UUID]
) -> dict[UUID, Incident]:
    """Incidents by id, as they are now."""
    rows = await connection.execute(select(incidents).where(incidents.c.id.in_(list(ids))))
    return {row.id: ledger.to_incident(row) for row in rows}


async def due_recipients(connection: AsyncConnection, now: datetime) -> list[str]:
    """Who is to be told something now, the longest due first."""
    query = (
        select(notices.c.recipient)
        .where(_WAITING, notices.c.due_at <= now)
        .group_by(notices.c.recipient)
        .order_by(func.min(notices.c.due_at))
        .limit(AT_ONCE)
    )
    return list((await connection.execute(query)).scalars())


async def take(connection: AsyncConnection, recipient: str, now: datetime) -> list[Notice]:
    """All that is due for one recipient, locked; nothing, if somebody else has it in hand."""
    mine = select(func.pg_try_advisory_xact_lock(func.hashtextextended(recipient, 0)))
    if not (await connection.execute(mine)).scalar_one():
        return []
    which = and_(_WAITING, notices.c.recipient == recipient, notices.c.due_at <= now)
    query = select(notices).where(which).order_by(notices.c.due_at, notices.c.notice_id)
    return [_notice(row) for row in await connection.execute(query)]


async def standing(
    connection: AsyncConnection, due: Sequence[Notice], oncall: Repository
) -> Standing:
    """What these notices are judged by."""
    ids = {one.incident_id for one in due}
    found = await load_incidents(connection, ids)
    query = select(escalations.c.incident_id, escalations.c.expired_version)
    rows = await connection.execute(query.where(escalations.c.incident_id.in_(ids)))
    unattended = {row[0] for row in rows if row[1] == found[row[0]].version}
    known = await oncall.current(connection)
    return Standing(found, unattended, {route.route_id: route for route in known.routes})


async def heard(
    connection: AsyncConnection, recipient: str, due: Sequence[Notice], now: datetime
) -> Heard:
    """What a recipient was told of these incidents, and when at all."""
    mine = and_(_SENT, notices.c.recipient == recipient)
    ids = {one.incident_id for one in due}
    query = select(notices.c.incident_id, func.max(notices.c.decided_at))
    query = query.where(mine, notices.c.incident_id.in_(ids)).group_by(notices.c.incident_id)
    found = {row[0]: row[1] for row in await connection.execute(query)}
    lately = and_(mine, notices.c.decided_at > now - BREATH, ~notices.c.urgent)
    calm = select(func.max(notices.c.decided_at)).where(lately)
    return Heard(found, (await connection.execute(calm)).scalar())


async def settle(
    connection: AsyncConnection, decided: Iterable[Notice], page_id: UUID, now: datetime
) -> None:
    """Write down what was decided of notices; those that are said are in this page."""
    for one in decided:
        values: dict[str, Any] = {"state": one.state, "why": one.why, "due_at": one.due_at}
        if one.state != "waiting":
            values |= {"decided_at": now, "page_id": page_id if one.state == "sent" else None}
        mine = notices.c.notice_id == one.notice_id
        await connection.execute(update(notices).where(mine).values(values))


async def _areas(
    connection: AsyncConnection, which: Iterable[Incident]
) -> dict[str | None, Sequence[str]]:
    found: dict[str | None, Sequence[str]] = {None: ()}
    for incident in which:
        area = incident.area_id
        if area not in found and area is not None:
            found[area] = (await above(connection, area)).area_ids
    return found


async def _told(connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, set[str]]:
    """Who was told of each incident."""
    query = select(notices.c.incident_id, notices.c.recipient).distinct()
    rows = await connection.execute(query.where(_SENT, notices.c.incident_id.in_(ids)))
    found: dict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        found[row[0]].add(row[1])
    return found


async def _write(connection: AsyncConnection, after: Escalation) -> None:
    values = {
        "stage": after.stage,
        "priority": after.priority,
        "expired_version": after.expired,
        "tracks": [track.model_dump(mode="json", by_alias=True) for track in after.tracks],
        "next_at": after.next_at,
    }
    mine = escalations.c.incident_id == after.incident_id
    await connection.execute(update(escalations).where(mine).values(values))


async def _queue(connection: AsyncConnection, made: Sequence[Notice]) -> None:
    """Enter notices. A group that gathers already leaves when it was going to; one that has left,
    not again before its interval is over."""
    if not made:
        return
    key = tuple_(notices.c.recipient, notices.c.group_key)
    groups = key.in_({(one.recipient, one.group) for one in made})
    gathering = await _by_group(connection, func.min(notices.c.due_at), _WAITING, groups)
    left = await _by_group(connection, func.max(notices.c.decided_at), _SENT, groups)
    rows = []
    for one in made:
        row = {name: value for name, value in asdict(one).items() if name in _COLUMNS}
        if not one.urgent and one.state == "waiting":
            mine = (one.recipient, one.group)
            free = max(one.due_at, left.get(mine, one.due_at - one.interval) + one.interval)
            row["due_at"] = gathering.setdefault(mine, free)
        decided = None if one.state == "waiting" else one.created_at
        rows.append(row | {"group_key": one.group, "decided_at": decided})
    await connection.execute(insert(notices), rows)


async def _by_group(
    connection: AsyncConnection, moment: Any, *which: ColumnElement[bool]
) -> dict[tuple[str, str], datetime]:
    """A moment of each (recipient, group)."""
    query = select(notices.c.recipient, notices.c.group_key, moment)
    query = query.where(~notices.c.urgent, *which)
    rows = await connection.execute(query.group_by(notices.c.recipient, notices.c.group_key))
    return {(row[0], row[1]): row[2] for row in rows}


async def _supersede(connection: AsyncConnection, ended: Sequence[UUID]) -> None:
    """Pages still on their way that tell only of what is over are not sent any more."""
    if not ended:
        return
    query = (
        select(deliveries.c.delivery_id, deliveries.c.event_id)
        .join(notices, notices.c.page_id == deliveries.c.event_id)
        .where(
            deliveries.c.state == "queued", deliveries.c.purpose == "paging",
            notices.c.incident_id.in_(ended), notices.c.reason != "resolved",
        )
        .with_for_update(of=deliveries, skip_locked=True)
    )  # fmt: skip
    queued = {row[0]: row[1] for row in await connection.execute(query)}
    if not queued:
        return
    pages = set(queued.values())
    others = select(notices.c.page_id, notices.c.incident_id, notices.c.reason)
    rows = (await connection.execute(others.where(notices.c.page_id.in_(pages)))).all()
    found = await load_incidents(connection, {row.incident_id for row in rows})
    needed = {
        row.page_id for row in rows if row.reason == "resolved" or not over(found[row.incident_id])
    }
    idle = pages - needed
    chosen = [one for one, page in queued.items() if page in idle]
    gone = update(deliveries).where(deliveries.c.delivery_id.in_(chosen))
    await connection.execute(gone.values(state="superseded"))
    unsaid = update(notices).where(notices.c.page_id.in_(idle))
    await connection.execute(unsaid.values(state="superseded", why="over before it arrived"))


def _escalation(row: Any) -> Escalation:
    tracks = tuple(Track.model_validate(one) for one in row.tracks)
    return Escalation(
        row.incident_id, row.stage, row.priority, row.expired_version, tracks, row.next_at
    )


def _notice(row: Any) -> Notice:
    return Notice(
        row.notice_id, row.incident_id, row.recipient, row.route_id, row.group_key, row.reason,
        row.urgent, row.created_at, row.due_at, state=row.state, why=row.why,
    )  # fmt: skip
