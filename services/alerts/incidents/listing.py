"""The list of incidents: what may be asked for, as a query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_

from shared.contracts.incident import IncidentState
from shared.store.tables import areas, incidents

CLOSED = IncidentState.CLOSED


@dataclass(frozen=True)
class Filter:
    """What is wanted; empty or None: everything. `area_id`: with everything below it. `top`: only
    what stands in the operator's list: no part of another, not merged. `overdue`: the current step
    or the whole case is late at `now`. `text`: of the title, or a subject's id. `lent`: areas that
    who asks is confined to."""

    now: datetime
    states: Sequence[IncidentState] = ()
    priorities: Sequence[int] = ()
    grades: Sequence[int] = ()
    kinds: Sequence[str] = ()
    area_id: str | None = None
    department: str | None = None
    category: str | None = None
    overdue: bool | None = None
    top: bool | None = None
    text: str | None = None
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    lent: frozenset[str] = frozenset()


def page(wanted: Filter, after: tuple[Any, UUID] | None, limit: int) -> Select[Any]:
    """Newest first, from `after` (opened_at, id) on."""
    order = tuple_(incidents.c.opened_at, incidents.c.id)
    query = select(incidents).where(*_conditions(wanted))
    if after is not None:
        query = query.where(order < after)
    return query.order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(limit)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, several in (
        (incidents.c.state, wanted.states), (incidents.c.priority, wanted.priorities),
        (incidents.c.grade, wanted.grades), (incidents.c.kind, wanted.kinds),
    ):  # fmt: skip
        if several:
            found.append(column.in_(several))
    for column, one in (
        (incidents.c.department, wanted.department), (incidents.c.category, wanted.category),
    ):  # fmt: skip
        if one is not None:
            found.append(column == one)
    if wanted.area_id is not None:
        found.append(_within(wanted.area_id))
    if wanted.lent:
        found.append(or_(*(_within(area_id) for area_id in sorted(wanted.lent))))
    if wanted.top is not None:
        top = incidents.c.parent_id.is_(None) & incidents.c.merged_into.is_(None)
        found.append(top if wanted.top else ~top)
    if wanted.overdue is not None:
        late = _late(wanted.now)
        found.append(late if wanted.overdue else ~late)
    if wanted.text:
        title = incidents.c.title.icontains(wanted.text, autoescape=True)
        found.append(or_(title, incidents.c.subjects.contains([wanted.text])))
    if wanted.opened_from is not None:
        found.append(incidents.c.opened_at >= wanted.opened_from)
    if wanted.opened_to is not None:
        found.append(incidents.c.opened_at < wanted.opened_to)
    return found


def _late(now: datetime) -> ColumnElement[bool]:
    step = func.coalesce(incidents.c.step_due_at < now, False)
    case = func.coalesce(incidents.c.deadline_at < now, False)
    unresolved = incidents.c.state.not_in((IncidentState.RESOLVED, CLOSED))
    return (incidents.c.state != CLOSED) & (incidents.c.overdue | step | (case & unresolved))


def _within(area_id: str) -> ColumnElement[bool]:
    """In an area or anything below it, or given to people of one."""
    below = select(literal(area_id).label("area_id")).cte("below", recursive=True)
    below = below.union(select(areas.c.area_id).where(areas.c.parent_id == below.c.area_id))
    here = select(below.c.area_id)
    return or_(incidents.c.area_id.in_(here), incidents.c.assigned_area.in_(here))
