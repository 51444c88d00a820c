"""The same readings in every format that the border takes."""

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import zstandard

from services.ingest.border.decode import Items
from services.ingest.border.formats.media import Format
from services.ingest.border.formats.read import read_format
from services.ingest.border.formats.unpack import unpack

EVENT = {"specversion": "1.0", "id": "e-1", "source": "urn:gauges", "type": "reading"}
BINARY = {"specversion": b"1.0", "id": b"e-1", "source": b"urn:gauges", "type": b"reading"}
LIMIT = 1_000_000

Encode = Callable[[Sequence[Any]], bytes]


def _event(item: Any, number: int, **more: Any) -> dict[str, Any]:
    return EVENT | {"id": f"e-{number}", "data": item, "colour": "red", **more}


def _lines(items: Sequence[Any]) -> bytes:
    return b"\n".join(json.dumps(item).encode() for item in items)


def _in_base64(item: Any, number: int) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(item).encode()).decode()
    return EVENT | {"id": f"e-{number}", "data_base64": data}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


FORMATS: dict[str, tuple[Format, Encode]] = {
    "array": (Format.JSON, _json),
    "lines": (Format.LINES, _lines),
    "spaced lines": (Format.LINES, lambda items: b"\n\r\n" + _lines(items) + b"\r\n \n"),
    "event with an array": (Format.EVENT, lambda items: _json(_event(items, 1))),
    "events": (
        Format.EVENTS,
        lambda items: _json([_event(item, n) for n, item in enumerate(items)]),
    ),
    "base64 events": (
        Format.EVENTS,
        lambda items: _json([_in_base64(item, n) for n, item in enumerate(items)]),
    ),
    "binary": (Format.BINARY, _json),
}
PACKINGS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def through(form: Format, coding: str | None, body: bytes) -> Items:
    """`body`, packed, unpacked and read."""
    packed = PACKINGS[coding](body)
    found = packed if coding is None else unpack(packed, coding, LIMIT)
    assert found is not None
    return read_format(form, BINARY if form is Format.BINARY else {}, found)
