"""From who somebody is to what he may be told: the one place, for every door. Pure."""

from shared.disclosure.clearance import PUBLIC, Clearance
from shared.disclosure.declaration import Declaration
from shared.web.identity import Identity


def clearance_of(declaration: Declaration, identity: Identity | None) -> Clearance:
    """People by the highest role that they hold somewhere (reading is not confined by area, see
    `rights`); a grant's key by its grant; whoever is not known: public."""
    if identity is None:
        return PUBLIC
    lent, confined = identity.lent, identity.restrictions
    if lent is None:
        known = identity.role if identity.kind == "person" else identity.kind
        return Clearance(declaration.role_level(known), identity.subjects)
    return Clearance(
        lent.level,
        fields=lent.fields,
        areas=confined.areas if confined else frozenset(),
        metrics=confined.metrics if confined else frozenset(),
        since=lent.since,
        until=lent.until,
    )
