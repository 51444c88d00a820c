"""Metrics: the catalogue that comes with the platform (`metrics.yaml`), and each as it is kept."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from shared.contracts.reading import METRIC_PATTERN
from shared.errors import Misconfigured

DEFAULT_MAX_AGE_SECONDS = 7 * 86_400
_FILE = Path(__file__).with_name("metrics.yaml")
_INT4 = 2**31 - 1

Bounds = tuple[float | None, float | None]
Domain = Literal["traffic", "environment", "utilities", "platform"]
Bound = Annotated[float | None, Field(allow_inf_nan=False)]
Seconds = Annotated[int, Field(gt=0, le=_INT4)]
Deadband = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Words = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class MetricPut(BaseModel):
    """The body of `PUT /v1/metrics/{code}`.

    `minimum` … `maximum`: inclusive range in `unit` outside of which a reading is refused (null:
    open); `normal_…`: range shown as normal; `deadband`: a change up to this is noise;
    `max_age_seconds`: the oldest reading that is taken without the scope `backfill`; `foretold`:
    whether the next hours of its series are forecast.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Annotated[Domain, Field(examples=["environment"])]
    unit: Annotated[str, Field(max_length=32, pattern=r"^[^\x00-\x1f]*$", examples=["m"])]
    name_zh: Annotated[Words, Field(examples=["河道水位"])]
    name_en: Annotated[Words, Field(examples=["River level"])]
    minimum: Annotated[Bound, Field(examples=[-5])] = None
    maximum: Annotated[Bound, Field(examples=[50])] = None
    normal_low: Annotated[Bound, Field(examples=[0])] = None
    normal_high: Annotated[Bound, Field(examples=[7])] = None
    interval_seconds: Annotated[Seconds, Field(examples=[60])]
    deadband: Annotated[Deadband, Field(examples=[0.01])] = 0.0
    max_age_seconds: Seconds = DEFAULT_MAX_AGE_SECONDS
    foretold: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (
            (self.minimum, self.maximum),
            (self.normal_low, self.normal_high),
            (self.minimum, self.normal_low),
            (self.normal_high, self.maximum),
        ):
            if low is not None and high is not None and low > high:
                raise ValueError("minimum ≤ normal_low ≤ normal_high ≤ maximum is not kept")
        return self


class Definition(MetricPut):
    """A metric as it is kept, announced and answered. `origin`: `catalogue` follows the
    platform's own at every start, `edited` is left as it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metric: str
    origin: Literal["catalogue", "edited"] = "catalogue"
    updated_at: datetime


class Metric(BaseModel):
    """One entry of `metrics.yaml`; `plausible`, `normal`: see `MetricPut`; times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Domain
    unit: str
    plausible: Bounds
    normal: Bounds
    interval: Seconds
    deadband: Deadband = 0.0
    max_age: Seconds = DEFAULT_MAX_AGE_SECONDS
    foretold: bool = False
    zh: str
    en: str

    def definition(self, code: str, now: datetime) -> Definition:
        """As it is kept under `code`."""
        return Definition(
            metric=code,
            domain=self.domain,
            unit=self.unit,
            name_zh=self.zh,
            name_en=self.en,
            minimum=self.plausible[0],
            maximum=self.plausible[1],
            normal_low=self.normal[0],
            normal_high=self.normal[1],
            interval_seconds=self.interval,
            deadband=self.deadband,
            max_age_seconds=self.max_age,
            foretold=self.foretold,
            updated_at=now,
        )


Code = Annotated[str, Field(pattern=METRIC_PATTERN, max_length=64)]
_catalogue = TypeAdapter(dict[Code, Metric])


def load_catalogue(path: Path = _FILE) -> dict[str, Metric]:
    """Metric code → metric. Raises `Misconfigured` naming the wrong entry."""
    try:
        return _catalogue.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError, OSError) as error:
        raise Misconfigured(f"{path}: {error}") from error


@cache
def default_catalogue() -> dict[str, Metric]:
    """The catalogue that comes with the platform."""
    return load_catalogue()


def definitions(catalogue: dict[str, Metric], now: datetime) -> list[Definition]:
    """Every metric as it is kept."""
    return [metric.definition(code, now) for code, metric in catalogue.items()]
