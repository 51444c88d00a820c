"""Whose names mean what: from another system's entities to our sensors and metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN

Theirs = Annotated[str, Field(min_length=1, max_length=400)]
SensorId = Annotated[str, Field(pattern=SENSOR_ID_PATTERN)]
Metric = Annotated[str, Field(pattern=METRIC_PATTERN, max_length=64)]
Number = Annotated[float, Field(allow_inf_nan=False)]
MOST = 100_000


class Target(BaseModel):
    """A metric, and how their value becomes ours: `value * factor + offset`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Metric
    factor: Number = 1
    offset: Number = 0


class Channel(Target):
    """A metric of one sensor."""

    sensor_id: SensorId


class DoorMapping(BaseModel):
    """What an administrator says. Nothing need be said where both sides use the same names.

    `sensors`: their entity or device → our sensor; without an entry the name is taken as it is.
    `metrics`: their attribute, as `Type.attribute` or `attribute` → our metric.
    `channels`: a SensorThings Datastream's id → one metric of one sensor.
    `ignore`: attributes that are no readings. `utc_offset`: of times that come without one.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "sensors": {"urn:ngsi-ld:AirQualityObserved:Duanzhou-1": "aq-441202-0001"},
                    "metrics": {
                        "AirQualityObserved.NO2": {"metric": "air.no2"},
                        "TrafficFlowObserved.intensity": {"metric": "traffic.flow", "factor": 12},
                    },
                    "channels": {"42": {"sensor_id": "gauge-0001", "metric": "water.level"}},
                    "ignore": ["windDirection"],
                    "utc_offset": "+08:00",
                }
            ]
        },
    )

    sensors: Annotated[dict[Theirs, SensorId], Field(max_length=MOST)] = {}
    metrics: Annotated[dict[Theirs, Target], Field(max_length=MOST)] = {}
    channels: Annotated[dict[Theirs, Channel], Field(max_length=MOST)] = {}
    ignore: Annotated[list[Theirs], Field(max_length=MOST)] = []
    utc_offset: Annotated[str | None, Field(pattern=r"^(Z|[+-]\d\d:\d\d)$")] = None


# FIWARE's Smart Data Models, where the meaning leaves nothing open.
_KNOWN: dict[str, Target] = {
    "no2": Target(metric="air.no2"),
    "so2": Target(metric="air.so2"),
    "o3": Target(metric="air.o3"),
    "co": Target(metric="air.co"),
    "pm10": Target(metric="air.pm10"),
    "pm25": Target(metric="air.pm25"),
    "pm2.5": Target(metric="air.pm25"),
    "temperature": Target(metric="weather.temperature"),
    "dewpoint": Target(metric="weather.dew_point"),
    "relativehumidity": Target(metric="weather.humidity", factor=100),
    "atmosphericpressure": Target(metric="weather.pressure"),
    "windspeed": Target(metric="weather.wind_speed"),
    "averagevehiclespeed": Target(metric="traffic.speed"),
    "occupancy": Target(metric="traffic.occupancy", factor=100),
    "laeq": Target(metric="noise.level"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """A mapping together with the catalogue. `units`: metric → unit."""

    mapping: DoorMapping
    units: Mapping[str, str]

    def sensor(self, theirs: str) -> str:
        """Our sensor."""
        return self.mapping.sensors.get(theirs, theirs)

    def metric(self, kind: str, attribute: str) -> tuple[Target | None, bool]:
        """(the metric of an attribute, whether somebody has said so himself)."""
        said = self.mapping.metrics
        target = said.get(f"{kind}.{attribute}") or said.get(attribute)
        if target is not None:
            return target, True
        if attribute in self.units:
            return Target(metric=attribute), False
        return _KNOWN.get(attribute.lower()), False

    def ignored(self, kind: str, attribute: str) -> bool:
        """True for what was said to be no reading."""
        return attribute in self.mapping.ignore or f"{kind}.{attribute}" in self.mapping.ignore
