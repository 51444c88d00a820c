"""What judging says: transitions of subjects, and all that must be written together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.alerts.judging.machine import Subject
from services.alerts.rules.rule import Rule

Key = tuple[str, str]  # rule id, sensor id
Kind = Literal["raised", "cleared"]


@dataclass(frozen=True, slots=True)
class Place:
    """What an incident says of a sensor. `area_ids`: its district and everything around it."""

    sensor_id: str
    name: str = ""
    area_id: str | None = None
    area_name: str = ""
    area_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule was raised or cleared for a subject. `subject`: its state while active."""

    kind: Kind
    rule: Rule
    sensor_id: str
    subject: Subject
    value: float
    historical: bool


@dataclass(frozen=True)
class Changes:
    """What readings of one partition have changed. Written in one transaction."""

    transitions: Sequence[Transition]
    subjects: Mapping[Key, Subject]


@dataclass(frozen=True, slots=True)
class Span:
    """What of a partition was read: from `first`, which was next when it was last written, up to
    the record before `following`."""

    partition: int
    first: int
    following: int
