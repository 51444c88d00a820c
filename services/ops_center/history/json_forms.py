"""JSON, NDJSON and GeoJSON (RFC 7946) of a table, page by page."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.ops_center.history.table import Column, Row, Table
from services.ops_center.view import rfc3339

_encoder = msgspec.json.Encoder()


async def json_form(table: Table) -> AsyncGenerator[bytes, None]:
    """One object: what holds for all, and `items`."""
    objects = _maker(table.columns)
    yield _opened(table.meta, "items")
    first = True
    async for rows in table.pages:
        yield _listed(objects(rows), first=first)
        first = first and not rows
    yield b"]}"


async def ndjson_form(table: Table) -> AsyncGenerator[bytes, None]:
    """An object per line."""
    objects, constants = _maker(table.columns), dict(table.constants)
    async for rows in table.pages:
        yield _encoder.encode_lines([constants | one for one in objects(rows)])


async def geojson_form(table: Table) -> AsyncGenerator[bytes, None]:
    """A feature per row; its geometry is the sensor's point, null for one without a place."""
    features = _feature_maker(table)
    yield _opened({"type": "FeatureCollection"} | dict(table.meta), "features")
    first = True
    async for rows in table.pages:
        yield _listed(features(rows), first=first)
        first = first and not rows
    yield b"]}"


def _opened(meta: Any, name: str) -> bytes:
    head = _encoder.encode(meta)[:-1]
    return head + (b"," if len(head) > 1 else b"") + b'"' + name.encode() + b'":['


def _listed(objects: Sequence[Any], *, first: bool) -> bytes:
    if not objects:
        return b""
    return (b"" if first else b",") + _encoder.encode(objects)[1:-1]


def _maker(columns: Sequence[Column]) -> Callable[[Iterable[Row]], list[dict[str, Any]]]:
    """Rows → objects."""
    names = [column.name for column in columns]
    moments = [(n, c.kind == "instant") for n, c in enumerate(columns) if c.kind in _TIMES]

    def objects(rows: Iterable[Row]) -> list[dict[str, Any]]:
        made = []
        for row in rows:
            values = list(row)
            for number, exact in moments:
                if values[number] is not None:
                    values[number] = (_exact if exact else rfc3339)(values[number].astimezone(UTC))
            made.append(dict(zip(names, values, strict=True)))
        return made

    return objects


def _feature_maker(table: Table) -> Callable[[Iterable[Row]], list[dict[str, Any]]]:
    objects, constants = _maker(table.columns), dict(table.constants)
    own = any(column.name == "lon" for column in table.columns)
    place = table.place

    def features(rows: Iterable[Row]) -> list[dict[str, Any]]:
        made = []
        for one in objects(rows):
            point = (one.pop("lon"), one.pop("lat")) if own else place
            known = point is not None and None not in point
            geometry = {"type": "Point", "coordinates": point} if known else None
            made.append({"type": "Feature", "geometry": geometry, "properties": constants | one})
        return made

    return features


_TIMES = ("moment", "instant")


def _exact(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
