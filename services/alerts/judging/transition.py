"""What judging says: transitions of subjects, and all that must be written together. Pure."""

from dataclasses import dataclass
from typing import Literal

from services.alerts.detect.outlook import Crossing
from services.alerts.detect.score import Finding
from services.alerts.rules.rule import Rule
from services.alerts.rules.scales import Colour

Key = tuple[str, str]  # rule id, subject
Kind = Literal["raised", "changed", "cleared", "no_data", "resumed"]


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
    """What happened to a rule's alert for a subject. Times: epoch microseconds of event time.

    `kind`: raised, changed (another severity), cleared, no_data (its data stopped; never a
    clearing), resumed. `subject`: a sensor's id, or the area or group of a rule over several.
    `started_us`: since when the condition held, which with rule and subject names the alert;
    `observed_us`: the reading or tick that caused this. `value`, `threshold`: in the metric's unit.
    `grade`, `priority`: of the severity reached. `incident`: the one it belongs to, "" when raised.
    `reason`: why it was cleared, where no reading did it (rule_retired, rule_changed, …).
    `grade`, `priority`, `warning`: of the severity reached, the ladder's `level`th from 1. What is
    `flapping` stays active until it is calm. `incident`: the one it belongs to, "" when raised.
    `finding`: what was unusual, of a rule that asks for that; `crossing`: what is foreseen.
    """

    kind: Kind
    rule: Rule
    subject: str
    started_us: int
    observed_us: int
    value: float
    threshold: float
    grade: int
    priority: int
    historical: bool
    incident: str = ""
    reason: str = ""
    flapping: bool = False
    level: int = 1
    warning: Colour | None = None
    finding: Finding | None = None
    crossing: Crossing | None = None

    @property
    def key(self) -> Key:
        """Rule and subject."""
        return self.rule.id, self.subject


@dataclass(frozen=True, slots=True)
class Span:
    """What of a partition was read: from `first`, which was next when it was last written, up to
    the record before `following`."""

    partition: int
    first: int
    following: int
