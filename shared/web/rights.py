"""Who may do what where: the one place that judges roles, for every service. Pure.

The four roles are ordered: each may do what the ones before it may. A person holds roles by grants,
each for an area (with all that lies in it) and a domain of metrics, or for all. Whoever works for
a department may besides work on what was dispatched to it. Reading is not confined by area: whoever
may look sees the whole city, as the wall does.
"""

from collections.abc import Collection
from dataclasses import dataclass

from shared.web.identity import Grant, Identity
from shared.web.problems import Problem

ROLES = ("viewer", "operator", "dispatcher", "admin")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: `areas` with all that they lie in, and its domains of metrics. Nothing
    known of either: only a grant for all holds there."""

    areas: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


EVERYWHERE = Place()


def rank(role: str) -> int:
    """The place of a role among the roles; -1: none of a person's."""
    return ROLES.index(role) if role in ROLES else -1


def highest(grants: Collection[Grant]) -> str:
    """The highest role that somebody holds anywhere; "" without any."""
    return max((grant.role for grant in grants), key=rank, default="")


def holds(grant: Grant, role: str, place: Place) -> bool:
    """Whether a grant gives at least `role` in a place."""
    return (
        rank(grant.role) >= rank(role)
        and (grant.area_id is None or grant.area_id in place.areas)
        and (grant.domain is None or grant.domain in place.domains)
    )


def may(identity: Identity, role: str, place: Place = EVERYWHERE) -> bool:
    """Whether somebody has at least `role` in a place; without one, in all of the city."""
    return any(holds(grant, role, place) for grant in identity.grants)


def may_somewhere(identity: Identity, role: str) -> bool:
    """Whether there is a place where somebody has at least `role`."""
    return any(rank(grant.role) >= rank(role) for grant in identity.grants)


def works_for(identity: Identity, department: str | None) -> bool:
    """Whether somebody may work on what a department has in hand, wherever that is: its people."""
    return department is not None and identity.department == department and may_look(identity)


def may_look(identity: Identity) -> bool:
    """Keys and screens may, and people who have been given any role."""
    return identity.kind != "person" or may_somewhere(identity, "viewer")


def demand(identity: Identity, role: str, place: Place) -> None:
    """`Problem` 403 unless somebody has at least `role` there."""
    if may(identity, role, place):
        return
    if not may_somewhere(identity, role):
        raise lacking(role)
    where = ", ".join(sorted(place.areas)) or "the whole city"
    domains = ", ".join(sorted(place.domains)) or "every domain"
    detail = f"This needs the role '{role}' in {where} for {domains}."
    raise Problem(403, "Forbidden", detail, code="elsewhere")


def lacking(role: str) -> Problem:
    """403: the role is held nowhere, or not in all of the city where that is needed."""
    return Problem(403, "Forbidden", f"This needs the role '{role}'.", code="role")
