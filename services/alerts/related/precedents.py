"""Past incidents that were like one: by rule, sensors, area and kind; how they ended, and when."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents.ledger import to_incident
from shared.contracts.incident import Incident
from shared.store.tables import alerts, incidents, metrics, timeline

LOOKED_AT = 60  # the newest of each way to be alike
SHOWN = 6
SUBJECTS = 20

Likeness = Literal["sensor", "rule", "area", "category", "domain"]
_WEIGHTS: Mapping[Likeness, int] = {"sensor": 8, "rule": 4, "area": 3, "category": 2, "domain": 1}
_ENDS = ("incident.cleared", "incident.resolved", "incident.closed")


@dataclass(frozen=True)
class Precedent:
    """`alike`: in what; `cleared_at`, `resolved_at`, `closed_at`: the last time, if ever; `note`:
    what the last person who resolved or closed it wrote."""

    incident: Incident
    alike: tuple[Likeness, ...]
    cleared_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    note: str


async def precedents(connection: AsyncConnection, of: Incident) -> list[Precedent]:
    """The most alike of those that opened before, the newest first among equals."""
    ids: set[UUID] = set()
    for query in _queries(of):
        ids.update((await connection.execute(query)).scalars())
    ids.discard(of.id)
    rows = await connection.execute(
        select(incidents).where(
            incidents.c.id.in_(ids), incidents.c.opened_at < of.opened_at,
            incidents.c.merged_into.is_(None), incidents.c.kind != "flood",
        )
    )  # fmt: skip
    domains = {row.metric: row.domain for row in await connection.execute(_DOMAINS)}
    found = [(one, alike(of, one, domains)) for one in map(to_incident, rows)]
    found.sort(key=lambda each: (_likeness(each[1]), each[0].opened_at), reverse=True)
    ends = await _ends(connection, [one.id for one, _ in found[:SHOWN]])
    return [_precedent(one, how, ends[one.id]) for one, how in found[:SHOWN]]


def alike(one: Incident, other: Incident, domains: Mapping[str, str]) -> tuple[Likeness, ...]:
    """In what two incidents are alike. `domains`: of metrics. Pure."""
    domain = domains.get(one.metric or "")
    same: Mapping[Likeness, bool] = {
        "sensor": not set(one.subjects).isdisjoint(other.subjects),
        "rule": one.rule_id is not None and one.rule_id == other.rule_id,
        "area": one.area_id is not None and one.area_id == other.area_id,
        "category": one.category is not None and one.category == other.category,
        "domain": domain is not None and domain == domains.get(other.metric or ""),
    }
    return tuple(name for name in _WEIGHTS if same[name])


_DOMAINS = select(metrics.c.metric, metrics.c.domain)


def _likeness(alike: Collection[Likeness]) -> int:
    return sum(_WEIGHTS[one] for one in alike)


def _queries(of: Incident) -> list[Select[Any]]:
    """The newest ones of the same sensors, of the same rule, of the same area and category."""
    earlier = incidents.c.opened_at < of.opened_at
    newest = incidents.c.opened_at.desc()
    subjects = list(of.subjects[:SUBJECTS])
    found: list[Select[Any]] = [
        select(alerts.c.incident_id).where(alerts.c.subject.in_(subjects))
        .order_by(alerts.c.started_at.desc()).limit(LOOKED_AT)
    ]  # fmt: skip
    if of.rule_id is not None:
        same = incidents.c.rule_id == of.rule_id
        found.append(select(incidents.c.id).where(same, earlier).order_by(newest).limit(LOOKED_AT))
    if of.area_id is not None and of.category is not None:
        here = incidents.c.area_id == of.area_id, incidents.c.category == of.category
        found.append(select(incidents.c.id).where(*here, earlier).order_by(newest).limit(LOOKED_AT))
    return found


async def _ends(
    connection: AsyncConnection, ids: Collection[UUID]
) -> Mapping[UUID, list[RowMapping]]:
    query = (
        select(timeline.c.incident_id, timeline.c.type, timeline.c.at, timeline.c.note)
        .where(timeline.c.incident_id.in_(ids), timeline.c.type.in_(_ENDS))
        .order_by(timeline.c.version)
    )
    found: dict[UUID, list[RowMapping]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        found[row["incident_id"]].append(row)
    return found


def _precedent(one: Incident, how: tuple[Likeness, ...], ends: list[RowMapping]) -> Precedent:
    at = {row["type"]: row["at"] for row in ends}  # the last of each kind
    noted = [row["note"] for row in ends if row["type"] != "incident.cleared" and row["note"]]
    cleared, resolved, closed = (at.get(kind) for kind in _ENDS)
    return Precedent(one, how, cleared, resolved, closed, noted[-1] if noted else "")
