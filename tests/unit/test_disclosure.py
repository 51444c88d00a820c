"""What is told to whom: fields by level, coarsening, masks, grants; and the city's own file."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.disclosure.clearance import PUBLIC, Clearance
from shared.disclosure.declaration import Declaration, declared, overlaid
from shared.disclosure.disclose import cleared, columns, disclosed, untold
from shared.disclosure.files import declaration
from shared.disclosure.level import Level
from shared.errors import Misconfigured

SHIPPED = declaration()
SENSORS, READINGS = SHIPPED.datasets["sensors"], SHIPPED.datasets["readings"]
REPORTS = SHIPPED.datasets["reports"]
SENSOR: dict[str, Any] = {
    "sensor_id": "a", "name": "泵站", "location": {"lon": 112.4721, "lat": 23.0569},
    "metrics": ["water.level"], "retired": False,
}  # fmt: skip
INTERNAL, CORE = Clearance(Level.INTERNAL), Clearance(Level.CORE)


def own(**said: Any) -> Declaration:
    return overlaid(SHIPPED, said)


def test_whoever_is_cleared_gets_the_very_same_object() -> None:
    answer = {"items": [SENSOR], "next": None}
    assert disclosed(SHIPPED, SENSORS, answer, INTERNAL) is answer


def test_below_the_level_a_place_is_coarse_and_the_rest_is_not_there() -> None:
    told = disclosed(SHIPPED, SENSORS, {"items": [SENSOR], "next": None}, PUBLIC)
    (one,) = told["items"]
    assert "retired" not in one and one["name"] == "泵站"
    assert one["location"] != SENSOR["location"]
    assert one["location"]["lon"] == pytest.approx(SENSOR["location"]["lon"], abs=0.02)
    near = {**SENSOR, "location": {"lon": 112.4722, "lat": 23.0570}}
    assert disclosed(SHIPPED, SENSORS, near, PUBLIC)["location"] == one["location"]


def test_geojson_is_coarsened_too() -> None:
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [112.4721, 23.0569]}}
    told = disclosed(SHIPPED, SENSORS, feature, PUBLIC)["geometry"]["coordinates"]
    assert told != [112.4721, 23.0569] and len(told) == 2


def test_what_was_never_declared_is_told_to_nobody_below_the_core() -> None:
    answer = {"sensor_id": "a", "secret_plan": 1}
    assert disclosed(SHIPPED, SENSORS, answer, PUBLIC) == {"sensor_id": "a"}


def test_a_data_subject_field_needs_its_own_grant_whatever_the_level() -> None:
    answer = {"report_id": "1", "phone": "13800000000"}
    assert not cleared(SHIPPED, REPORTS, CORE)
    assert disclosed(SHIPPED, REPORTS, answer, CORE) == {"report_id": "1"}
    granted = Clearance(Level.SENSITIVE, frozenset({"reports.phone"}))
    assert disclosed(SHIPPED, REPORTS, answer, granted) == answer


def test_objects_of_a_metric_above_the_clearance_are_withheld() -> None:
    city = own(metrics={"power.*": "sensitive"})
    answer = {"items": [{"metric": "power.load", "value": 1.0}, {"metric": "air.o3", "value": 2.0}]}
    told = disclosed(city, city.datasets["readings"], answer, INTERNAL)
    assert told == {"items": [{"metric": "air.o3", "value": 2.0}]}
    assert disclosed(city, city.datasets["readings"], answer["items"][0], INTERNAL) is None


def test_a_grant_tells_its_fields_and_no_other() -> None:
    lent = Clearance(Level.CORE, fields=frozenset({"readings.value", "readings.metric"}))
    row = {"sensor_id": "a", "metric": "air.o3", "value": 2.0, "lon": 1.0, "lat": 2.0}
    expected = {"metric": "air.o3", "value": 2.0}
    assert disclosed(SHIPPED, READINGS, {"items": [row]}, lent) == {"items": [expected]}
    assert columns(SHIPPED, READINGS, list(row), lent).row(row) == expected
    assert lent.datasets == frozenset({"readings"})


def test_columns_and_rows_tell_the_same() -> None:
    row = {"sensor_id": "a", "metric": "air.o3", "value": 2.0, "lon": 112.4721, "lat": 23.0569}
    plan = columns(SHIPPED, READINGS, list(row), PUBLIC)
    assert not plan.open
    assert plan.row(row) == disclosed(SHIPPED, READINGS, row, PUBLIC)
    assert columns(SHIPPED, READINGS, list(row), INTERNAL).open


def test_a_place_without_its_other_half_is_withheld() -> None:
    assert columns(SHIPPED, READINGS, ["lon", "value"], PUBLIC).kept == ("value",)
    assert disclosed(SHIPPED, READINGS, {"lon": 1.0, "value": 1.0}, PUBLIC) == {"value": 1.0}


def test_what_may_not_be_told_may_not_be_asked_by() -> None:
    assert untold(SENSORS, "bbox", PUBLIC) == "lat"  # told as a cell only
    assert untold(SENSORS, "bbox", INTERNAL) is None
    assert untold(SENSORS, "q", PUBLIC) is None
    city = own(fields={"incidents.subjects": {"level": "sensitive"}})
    assert untold(city.datasets["incidents"], "q", INTERNAL) == "subjects"
    lent = replace(INTERNAL, fields=frozenset({"incidents.id", "incidents.state"}))
    incidents = SHIPPED.datasets["incidents"]
    found = {name: untold(incidents, name, lent) for name in ("state", "department", "limit")}
    assert found == {"state": None, "department": "department", "limit": None}


def test_moments_become_hours_in_every_form() -> None:
    city = own(fields={"readings.at": {"level": "internal", "below": "hour"}})
    readings, moment = city.datasets["readings"], datetime(2026, 5, 1, 8, 59, 3, tzinfo=UTC)
    milliseconds = int(moment.timestamp() * 1000)
    for value, hour in (
        (moment, datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("2026-05-01T16:59:03.250+08:00", "2026-05-01T08:00:00Z"),
        (milliseconds, milliseconds // 3_600_000 * 3_600_000),
        (None, None),
    ):
        assert disclosed(city, readings, {"at": value}, PUBLIC) == {"at": hour}


def test_the_city_has_its_own_scheme() -> None:
    city = own(
        levels={"core": {"zh": "绝密", "en": "Top"}}, roles={"screen": "public"},
        fields={"sensors.name": {"level": "sensitive", "below": "mask"}},
    )  # fmt: skip
    assert city.names[Level.CORE].zh == "绝密" and city.role_level("screen") is Level.PUBLIC
    told = disclosed(city, city.datasets["sensors"], SENSOR, INTERNAL)
    assert told["name"] == "泵***" and told["location"] == SENSOR["location"]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"rolls": {}}, "section 'rolls'"),
        ({"roles": {"viewer": "secret"}}, "'secret' is none of"),
        ({"fields": {"sensors.colour": {"level": "core"}}}, "no field 'sensors.colour'"),
        ({"fields": {"sensors.lon": {"below": "blurred"}}}, "'blurred' is none of"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(said: dict[str, Any], what: str) -> None:
    with pytest.raises(Misconfigured, match=what):
        overlaid(SHIPPED, said)


def test_a_rule_for_a_field_without_a_level_is_refused() -> None:
    said = {"levels": {}, "datasets": {"x": {"zh": "x", "en": "x", "below": {"a": "hour"}}}}
    with pytest.raises(Misconfigured, match=r"x\.a has no level"):
        declared(said)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        declaration(tmp_path / "missing.yaml")
