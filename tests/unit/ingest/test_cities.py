"""Every city of China by its adcode."""

import csv
from pathlib import Path

import pytest

from services.ingest.registry.atlas import Atlas
from services.ingest.registry.boundaries import load_areas, packaged_cities
from services.ingest.registry.sensor import Location
from shared.errors import Misconfigured
from tests.unit.ingest.test_boundaries import NONE

CITIES = packaged_cities()


def test_there_are_all_of_them() -> None:
    assert len(CITIES) == 375
    assert {441200, 440100, 110000, 310000, 500000, 441900, 442000, 460300, 419001} <= set(CITIES)


@pytest.mark.parametrize("adcode", CITIES)
def test_a_city_has_districts_names_and_places(adcode: int) -> None:
    city, *districts = load_areas(adcode, NONE)
    assert (city.area_id, city.level, city.parent_id) == (str(adcode), "city", None)
    assert districts and {area.parent_id for area in districts} == {city.area_id}
    assert len({area.area_id for area in (city, *districts)}) == 1 + len(districts)
    for area in (city, *districts):
        assert area.shape.is_valid and area.name_zh
        assert area.name_en.isprintable() and not any("一" <= c <= "鿿" for c in area.name_en)
    atlas = Atlas([(area.area_id, area.shape) for area in districts])
    for area in districts:
        inside = area.shape.representative_point()
        assert atlas.place(Location(lon=inside.x, lat=inside.y)).district_id == area.area_id


@pytest.mark.parametrize(
    ("adcode", "said"),
    [
        (440106, "天河区 is a district of 广州市: set 440100"),
        (440000, "440100 广州市"),
        (441201, "441200 肇庆市"),
        (123, "no prefecture"),
    ],
)
def test_a_wrong_adcode_names_what_may_be_meant(adcode: int, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        load_areas(adcode, NONE)


def test_names_are_listed_once() -> None:
    path = Path(__file__).parents[3] / "services/ingest/registry/places.csv"
    with path.open(encoding="utf-8", newline="") as file:
        codes = [row[0] for row in csv.reader(file)]
    assert codes == sorted(set(codes))
