"""Who somebody is and what he may do: the answer of the authenticator. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.disclosure.level import Level
from shared.store.audit import By


@dataclass(frozen=True, slots=True)
class Quota:
    """What a key may send. None: the installation's default; 0: unlimited.

    A burst is what may come at once after a pause; it bounds one batch too.
    """

    readings_per_second: float | None = None
    readings_burst: int | None = None
    bytes_per_second: float | None = None
    bytes_burst: int | None = None


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a key is confined to; an empty set: not confined in that respect.

    `areas`: ids of a city, districts, grid cells or whatever lies between.
    """

    domains: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in one area (with everything below it) and one domain; None: in all."""

    role: str
    area_id: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Lent:
    """What a grant lends to its key: fields such as `readings.value`, up to a level, observed from
    `since` (inclusive) until `until` (exclusive), so many rows a second (0: as many as come)."""

    grant_id: str
    level: Level
    fields: frozenset[str]
    since: datetime | None = None
    until: datetime | None = None
    rows_per_second: float = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: the client's address, and the id that logs and audit share."""

    address: str = ""
    request_id: str = ""


DEFAULT_QUOTA = Quota()
NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Identity:
    """`role`: "" for keys, "screen" for screens, else the highest that `grants` give somewhere:
    what it allows where is for `shared.web.rights` to say.

    `key_id`: of the key, else `person:…` or `screen:…`; a quota is kept under it.
    `restrictions`: None for whoever is not confined at all. `must_change`: the password was given
    by somebody else, and nothing is allowed before it is changed. A `link` is a person whom a
    signed link stands for. `department`: that a person works for, as incidents call it.
    `subjects`: data-subject fields that a person has been granted; `lent`: of a grant's key, which
    may do nothing else.
    """

    kind: Literal["key", "person", "screen", "link"]
    name: str
    role: str
    scopes: frozenset[str]
    key_id: str
    restrictions: Restrictions | None = None
    quota: Quota = DEFAULT_QUOTA
    grants: tuple[Grant, ...] = ()
    must_change: bool = False
    origin: Origin = NOWHERE
    department: str | None = None
    subjects: frozenset[str] = frozenset()
    lent: Lent | None = None

    def coming_from(self, origin: Origin) -> "Identity":
        """The same, asking from there."""
        return replace(self, origin=origin)

    @property
    def by(self) -> By:
        """As the audit log names who acts."""
        return By(self.name, self.kind, self.origin.address, self.origin.request_id)
