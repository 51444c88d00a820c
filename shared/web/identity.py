"""Who somebody is and what he may do: the answer of the authenticator. Pure."""

from dataclasses import dataclass
from typing import Literal


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


DEFAULT_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class Identity:
    """`role`: "" for keys, "screen" for screens, else one of viewer … admin (ordered).

    `key_id`: of the key, else `person:…` or `screen:…`; a quota is kept under it.
    `restrictions`: None for whoever is not confined at all.
    """

    kind: Literal["key", "person", "screen"]
    name: str
    role: str
    scopes: frozenset[str]
    key_id: str
    restrictions: Restrictions | None = None
    quota: Quota = DEFAULT_QUOTA
