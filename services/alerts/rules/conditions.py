"""What a rule may ask of readings: one condition, or conditions combined. Pure."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from services.alerts.rules.scales import Delay, Limited, Limits, Span, Strict, Width, wrong
from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN

DEEPEST = 6
Metric = Annotated[str, Field(pattern=METRIC_PATTERN, max_length=64)]
Other = Annotated[str, Field(min_length=1, max_length=64)]
SensorId = Annotated[str, Field(pattern=SENSOR_ID_PATTERN)]
Kind = Literal[
    "threshold", "rate", "absent", "stuck", "compare", "week", "unusual", "forecast",
    "count", "all", "any", "not",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)[1:]  # those that have a key of their own


class Rate(Limited):
    """How much a value has risen (`above`) or fallen (`below`, negative) within `over`, in the
    metric's unit: against the lowest or highest reading of that time."""

    over: Span

    @model_validator(mode="after")
    def _signed(self) -> "Rate":
        if self.upwards == any(limit < 0 for limit in self.ladder):
            raise ValueError("a rise is 'above' a positive, a fall 'below' a negative number")
        return self


class Stuck(Strict):
    """For so long no reading was further than `within` from the first of that time."""

    for_seconds: Annotated[Span, Field(alias="for")]
    within: Width = 0.0


class Compare(Limited):
    """The reading against the newest of another sensor, or the mean of several (ids or globs), of
    the same metric.

    `within`: how far apart in time both may be; further apart, nothing is judged.
    """

    other: Annotated[tuple[Other, ...], Field(alias="with", min_length=1, max_length=100)]
    by: Literal["difference", "ratio"] = "difference"
    within: Span = 300

    @field_validator("other", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Week(Limited):
    """The reading against the mean of the same part of the day, a week before. `bucket`: how long
    such a part is."""

    by: Literal["difference", "ratio"] = "difference"
    bucket: Annotated[Span, Field(ge=900, le=86_400)] = 3_600

    @model_validator(mode="after")
    def _whole(self) -> "Week":
        if 604_800 % self.bucket:
            raise wrong("bucket", "a week must be a whole number of buckets")
        return self


class Unusual(Limited):
    """How unusual the reading is for its series, from 0 to 1: by its level, its steps, the time of
    the day and of the week. `every`: of the readings of so long, the first is judged."""

    every: Annotated[Span, Field(ge=10, le=86_400)] = 300

    @model_validator(mode="after")
    def _of_one(self) -> "Unusual":
        if not self.upwards or not all(0 < limit < 1 for limit in self.ladder):
            raise ValueError("what is unusual is 'above' a number between 0 and 1")
        return self


class Forecast(Limited):
    """The value that is expected at some time `within` the next hours, made anew every quarter of
    an hour from all that was read before."""

    within: Annotated[Span, Field(ge=3_600, le=21_600)] = 21_600


class Count(Strict):
    """At so many sensors of the area or group (`at_least`), or at such a part of them (`share`),
    the condition `of` holds."""

    of: "Condition"
    at_least: Annotated[int, Field(ge=1, le=100_000, strict=True)] | None = None
    share: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_bar(self) -> "Count":
        if (self.at_least is None) == (self.share is None):
            raise ValueError("a count needs exactly one of 'at_least' and 'share'")
        return self


class Condition(Limits):
    """One condition: limits on the value itself, or exactly one of the other kinds.

    `metric`: the rule's, unless said. `sensor`: only there (rules over several sensors).
    `for`: on-delay, `clear_for`: off-delay, both in event time and judged at readings;
    `min_samples`: so many readings in a row before it holds.
    """

    metric: Metric | None = None
    sensor: SensorId | None = None
    rate: Rate | None = None
    absent: Span | None = None
    stuck: Stuck | None = None
    compare: Compare | None = None
    week: Week | None = None
    unusual: Unusual | None = None
    forecast: Forecast | None = None
    count: Count | None = None
    all_: Annotated[tuple["Condition", ...], Field(alias="all", max_length=16)] = ()
    any_: Annotated[tuple["Condition", ...], Field(alias="any", max_length=16)] = ()
    not_: Annotated["Condition | None", Field(alias="not")] = None
    for_seconds: Annotated[Delay, Field(alias="for")] = 0
    clear_for: Delay = 0
    min_samples: Annotated[int, Field(ge=1, le=10_000, strict=True)] = 1

    @property
    def kind(self) -> Kind:
        """Which kind of condition this is."""
        return next((kind for kind in KINDS if self._said(kind)), "threshold")

    @property
    def limits(self) -> Limits:
        """The limits of what this condition measures; of several parts or none: no limits."""
        kinds = (self.rate, self.compare, self.week, self.unusual, self.forecast)
        return next((one for one in kinds if one is not None), self)

    @property
    def inner(self) -> tuple["Condition", ...]:
        """The conditions that this one combines."""
        counted = (self.count.of,) if self.count is not None else ()
        denied = (self.not_,) if self.not_ is not None else ()
        return self.all_ + self.any_ + denied + counted

    @property
    def several(self) -> bool:
        """True when more than one sensor is needed to judge it."""
        return self.kind in ("count", "compare") or any(one.several for one in self.inner)

    def walk(self) -> Iterator["Condition"]:
        """This condition and all that it is made of."""
        yield self
        for one in self.inner:
            yield from one.walk()

    @model_validator(mode="after")
    def _one_kind(self) -> "Condition":
        if self.limited + sum(self._said(kind) for kind in KINDS) != 1:
            raise ValueError(
                "exactly one of 'above', 'below', 'levels', "
                + ", ".join(f"'{kind}'" for kind in KINDS)
                + " is needed here"
            )
        return self

    @model_validator(mode="after")
    def _fitting(self) -> "Condition":
        if self.deadband and not self.limited:
            raise wrong("deadband", "a deadband stands beside the limit that it belongs to")
        if self.kind in ("absent", "stuck") and self.for_seconds:
            raise wrong("for", f"'{self.kind}' has its own duration")
        if self.absent is not None and self.min_samples > 1:
            raise wrong("min_samples", "where readings are absent there are none to count")
        if _depth(self) > DEEPEST:
            raise ValueError(f"conditions are nested more than {DEEPEST} deep")
        for one in self.inner:
            _check_inner(one)
            if one.timed and one.inner and self.count is None:
                raise ValueError("'for', 'clear_for', 'min_samples': not on what is nested")
        if self.count is not None and self.count.of.several:
            raise wrong("count", "what is counted must be judged at one sensor alone")
        return self

    @property
    def timed(self) -> bool:
        """True when it must hold, or be gone, for more than one reading."""
        return bool(self.for_seconds or self.clear_for or self.min_samples > 1)

    def _said(self, kind: Kind) -> bool:
        name = f"{kind}_" if kind in ("all", "any", "not") else kind
        return getattr(self, name) not in (None, ())


def _depth(condition: Condition) -> int:
    return 1 + max(map(_depth, condition.inner), default=0)


def _check_inner(one: Condition) -> None:
    if one.limits.levels:
        raise ValueError("only the rule itself has 'levels', not a condition inside it")
    if one.compare is not None:
        raise ValueError("'compare' stands alone: it cannot be combined")
