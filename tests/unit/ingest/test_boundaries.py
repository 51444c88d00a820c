"""Boundaries, the areas of points, and the first sensors."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shapely.geometry import mapping, shape

from services.ingest.registry.atlas import Atlas, cell
from services.ingest.registry.boundaries import Area, load_areas
from services.ingest.registry.catalogue import default_catalogue, load_catalogue
from services.ingest.registry.seeding import first_sensors
from services.ingest.registry.sensor import Location
from shared.contracts.reading import SENSOR_ID_PATTERN
from shared.errors import Misconfigured
from tests.conftest import DATA

NONE = Path("/no/such/file")
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def zhaoqing() -> list[Area]:
    return load_areas(441200, NONE)


def atlas(areas: list[Area]) -> Atlas:
    return Atlas([(a.area_id, a.shape) for a in areas if a.level == "district"])


def test_the_city_and_its_eight_districts_are_found_by_adcode() -> None:
    city, *districts = zhaoqing()
    assert (city.area_id, city.name_zh, city.name_en) == ("441200", "肇庆市", "Zhaoqing")
    assert [d.area_id for d in districts] == [
        "441202", "441203", "441204", "441223", "441224", "441225", "441226", "441284",
    ]  # fmt: skip
    assert all(d.shape.is_valid and d.parent_id == "441200" for d in districts)
    covered = sum(d.shape.intersection(city.shape).area for d in districts)
    assert covered == pytest.approx(city.shape.area, rel=0.01)


def test_boundaries_equal_the_published_ones() -> None:
    published = DATA / "geo" / "zhaoqing_districts.geojson"
    if not published.exists():
        pytest.skip(f"{published} is not here")
    ours = {area.area_id: area.shape for area in zhaoqing()}
    for feature in json.loads(published.read_text())["features"]:
        theirs = shape(feature["geometry"])
        assert ours[str(feature["id"])].symmetric_difference(theirs).area < 1e-9


def test_any_prefecture_is_known_and_an_unknown_one_is_told() -> None:
    assert load_areas(440100, NONE)[0].name_zh == "广州市"
    with pytest.raises(Misconfigured, match="YIWANG_CITY"):
        load_areas(123, NONE)


def test_a_file_of_ones_own_replaces_the_package(tmp_path: Path) -> None:
    own = tmp_path / "boundaries.geojson"
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    feature = {"type": "Feature", "geometry": square}
    own.write_text(
        json.dumps({"features": [feature | {"properties": {"adcode": 990001, "name": "方区"}}]})
    )
    city, district = load_areas(990000, own)
    assert (city.level, district.name_zh, district.parent_id) == ("city", "方区", "990000")
    assert district.polygon == json.loads(json.dumps(mapping(shape(square))))
    own.write_text("{}")
    with pytest.raises(Misconfigured, match="boundaries"):
        load_areas(990000, own)


def test_a_point_has_a_district_and_a_cell_or_is_unplaced() -> None:
    known = atlas(zhaoqing())
    place = known.place(Location(lon=112.482, lat=23.107))
    assert place.district_id == "441202" and place.cell_id is not None
    assert shape(cell(place.cell_id, "441202").polygon).is_valid
    assert known.place(Location(lon=116.4, lat=39.9)).district_id is None
    assert known.place(None).cell_id is None


def test_the_first_sensors_are_the_same_every_time_and_stand_in_their_district() -> None:
    areas = zhaoqing()
    known = atlas(areas)
    sensors = first_sensors(areas[1:], known, NOW)
    assert sensors == first_sensors(areas[1:], known, NOW)
    assert 1_900 <= len(sensors) == len({s.sensor_id for s in sensors}) <= 2_100
    assert {s.sensor_id[:3] for s in sensors} == {"tr-", "en-", "ut-"}
    for sensor in sensors:
        assert re.match(SENSOR_ID_PATTERN, sensor.sensor_id)
        assert sensor.area_id == sensor.sensor_id.split("-")[1]
        assert set(sensor.metrics) <= set(default_catalogue())
    assert sensors[0].name == "端州区 路段 0001"


def test_normal_lies_within_plausible() -> None:
    for code, metric in default_catalogue().items():
        if metric.domain == "platform":
            continue  # however late or many: what is set aside would be told to nobody
        low, high = metric.plausible
        assert low is not None and high is not None, code
        assert metric.normal[0] is not None and low <= metric.normal[0], code
        assert metric.normal[1] is not None and metric.normal[1] <= high, code


def test_a_wrong_catalogue_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "metrics.yaml"
    wrong.write_text("traffic.speed: {unit: km/h}")
    with pytest.raises(Misconfigured, match=r"traffic\.speed"):
        load_catalogue(wrong)
