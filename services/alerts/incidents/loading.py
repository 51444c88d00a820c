"""Loads into the casebook what transitions may concern; an incident comes with all its alerts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import alert as alerts_of
from services.alerts.incidents import ledger
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.dependencies import Edge, Edges
from services.alerts.incidents.flood import STARTS_ABOVE, WINDOW, Floodgate
from services.alerts.incidents.grouping import ALONE, GAP, group_key, identity
from services.alerts.judging.transition import Place, Transition
from shared.clock import from_micros
from shared.contracts.incident import AlertState, IncidentState
from shared.store.tables import alerts, dependencies, incidents

_OPEN = incidents.c.state != IncidentState.CLOSED
_STANDING = alerts.c.state != "cleared"


async def load(
    connection: AsyncConnection,
    book: Casebook,
    transitions: Sequence[Transition],
    places: Mapping[str, Place],
) -> None:
    """The alerts that change, and the incidents that they may join."""
    keys, wanted = set[str](), set[UUID]()
    for transition in transitions:
        wanted.add(alerts_of.alert_id(transition))
        if transition.kind == "raised":
            place = places[transition.subject]
            key = group_key(transition.rule, transition.subject, place, transition.priority)
            keys.add(key)
            wanted.add(identity(key, from_micros(transition.started_us)))
    named = tuple_(alerts.c.rule_id, alerts.c.subject).in_([one.key for one in transitions])
    query = select(alerts.c.incident_id).where(
        or_(alerts.c.alert_id.in_(wanted), and_(named, _STANDING))
    )
    ids = wanted | set((await connection.execute(query)).scalars())
    if keys:
        ids |= await _joinable(connection, keys, transitions)
        children = select(incidents.c.id).where(incidents.c.parent_id.in_(ids), _OPEN)
        ids |= set((await connection.execute(children)).scalars())
    await load_whole(connection, book, ids)


async def load_whole(
    connection: AsyncConnection, book: Casebook, ids: Collection[UUID], *, locked: bool = True
) -> None:
    """Incidents by id, each with all its alerts. Not `locked`: only to look at them."""
    missing = [number for number in ids if number not in book.cases]
    if not missing:
        return
    cases = await ledger.load_cases(connection, incidents.c.id.in_(missing), locked=locked)
    held = alerts.c.incident_id.in_([case.id for case in cases])
    book.load(cases, await ledger.load_alerts(connection, held) if cases else [])


async def load_edges(connection: AsyncConnection) -> Edges:
    """Every dependency."""
    rows = await connection.execute(select(dependencies.c.upstream, dependencies.c.downstream))
    return Edges(Edge(row.upstream, row.downstream) for row in rows)


async def load_related(
    connection: AsyncConnection,
    book: Casebook,
    edges: Edges,
    transitions: Sequence[Transition],
) -> None:
    """What lies upstream or downstream of what changes, and held at that time."""
    patterns = {
        pattern
        for subject in {transition.subject for transition in transitions}
        for pattern in edges.above(subject) | edges.below(subject)
    }
    if not patterns:
        return
    since = from_micros(min(transition.started_us for transition in transitions))
    query = select(alerts.c.incident_id).distinct().where(
        or_(*(alerts.c.subject.like(like(pattern), escape="\\") for pattern in patterns)),
        or_(_STANDING, alerts.c.cleared_at >= since),
    )  # fmt: skip
    await load_whole(connection, book, set((await connection.execute(query)).scalars()))


async def load_flood(
    connection: AsyncConnection, book: Casebook, since: datetime, coming: int, operators: int
) -> Floodgate:
    """The flood that goes on, and what has opened lately. `since`: the earliest event time that is
    looked at; `coming`: at most so many incidents open now."""
    going_on = (
        incidents.c.kind == "flood", _OPEN, incidents.c.alert_state == AlertState.ACTIVE,
    )  # fmt: skip
    floods = await ledger.load_cases(connection, *going_on)
    book.load(floods, [])
    in_flood = select(incidents.c.id).where(incidents.c.kind == "flood").scalar_subquery()
    shown = (incidents.c.id, incidents.c.first_at, incidents.c.parent_id, incidents.c.priority)
    lately = select(*shown).where(
        incidents.c.kind == "alert",
        incidents.c.historical.is_(False),
        incidents.c.merged_into.is_(None),
        incidents.c.suppressed.is_(None),
        incidents.c.first_at > since - WINDOW,
        or_(incidents.c.parent_id.is_(None), incidents.c.parent_id.in_(in_flood)),
    )
    rows = (await connection.execute(lately)).all()
    flood = max(floods, key=lambda case: case.incident.opened_at, default=None)
    if flood is None and len(rows) + coming > STARTS_ABOVE * operators:
        may_sink = [row.id for row in rows if row.parent_id is None and row.priority != ALONE]
        await load_whole(connection, book, may_sink)
    return Floodgate({row.id: row.first_at for row in rows}, flood, operators)


async def _joinable(
    connection: AsyncConnection, keys: Collection[str], transitions: Sequence[Transition]
) -> set[UUID]:
    """The open incidents of these keys whose session may go on: not every one that people have
    left open."""
    moments = [one.started_us for one in transitions] + [one.observed_us for one in transitions]
    earliest, latest = from_micros(min(moments)) - GAP, from_micros(max(moments)) + GAP
    held: ColumnElement[bool] = exists().where(
        alerts.c.incident_id == incidents.c.id,
        or_(alerts.c.cleared_at.is_(None), alerts.c.cleared_at >= earliest),
    )
    query = select(incidents.c.id).where(
        incidents.c.group_key.in_(keys),
        _OPEN,
        incidents.c.first_at <= latest,
        or_(incidents.c.last_at >= earliest, held),
    )
    return set((await connection.execute(query)).scalars())


def like(pattern: str) -> str:
    """A glob as a pattern of SQL."""
    plain = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return plain.replace("*", "%").replace("?", "_")
