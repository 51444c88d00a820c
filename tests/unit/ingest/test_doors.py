"""Payloads as brokers and servers really send them (Smart Data Models, Orion-LD, frost-client)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.border.decode import Refusal, Wire
from services.ingest.doors.found import Adapted
from services.ingest.doors.mapping import DoorMapping, Names
from services.ingest.doors.ngsi import read_ngsi
from services.ingest.doors.sensorthings import read_sensorthings
from services.ingest.doors.units import convert
from services.ingest.registry.catalogue import default_catalogue
from shared.contracts.reading import parse_moment

UNITS = {code: metric.unit for code, metric in default_catalogue().items()}
MADRID = {
    "id": "Madrid-AmbientObserved-28079004-2016-03-15T11:00:00",
    "type": "AirQualityObserved",
    "dateObserved": {"type": "DateTime", "value": "2016-03-15T11:00:00"},
    "airQualityLevel": {"type": "Text", "value": "moderate"},
    "co": {"type": "Number", "value": 500, "metadata": {"unitCode": {"value": "GP"}}},
    "no2": {"type": "Number", "value": 69, "metadata": {"unitCode": {"value": "GQ"}}},
    "temperature": {"type": "Number", "value": 12.2},
    "relativeHumidity": {"type": "Number", "value": 0.54},
    "reliability": {"type": "Number", "value": 0.7},
    "location": {"type": "geo:json", "value": {"type": "Point", "coordinates": [-3.7, 40.4]}},
}
VALLADOLID = {
    "id": "TrafficFlowObserved-Valladolid-osm-60821110",
    "type": "TrafficFlowObserved",
    "address": {"addressLocality": "Valladolid"},
    "dateObserved": "2016-12-07T11:10:00/2016-12-07T11:15:00",
    "dateObservedFrom": "2016-12-07T11:10:00Z",
    "dateObservedTo": "2016-12-07T11:15:00Z",
    "occupancy": 0.76,
    "averageVehicleSpeed": 52.6,
    "reversedLane": False,
    "laneDirection": "forward",
}
FILLING = {
    "id": "urn:ngsi-ld:Notification:5fd0fa684eb81930c97005f3",
    "type": "Notification",
    "subscriptionId": "urn:ngsi-ld:Subscription:5fd0f69b8e33d1a8f5c1c3b5",
    "notifiedAt": "2020-12-10T10:11:58.000Z",
    "data": [
        {
            "id": "urn:ngsi-ld:Device:filling001",
            "type": "FillingSensor",
            "fillingLevel": {
                "type": "Property",
                "value": 0.33,
                "unitCode": "C62",
                "observedAt": "2020-12-10T10:11:57.000Z",
            },
            "controllingAsset": {"type": "Relationship", "object": "urn:ngsi-ld:Building:farm001"},
            "waterLevel": {"type": "Property", "value": "1.25"},
        }
    ],
}


def names(**mapping: Any) -> Names:
    return Names(DoorMapping(**mapping), UNITS)


def read(adapted: Adapted) -> dict[str, Any]:
    """Pointer → (metric, value, time) or the refusal's code."""
    made: dict[str, Any] = {}
    for index, item in enumerate(adapted.items(0, len(adapted))):
        if isinstance(item, Wire):
            made[adapted.pointer(index, "")] = (item.metric, item.value, item.observed_at)
        else:
            made[adapted.pointer(index, item.field)] = item.code.value
    return made


def at(text: str) -> Any:
    return parse_moment(text)


def test_an_ngsi_v2_notification_in_normalised_form() -> None:
    payload = {"subscriptionId": "5aeb0ee97d4ef10a12a0262f", "data": [MADRID]}
    adapted = read_ngsi(payload, names(utc_offset="+01:00", ignore=["reliability"]))
    when = at("2016-03-15T11:00:00+01:00")
    assert read(adapted) == {
        "/data/0/co": ("air.co", 500_000, when),
        "/data/0/no2": ("air.no2", 69, when),
        "/data/0/temperature": ("weather.temperature", 12.2, when),
        "/data/0/relativeHumidity": ("weather.humidity", 54, when),
    }
    assert adapted.ignored == [f"/data/0/{name}" for name in
                               ("airQualityLevel", "reliability", "location")]  # fmt: skip


def test_an_entity_in_simplified_form() -> None:
    when = at("2016-12-07T11:15:00Z")
    assert read(read_ngsi(VALLADOLID, names())) == {
        "/occupancy": ("traffic.occupancy", 76, when),
        "/averageVehicleSpeed": ("traffic.speed", 52.6, when),
    }


def test_an_ngsi_ld_notification_with_a_mapping() -> None:
    mapping = {
        "sensors": {"urn:ngsi-ld:Device:filling001": "drain-1"},
        "metrics": {"FillingSensor.fillingLevel": {"metric": "drain.level", "factor": 3},
                    "waterLevel": {"metric": "water.level"}},
    }  # fmt: skip
    adapted = read_ngsi(FILLING, names(**mapping))
    assert read(adapted) == {
        "/data/0/fillingLevel": ("drain.level", 0.99, at("2020-12-10T10:11:57Z")),
        "/data/0/waterLevel": ("water.level", 1.25, at("2020-12-10T10:11:58Z")),
    }
    assert {one.reading["sensor_id"] for one in adapted.found} == {"drain-1"}
    assert adapted.ignored == ["/data/0/controllingAsset"]


def test_what_is_not_mapped_is_refused_and_can_be_read_again() -> None:
    adapted = read_ngsi(FILLING, names())
    assert set(read(adapted).values()) == {"unknown_metric"}
    later = names(metrics={"fillingLevel": {"metric": "drain.level"},
                           "waterLevel": {"metric": "water.level"}})  # fmt: skip
    again = [read(read_ngsi(json.loads(adapted.raw(index)), later)) for index in range(2)]
    assert [next(iter(one.values()))[0] for one in again] == ["drain.level", "water.level"]
    assert next(iter(again[1].values()))[2] == at("2020-12-10T10:11:58Z")


@pytest.mark.parametrize(
    ("attribute", "code", "pointer"),
    [
        ({"type": "Number", "value": 9, "metadata": {"unitCode": {"value": "KGM"}}},
         "invalid_value", "/no2"),
        ({"type": "Number", "value": "much"}, "invalid_type", "/no2/value"),
        ({"type": "Number", "value": None}, "invalid_type", "/no2/value"),
        ({"value": 5, "observedAt": "yesterday"}, "invalid_value", "/no2"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(
    attribute: dict[str, Any], code: str, pointer: str
) -> None:
    entity = {"id": "a", "type": "T", "no2": attribute, "dateObserved": "2026-05-01T00:00:00Z"}
    assert read(read_ngsi(entity, names())) == {pointer: code}


def test_without_any_time_nothing_is_guessed() -> None:
    assert read(read_ngsi({"id": "a", "type": "T", "no2": 5}, names())) == {"/no2": "malformed"}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000, "x"])
def test_a_text_that_is_no_number_is_refused_however_deep(text: str) -> None:
    known = names(channels={"42": {"sensor_id": "g", "metric": "water.level"}})
    one = {"phenomenonTime": "2026-05-01T00:00:00Z", "result": text}
    assert read(read_sensorthings(one, known, "42")) == {"/result": "invalid_type"}


@pytest.mark.parametrize("payload", [None, 5, "x", [], [5], {}, {"id": 5}, {"data": 5}, [[]]])
def test_no_entity_is_malformed(payload: Any) -> None:
    assert set(read(read_ngsi(payload, names())).values()) <= {"malformed"}


def test_an_observation_of_each_way_to_name_its_datastream() -> None:
    known = names(channels={"42": {"sensor_id": "g", "metric": "water.level", "factor": 0.01}})
    base = {"phenomenonTime": "2026-05-01T00:00:00.000Z", "result": 321}
    for link in (
        {"Datastream": {"@iot.id": 42}},
        {"Datastream": {"@iot.id": "42"}},
        {"Datastream@iot.navigationLink": "http://frost/v1.1/Datastreams(42)"},
    ):
        adapted = read_sensorthings(base | link, known)
        assert read(adapted) == {"": ("water.level", 3.21, at("2026-05-01T00:00:00Z"))}
    assert read(read_sensorthings(base, known, "42")) == {
        "": ("water.level", 3.21, at("2026-05-01T00:00:00Z"))
    }
    speaking = base | {"Datastream": {"@iot.id": "g/water.level"}}
    assert read(read_sensorthings(speaking, known))[""][1] == 321
    assert read(read_sensorthings(base, known)) == {"": "unknown_sensor"}


def test_data_arrays() -> None:
    payload = [
        {
            "Datastream": {"@iot.id": 1},
            "components": ["phenomenonTime", "result", "resultTime", "FeatureOfInterest/id"],
            "dataArray@iot.count": 3,
            "dataArray": [
                ["2017-01-13T10:20:00.000Z", 9.5, "2017-01-13T10:20:00.000Z", 1],
                ["2017-01-13T10:20:00Z/2017-01-13T10:21:00Z", "x", "2017-01-13T10:21:00.000Z", 1],
                ["2017-02-13T10:22:00.000Z", 92],
            ],
        },
        {"Datastream": {"@iot.id": 2}, "components": ["result"], "dataArray": [[1]]},
        7,
    ]
    adapted = read_sensorthings(
        payload, names(channels={"1": {"sensor_id": "g", "metric": "water.level"}})
    )
    assert read(adapted) == {
        "/0/dataArray/0": ("water.level", 9.5, at("2017-01-13T10:20:00Z")),
        "/0/dataArray/1/1": "invalid_type",
        "/0/dataArray/2": "malformed",
        "/1/dataArray/0": "unknown_sensor",
        "/2": "malformed",
    }
    mended = names(channels={"2": {"sensor_id": "g", "metric": "water.level"}})
    alone = read_sensorthings(json.loads(adapted.raw(3)), mended)
    assert read(alone) == {"/dataArray/0": "malformed"}


@pytest.mark.parametrize(
    ("value", "code", "unit", "made"),
    [
        (20, "MTS", "km/h", 72), (68, "FAH", "°C", 20), (293.15, "KEL", "°C", 20),
        (0.5, "C62", "%", 50), (101325, "PAL", "hPa", 1013.25), (350, "CMT", "m", 3.5),
        (2, "MAW", "kW", 2000), (5, "GQ", "°C", None), (5, "XYZ", "m", None),
        (5, "mm/h", "mm/h", 5),
    ],
)  # fmt: skip
def test_units(value: float, code: str, unit: str, made: float | None) -> None:
    assert convert(value, code, unit) == made


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "type", "data", "value", "no2", "metadata", "observedAt", "result",
                         "unitCode", "Datastream", "@iot.id", "dataArray", "components",
                         "phenomenonTime"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(anything)
def test_whatever_comes_is_read_or_refused(payload: Any) -> None:
    for adapted in (read_ngsi(payload, names()), read_sensorthings(payload, names())):
        for index, item in enumerate(adapted.items(0, len(adapted))):
            assert isinstance(item, Wire | Refusal)
            assert isinstance(adapted.raw(index), bytes)
