"""The catalogue of metrics: `metrics.yaml`, checked."""

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.contracts.reading import METRIC_PATTERN
from shared.errors import Misconfigured

DEFAULT_MAX_AGE_SECONDS = 7 * 86_400
_FILE = Path(__file__).with_name("metrics.yaml")

Bounds = tuple[float | None, float | None]


class Metric(BaseModel):
    """One metric of the catalogue.

    `plausible`: inclusive range in `unit` outside of which a reading is refused (None: open);
    `normal`: range shown as normal; `interval` and `max_age` in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Annotated[str, Field(pattern="^(traffic|environment|utilities)$")]
    unit: str
    plausible: Bounds
    normal: Bounds
    interval: Annotated[int, Field(gt=0)]
    max_age: Annotated[int, Field(gt=0)] = DEFAULT_MAX_AGE_SECONDS
    zh: str
    en: str


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
