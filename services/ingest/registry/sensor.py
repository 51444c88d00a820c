"""A sensor: as a source registers it (`SensorIn`), and as it is kept and announced (`Sensor`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN

MAX_METRICS = 64

SensorId = Annotated[str, Field(pattern=SENSOR_ID_PATTERN, examples=["gauge-0001"])]
Code = Annotated[str, Field(pattern=METRIC_PATTERN, max_length=64, examples=["water.level"])]


class Location(BaseModel):
    """A point, WGS 84, degrees."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class SensorBody(BaseModel):
    """What a source says of a sensor. Without a location the sensor is `unplaced`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(max_length=200)] = ""
    metrics: Annotated[tuple[Code, ...], Field(min_length=1, max_length=MAX_METRICS, strict=False)]
    location: Location | None = None
    retired: bool = False

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if any(ord(letter) < 0x20 for letter in name):
            raise ValueError("control characters are not allowed")
        return name

    @field_validator("metrics")
    @classmethod
    def _distinct(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(metrics))


class SensorPut(SensorBody):
    """The body of `PUT /v1/sensors/{id}`; `sensor_id`, if given, is the one of the path."""

    sensor_id: SensorId | None = None


class SensorIn(SensorBody):
    """One sensor of a bulk registration."""

    sensor_id: SensorId


class Sensor(BaseModel):
    """A registered sensor: what `GET /v1/sensors` answers and `city.sensors` carries.

    `area_id`: its district, None when it has no location or lies outside the city;
    `cell_id`: its H3 cell.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sensor_id: str
    name: str = ""
    metrics: tuple[str, ...]
    location: Location | None = None
    area_id: str | None = None
    cell_id: str | None = None
    retired: bool = False
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SensorFilter:
    """What a list of sensors is narrowed to; `area_id`: a city, district or cell; `q`: text of
    id or name; `after`: the last id of the page before."""

    area_id: str | None = None
    metric: str | None = None
    q: str | None = None
    after: str | None = None
