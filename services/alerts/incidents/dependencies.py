"""What fails upstream makes fail downstream: substation → pump → gauge. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from uuid import UUID

from services.alerts.incidents.alert import Alert
from services.alerts.incidents.case import Case
from services.alerts.incidents.casebook import Casebook
from services.alerts.incidents.grouping import ALONE

_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Edge:
    """Sensor ids, or globs with `*` and `?`."""

    upstream: str
    downstream: str


class Edges:
    """Every dependency. Also what lies several steps upstream explains a failure."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._edges = tuple(edges)
        self._known: dict[tuple[str, bool], frozenset[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._edges)

    def above(self, subject: str) -> frozenset[str]:
        """The patterns of all that lies upstream."""
        return self._reach(subject, up=True)

    def below(self, subject: str) -> frozenset[str]:
        """The patterns of all that lies downstream."""
        return self._reach(subject, up=False)

    def _reach(self, subject: str, up: bool) -> frozenset[str]:
        known = self._known.get((subject, up))
        if known is not None:
            return known
        found: set[str] = set()
        ahead = [subject]
        while ahead:
            here = ahead.pop()
            for edge in self._edges:
                near, far = (
                    (edge.downstream, edge.upstream) if up else (edge.upstream, edge.downstream)
                )
                if far not in found and overlap(here, near):
                    found.add(far)
                    ahead.append(far)
        self._known[subject, up] = frozenset(found)
        return self._known[subject, up]


def overlap(one: str, other: str) -> bool:
    """Whether a subject or a glob may mean what another means."""
    if one == other:
        return True
    return (_is_glob(other) and fnmatchcase(one, other)) or (
        _is_glob(one) and fnmatchcase(other, one)
    )


def cycle(edges: Sequence[Edge]) -> list[str] | None:
    """The patterns of a circle among the dependencies, or None."""
    after = {
        edge: [other for other in edges if overlap(edge.downstream, other.upstream)]
        for edge in edges
    }
    done: set[Edge] = set()
    for start in edges:
        if start in done:
            continue
        trail = {start: 0}  # the way from `start`, in order
        ahead = [(start, iter(after[start]))]
        while ahead:
            edge, rest = ahead[-1]
            following = next(rest, None)
            if following is None:
                ahead.pop()
                trail.pop(edge)
                done.add(edge)
            elif following in trail:
                way = list(trail)[list(trail).index(following) :]
                return [one.upstream for one in way] + [way[-1].downstream]
            elif following not in done:
                trail[following] = len(trail)
                ahead.append((following, iter(after[following])))
    return None


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def related(book: Casebook, edges: Edges, alert: Alert) -> None:
    """An alert has changed: its incident may have found its parent, or may be one."""
    if not edges:
        return
    below = edges.below(alert.subject)
    concerned = [book.cases[alert.incident_id]]
    for case in list(book.cases.values()):
        members = book.members(case.id)
        if any(_matches(member.subject, below) for member in members):
            concerned.append(case)
    for case in concerned:
        _settle(book, edges, case)


def _settle(book: Casebook, edges: Edges, case: Case) -> None:
    incident = case.incident
    if incident.merged_into is not None or incident.kind != "alert":
        return
    parent = _parent(book, edges, case)
    if parent is not None and incident.parent_id is None and case.open:
        book.adopt(case, parent)
    elif incident.historical and parent != incident.parent_id:
        book.step(case, "incident.adopted" if parent else "incident.released", parent_id=parent)


def _parent(book: Casebook, edges: Edges, case: Case) -> UUID | None:
    """The incident whose alerts explain every alert of this one; the earliest."""
    members = book.members(case.id)
    members = [one for one in members if one.standing] or members
    if case.incident.priority == ALONE or not members:
        return None
    found: set[UUID] | None = None
    for member in members:
        above = edges.above(member.subject)
        explaining = {
            one.incident_id for one in book.alerts()
            if _matches(one.subject, above) and _together(one, member)
            and one.historical == member.historical
        }  # fmt: skip
        found = explaining if found is None else found & explaining
    fit = [
        other for number in found or () if (other := book.cases.get(number)) is not None
        and other.incident.merged_into is None and not _under(book, other, case)
    ]  # fmt: skip
    return min(fit, key=lambda one: (str(one.first_at), str(one.id))).id if fit else None


def _under(book: Casebook, one: Case | None, other: Case) -> bool:
    """Whether an incident is another, or lies below it."""
    seen: set[UUID] = set()
    while one is not None and one.id not in seen:
        if one.id == other.id:
            return True
        seen.add(one.id)
        parent = one.incident.parent_id
        one = None if parent is None else book.cases.get(parent)
    return False


def _matches(subject: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(subject, pattern) for pattern in patterns)


def _together(one: Alert, other: Alert) -> bool:
    """Whether one explains the other: it still stands, or once held at the same time."""
    if not one.historical:
        return one.standing
    return one.started_at <= (other.cleared_at or _EVER) and other.started_at <= (
        one.cleared_at or _EVER
    )
