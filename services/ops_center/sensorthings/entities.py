"""The registry as SensorThings entities: what stands beside what. Pure.

A sensor of ours is a Thing with its Location, Sensor and FeatureOfInterest of the same id; each of
its metrics a Datastream, `<sensor>~<metric>`; a metric an ObservedProperty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

JOINT = "~"  # in no sensor's id
SETS = (
    "Things", "Locations", "Datastreams", "Sensors", "ObservedProperties", "FeaturesOfInterest",
    "Observations",
)  # fmt: skip
_OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
_GEO = "application/geo+json"
# From an entity set: the name of a link → (the set it leads to, whether to one entity).
LINKS: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    "Things": {"Locations": ("Locations", False), "Datastreams": ("Datastreams", False)},
    "Locations": {"Things": ("Things", False)},
    "Datastreams": {
        "Thing": ("Things", True), "Sensor": ("Sensors", True),
        "ObservedProperty": ("ObservedProperties", True),
        "Observations": ("Observations", False),
    },
    "Sensors": {"Datastreams": ("Datastreams", False)},
    "ObservedProperties": {"Datastreams": ("Datastreams", False)},
    "FeaturesOfInterest": {"Observations": ("Observations", False)},
    "Observations": {
        "Datastream": ("Datastreams", True), "FeatureOfInterest": ("FeaturesOfInterest", True),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stream:
    """A sensor's metric, as far as it may be told. WGS 84."""

    sensor_id: str
    name: str
    area_id: str | None
    lon: float | None
    lat: float | None
    metric: str
    unit: str
    name_zh: str
    name_en: str

    @property
    def key(self) -> str:
        """Of its Datastream."""
        return f"{self.sensor_id}{JOINT}{self.metric}"


class World:
    """All entities but the Observations, by set and id."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self.streams = {one.key: one for one in streams}

    @cached_property
    def sets(self) -> Mapping[str, Mapping[str, dict[str, Any]]]:
        """Properties of every entity."""
        found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in SETS}
        for one in self.streams.values():
            found["Things"].setdefault(one.sensor_id, _thing(one))
            found["Sensors"].setdefault(one.sensor_id, _sensor(one))
            found["ObservedProperties"].setdefault(one.metric, _property(one))
            found["Datastreams"][one.key] = _datastream(one)
            if one.lon is not None and one.lat is not None:
                found["Locations"].setdefault(one.sensor_id, _location(one, "location"))
                found["FeaturesOfInterest"].setdefault(one.sensor_id, _location(one, "feature"))
        return found

    @cached_property
    def _of_sensor(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.streams.values():
            found.setdefault(one.sensor_id, []).append(one.key)
        return found

    @cached_property
    def _of_metric(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.streams.values():
            found.setdefault(one.metric, []).append(one.key)
        return found

    def linked(self, kind: str, key: str, link: str) -> list[str]:
        """The ids of what a link of an entity leads to (Observations are elsewhere)."""
        target, _ = LINKS[kind][link]
        sensor_id, _, metric = key.partition(JOINT)
        if target == "Datastreams":
            if kind == "Observations":
                return [key.rpartition(JOINT)[0]]
            of = self._of_metric if kind == "ObservedProperties" else self._of_sensor
            return list(of.get(key, ()))
        wanted = metric if target == "ObservedProperties" else sensor_id
        return [wanted] if wanted in self.sets[target] else []


def _thing(one: Stream) -> dict[str, Any]:
    properties = {} if one.area_id is None else {"area_id": one.area_id}
    return {
        "name": one.name or one.sensor_id, "description": "sensor", "properties": properties
    }  # fmt: skip


def _sensor(one: Stream) -> dict[str, Any]:
    return {
        "name": one.name or one.sensor_id, "description": "sensor",
        "encodingType": "text/plain", "metadata": one.sensor_id,
    }  # fmt: skip


def _property(one: Stream) -> dict[str, Any]:
    return {
        "name": one.name_en, "definition": f"urn:yiwang:metric:{one.metric}",
        "description": one.name_zh, "properties": {"metric": one.metric},
    }  # fmt: skip


def _datastream(one: Stream) -> dict[str, Any]:
    unit = {"name": one.unit, "symbol": one.unit, "definition": f"urn:yiwang:unit:{one.unit}"}
    return {
        "name": f"{one.name_en}, {one.name or one.sensor_id}", "description": one.name_zh,
        "observationType": _OM, "unitOfMeasurement": unit,
        "properties": {"sensor_id": one.sensor_id, "metric": one.metric},
    }  # fmt: skip


def _location(one: Stream, member: str) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [one.lon, one.lat]}
    return {
        "name": one.name or one.sensor_id, "description": "place of a sensor",
        "encodingType": _GEO, member: point,
    }  # fmt: skip
