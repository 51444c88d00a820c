"""A change of what one sensor is asked, on its way to rules over several sensors. Pure."""

import msgspec

from services.alerts.judging.logic import Truth


class ConditionChange(msgspec.Struct, frozen=True, array_like=True):
    """One part of a rule at one sensor has become true, false or unknown (None).

    `asked`: the fingerprint of the rule as it was asked; `subjects`: the areas or groups that the
    sensor counts in; `value`: what was measured. Times: epoch microseconds, `observed_us` of event
    time. For a comparison every reading is such a change, and `holds` is None.
    """

    rule_id: str
    asked: str
    part: int
    sensor_id: str
    subjects: tuple[str, ...]
    observed_us: int
    accepted_us: int
    holds: Truth
    value: float


class Signal(msgspec.Struct, array_like=True, tag="signal"):
    """What was last said of a part. `subjects` None: nothing yet."""

    holds: Truth = None
    subjects: tuple[str, ...] | None = None
