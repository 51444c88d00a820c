"""Durations, limits and severities: the words that every condition uses. Pure."""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.alerts.rules import durations

LONGEST_SECONDS = 366 * 86_400


def wrong(key: str, detail: str) -> PydanticCustomError:
    """A refusal that names the key to look at, for the line it stands on."""
    return PydanticCustomError("rule", "{detail}", {"detail": detail, "key": key})


def _parse_duration(value: Any) -> Any:
    return durations.seconds(value) if isinstance(value, str) else value


Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Width = Annotated[Number, Field(ge=0)]
Delay = Annotated[
    int, Field(ge=0, le=LONGEST_SECONDS, strict=True), BeforeValidator(_parse_duration)
]
Span = Annotated[
    int, Field(gt=0, le=LONGEST_SECONDS, strict=True), BeforeValidator(_parse_duration)
]
Grade = Annotated[int, Field(ge=1, le=4, strict=True)]
Priority = Annotated[int, Field(ge=1, le=4, strict=True)]
Colour = Literal["red", "orange", "yellow", "blue"]


class Strict(BaseModel):
    """What a rule file says: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Severity(Strict):
    """How grave something is, on three scales that are not to be mixed."""

    grade: Grade
    priority: Priority
    warning: Colour | None = None


class Level(Severity):
    """One step of a severity ladder: beyond this limit, so grave."""

    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> "Level":
        if (self.above is None) == (self.below is None):
            raise ValueError("a level needs exactly one of 'above' and 'below'")
        return self


class Limits(Strict):
    """What a measure must not pass: strictly `above` or `below` one limit, or a ladder of `levels`,
    mildest first. `deadband`, in the measure's unit, applies to clearing only."""

    above: Number | None = None
    below: Number | None = None
    levels: Annotated[tuple[Level, ...], Field(max_length=8)] = ()
    deadband: Width = 0.0

    @property
    def upwards(self) -> bool:
        """True when what is too high is wrong."""
        return (self.levels[0].above if self.levels else self.above) is not None

    @property
    def ladder(self) -> tuple[float, ...]:
        """The limits, mildest first; none when there is no limit."""
        steps = [(level.above, level.below) for level in self.levels] or [(self.above, self.below)]
        either = (above if above is not None else below for above, below in steps)
        return tuple(limit for limit in either if limit is not None)

    @property
    def limited(self) -> int:
        """How many of `above`, `below` and `levels` are said."""
        return (self.above is not None) + (self.below is not None) + bool(self.levels)

    @model_validator(mode="after")
    def _climbing(self) -> "Limits":
        if len({level.above is None for level in self.levels}) > 1:
            raise wrong("levels", "a ladder goes one way: all levels 'above', or all 'below'")
        ladder = self.ladder if self.upwards else tuple(-limit for limit in self.ladder)
        if any(later <= earlier for earlier, later in pairwise(ladder)):
            raise wrong("levels", "levels are in order, the mildest first, each beyond the last")
        return self


class Limited(Limits):
    """Limits that must be there."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "Limited":
        if self.limited != 1:
            raise ValueError("exactly one of 'above', 'below' and 'levels' is needed here")
        return self
