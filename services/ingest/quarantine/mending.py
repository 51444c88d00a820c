"""One rule that mends many items: what a wrong unit, clock or name has spoilt. Pure."""

import math
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.reading import (
    METRIC_PATTERN,
    SENSOR_ID_PATTERN,
    Quality,
    parse_moment,
)

YEAR = 366 * 86_400
MOST = sys.float_info.max


class Unmendable(ValueError):
    """The rule does not fit this item; the message says why."""


class Rule(BaseModel):
    """What to change. `multiply`, then `add`: to the value; `shift_seconds`: to `observed_at`;
    `utc_offset`: of times that came without one, such as `+08:00`; the rest replaces members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    multiply: Annotated[float | None, Field(allow_inf_nan=False, strict=True)] = None
    add: Annotated[float | None, Field(allow_inf_nan=False, strict=True)] = None
    shift_seconds: Annotated[float | None, Field(ge=-100 * YEAR, le=100 * YEAR, strict=True)] = None
    utc_offset: Annotated[str | None, Field(pattern=r"^(Z|[+-]\d\d:\d\d)$")] = None
    sensor_id: Annotated[str | None, Field(pattern=SENSOR_ID_PATTERN)] = None
    metric: Annotated[str | None, Field(pattern=METRIC_PATTERN, max_length=64)] = None
    quality: Quality | None = None
    replace: bool | None = None
    drop_fields: Annotated[list[str], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _changes_something(self) -> "Rule":
        if not self.model_dump(exclude_none=True, exclude_defaults=True):
            raise ValueError("a rule changes at least one thing")
        return self


def mend(rule: Rule, item: Any) -> dict[str, Any]:
    """`item` (a reading, perhaps a broken one) as the rule makes it. Raises `Unmendable`."""
    if not isinstance(item, dict):
        raise Unmendable("not an object: mend it by itself")
    made = {name: part for name, part in item.items() if name not in rule.drop_fields}
    if rule.multiply is not None or rule.add is not None:
        made["value"] = _value(rule, made.get("value"))
    if rule.utc_offset is not None or rule.shift_seconds is not None:
        made["observed_at"] = _observed_at(rule, made.get("observed_at"))
    for name in ("sensor_id", "metric", "replace"):
        if (value := getattr(rule, name)) is not None:
            made[name] = value
    if rule.quality is not None:
        made["quality"] = rule.quality.value
    return made


def _value(rule: Rule, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unmendable("value is not a number")
    if not abs(value) <= MOST:  # NaN too
        raise Unmendable("value is beyond what a number here can be")
    # Decimal, as people reckon: 1004 × 0.01 is 10.04.
    factor = Decimal(1) if rule.multiply is None else Decimal(repr(rule.multiply))
    made = float(Decimal(repr(value)) * factor + Decimal(repr(rule.add or 0.0)))
    if not math.isfinite(made):
        raise Unmendable("value would not be finite")
    return made


def _observed_at(rule: Rule, observed_at: Any) -> str:
    if not isinstance(observed_at, str):
        raise Unmendable("observed_at is not a text")
    try:
        moment = _read(observed_at, rule.utc_offset)
        return (moment + timedelta(seconds=rule.shift_seconds or 0)).isoformat()
    except (ValueError, OverflowError) as error:
        raise Unmendable(f"observed_at: {error}") from None


def _read(text: str, utc_offset: str | None) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        if utc_offset is None:
            raise
        return parse_moment(text + utc_offset)
