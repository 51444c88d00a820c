"""A sensor: as a source registers it (`SensorIn`), and as it is kept and announced (`Sensor`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.ingest.registry.coordinates import Crs, to_wgs84
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


class SensorPatch(BaseModel):
    """The body of `PATCH /v1/sensors/{id}`: what is to be different; `location` null: none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str | None = None
    metrics: Annotated[tuple[Code, ...] | None, Field(strict=False)] = None
    location: Location | None = None
    retired: bool | None = None


class SensorPut(SensorBody):
    """The body of `PUT /v1/sensors/{id}`; `sensor_id`, if given, is the one of the path."""

    sensor_id: SensorId | None = None


class SensorIn(SensorBody):
    """One sensor of a bulk registration."""

    sensor_id: SensorId


class Sensor(BaseModel):
    """A registered sensor: what `GET /v1/sensors` answers and `city.sensors` carries.

    `area_id`: its district, None when it has no location or lies outside the city; `town_id`: the
    town or street in it, where those are imported; `cell_id`: its H3 cell.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sensor_id: str
    name: str = ""
    metrics: tuple[str, ...]
    location: Location | None = None
    area_id: str | None = None
    town_id: str | None = None
    cell_id: str | None = None
    retired: bool = False
    updated_at: datetime


def in_wgs84(location: Location | None, crs: Crs) -> Location | None:
    """A location given in `crs` as it is kept."""
    if location is None or crs == "wgs84":
        return location
    lon, lat = to_wgs84((location.lon, location.lat), crs)
    return Location(lon=round(lon, 8), lat=round(lat, 8))


def kept(sensor: Sensor) -> dict[str, Any]:
    """What a source has said of a registered sensor: the fields of `SensorIn`."""
    return {name: getattr(sensor, name) for name in SensorIn.model_fields}


Bbox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class SensorFilter:
    """What a list of sensors is narrowed to.

    `area_id`: an area of any level; `q`: text of id or name; `after`: the last id of the page
    before; `bbox`: west, south, east, north, degrees. `lent`: areas that who asks is confined to.
    """

    area_id: str | None = None
    metric: str | None = None
    q: str | None = None
    after: str | None = None
    domain: str | None = None
    retired: bool | None = None
    unplaced: bool | None = None
    bbox: Bbox | None = None
    lent: frozenset[str] = frozenset()
