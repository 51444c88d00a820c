"""Sensors as files: CSV (RFC 4180) and GeoJSON, read into rows and written. Pure.

CSV comes as UTF-8, with or without BOM, UTF-16 with BOM, or GB18030, and has a header row.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.ingest.registry.sensor import Sensor
from services.ingest.requests import parsed
from shared.disclosure.disclose import Columns

COLUMNS = ("sensor_id", "name", "metrics", "lon", "lat", "retired")
COMPUTED = ("area_id", "town_id", "cell_id", "updated_at")  # taken and ignored
EVERYTHING = Columns(COLUMNS, {}, open=True)
ALIASES = {
    "id": "sensor_id", "编号": "sensor_id", "设备编号": "sensor_id", "传感器编号": "sensor_id",
    "名称": "name", "设备名称": "name",
    "metric": "metrics", "指标": "metrics", "监测指标": "metrics",
    "longitude": "lon", "lng": "lon", "经度": "lon",
    "latitude": "lat", "纬度": "lat",
    "停用": "retired", "是否停用": "retired",
}  # fmt: skip
_TRUE = frozenset(("true", "1", "yes", "y", "是"))
_FALSE = frozenset(("false", "0", "no", "n", "否", ""))
_SEPARATORS = str.maketrans(dict.fromkeys(",;|、，；/", " "))


class Unreadable(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number`: as a spreadsheet counts (the header is 1); of GeoJSON the feature's,
    from 1 on. `fields`: what it says, by the fields of `SensorIn`; `column`, `wrong`: why it
    cannot be read."""

    number: int
    fields: dict[str, Any]
    column: str | None = None
    wrong: str | None = None


class _Wrong(Exception):
    def __init__(self, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def read_csv(body: bytes) -> list[Row]:
    """Every row with something in it. Raises `Unreadable`."""
    reader = csv.reader(io.StringIO(_text(body), newline=""), strict=True)
    try:
        table = [(number, cells) for number, cells in enumerate(reader, 1) if any(cells)]
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: {error}") from None
    if not table:
        raise Unreadable("there is no header row")
    names = _header(table[0][1])
    return [_read(number, names, cells) for number, cells in table[1:]]


def read_geojson(body: bytes) -> list[Row]:
    """Every feature. Raises `Unreadable`."""
    try:
        features = parsed(body)["features"]
    except (ValueError, KeyError, TypeError):
        raise Unreadable("is no GeoJSON FeatureCollection") from None
    if not isinstance(features, list):
        raise Unreadable("`features` is no array")
    return [_read_feature(number, feature) for number, feature in enumerate(features, 1)]


def csv_header(columns: Sequence[str] = COLUMNS) -> str:
    """The first line of an export."""
    return _lines([columns])


def to_csv(sensors: Iterable[Sensor], told: Columns = EVERYTHING) -> str:
    """Lines of an export: what `read_csv` takes, but for what is not `told`."""
    rows = [_cells(one) for one in sensors]
    values = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
    batch = told.batch(dict(zip(COLUMNS, values, strict=True)))
    return _lines(
        ["" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row]
        for row in zip(*batch.values(), strict=True)
    )


def _cells(one: Sensor) -> tuple[Any, ...]:
    lon, lat = (one.location.lon, one.location.lat) if one.location else (None, None)
    metrics, retired = ";".join(one.metrics), "true" if one.retired else "false"
    return (one.sensor_id, one.name, metrics, lon, lat, retired)


def to_feature(sensor: Sensor) -> dict[str, Any]:
    """A sensor as a GeoJSON feature; geometry null without a location."""
    place = sensor.location
    geometry = {"type": "Point", "coordinates": [place.lon, place.lat]} if place else None
    properties = sensor.model_dump(mode="json", exclude={"location"})
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _text(body: bytes) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the text is neither UTF-8 nor GB18030")


def _header(cells: Sequence[str]) -> list[str]:
    names = [ALIASES.get(cell.strip().lower(), cell.strip().lower()) for cell in cells]
    for name, cell in zip(names, cells, strict=True):
        if name not in COLUMNS + COMPUTED:
            raise Unreadable(f"unknown column '{cell[:64]}'; known: {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise Unreadable(f"two columns are '{name}'")
    if "sensor_id" not in names:
        raise Unreadable("the column 'sensor_id' is missing")
    if ("lon" in names) != ("lat" in names):
        raise Unreadable("one of the columns 'lon' and 'lat' is missing")
    return names


def _read(number: int, names: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(names):
        return Row(number, {}, None, f"has {len(cells)} cells, the header has {len(names)}")
    said = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    fields: dict[str, Any] = {"sensor_id": said["sensor_id"]}
    try:
        if "name" in said:
            fields["name"] = said["name"]
        if "metrics" in said:
            fields["metrics"] = tuple(said["metrics"].translate(_SEPARATORS).split())
        if "lon" in said:
            fields["location"] = _location(said["lon"], said["lat"])
        if "retired" in said:
            fields["retired"] = _flag(said["retired"])
    except _Wrong as error:
        return Row(number, fields, error.column, str(error))
    return Row(number, fields)


def _location(lon: str, lat: str) -> dict[str, float] | None:
    if not lon and not lat:
        return None
    return {"lon": _degrees("lon", lon), "lat": _degrees("lat", lat)}


def _degrees(column: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise _Wrong(column, f"'{cell[:32]}' is no number of degrees") from None


def _flag(cell: str) -> bool:
    if cell.lower() in _TRUE:
        return True
    if cell.lower() in _FALSE:
        return False
    raise _Wrong("retired", f"'{cell[:32]}' is neither true nor false")


def _read_feature(number: int, feature: Any) -> Row:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return Row(number, {}, "properties", "is no feature with properties")
    named = {str(name): value for name, value in properties.items()}
    fields: dict[str, Any] = {ALIASES.get(name, name): value for name, value in named.items()}
    fields = {name: value for name, value in fields.items() if name not in COMPUTED}
    if isinstance(fields.get("metrics"), str):
        fields["metrics"] = fields["metrics"].translate(_SEPARATORS).split()
    if "sensor_id" not in fields and isinstance(feature.get("id"), str):
        fields["sensor_id"] = feature["id"]
    if "geometry" not in feature:
        return Row(number, fields)
    geometry = feature["geometry"]
    if geometry is None:
        return Row(number, fields | {"location": None})
    try:
        lon, lat = geometry["coordinates"][:2]
        if geometry["type"] != "Point":
            raise ValueError
    except (TypeError, KeyError, ValueError):
        return Row(number, fields, "geometry", "is no Point")
    return Row(number, fields | {"location": {"lon": _real(lon), "lat": _real(lat)}})


def _real(number: Any) -> Any:
    """JSON has one kind of number."""
    return float(number) if isinstance(number, int) and not isinstance(number, bool) else number


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
