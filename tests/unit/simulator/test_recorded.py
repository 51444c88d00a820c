"""Files on disk: plain and packed, broken, with locations beside them."""

import gzip
from pathlib import Path

import pytest

from services.simulator.mapping import Mapping, parse_mapping
from services.simulator.recorded import header_of, locations_beside, opened
from services.simulator.records import Location
from shared.errors import Misconfigured

TEXT = (
    'title: T\nsource: S\ndelimiter: ";"\ntime: {column: at}\nsensor: {header: true, prefix: x-}\n'
    'columns: {"*": {metric: noise.level}}\n'
)
LOCATIONS = TEXT + "locations: {file: places.csv, sensor: id, lon: longitude, lat: latitude}\n"


def mapping(text: str = TEXT) -> Mapping:
    return parse_mapping(text, "m.yaml")


def test_plain_and_packed_files_read_alike(tmp_path: Path) -> None:
    text = '\ufeffat;1\n2026-05-01T00:00Z;"5"\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with gzip.open(tmp_path / "a.csv.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    for name in ("a.csv", "a.csv.gz"):
        with opened(tmp_path / name, mapping()) as lines:
            assert header_of(lines, tmp_path / name) == ["at", "1"]
            assert list(lines) == [["2026-05-01T00:00Z", "5"]]


@pytest.mark.parametrize("name", ["cut.csv.gz", "no.csv.gz", "latin.csv"])
def test_a_broken_file_is_named(tmp_path: Path, name: str) -> None:
    whole = gzip.compress(b"at;1\n" * 10_000)
    broken = {"cut.csv.gz": whole[:50], "no.csv.gz": b"no gzip", "latin.csv": b"at;\xe9\n"}
    (tmp_path / name).write_bytes(broken[name])
    with pytest.raises(Misconfigured, match=name), opened(tmp_path / name, mapping()) as lines:
        list(lines)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    with opened(path, mapping()) as lines, pytest.raises(Misconfigured, match="is empty"):
        header_of(lines, path)


def test_locations_beside_the_data_are_found_by_sensor(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("id,longitude,latitude\n7,112.5,23.1\n")
    found = locations_beside(tmp_path / "a.csv", mapping(LOCATIONS))
    assert found == {"x-7": Location(112.5, 23.1)}
    assert locations_beside(tmp_path / "a.csv", mapping()) == {}


@pytest.mark.parametrize("text", [None, "id,lon\n7,1\n", "id,longitude,latitude\n7,east,1\n"])
def test_locations_that_cannot_be_read_are_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "places.csv").write_text(text)
    with pytest.raises(Misconfigured, match=r"places\.csv"):
        locations_beside(tmp_path / "a.csv", mapping(LOCATIONS))
