"""A record of `city.inbox` → items: JSON or a CloudEvent, one or an array, packed or not. Pure.

Its headers say what it is, as over HTTP (`content-type`, `content-encoding`; `ce_…` for the binary
mode of CloudEvents' Kafka binding). Without `content-type` an attribute `specversion` tells an
event from a reading.
"""

from collections.abc import Sequence

import msgspec

from services.ingest.border.decode import Items, Malformed, read_body
from services.ingest.border.formats.cloudevents import BadHeaders
from services.ingest.border.formats.media import (
    Format,
    Unsupported,
    attributes_of,
    coding_of,
    format_of,
)
from services.ingest.border.formats.parts import Parts
from services.ingest.border.formats.read import read_format
from services.ingest.border.formats.unpack import Corrupt, unpack


class _Probe(msgspec.Struct):
    specversion: msgspec.Raw | None = None


_one = msgspec.json.Decoder(_Probe)
_all = msgspec.json.Decoder(list[_Probe])


class Unreadable(Exception):
    """The record as a whole holds nothing that could be read."""


def read_record(headers: Sequence[tuple[str, bytes]], value: bytes, limit: int) -> Items:
    """`limit`: bytes that it may unpack to. Raises `Unreadable`."""
    known = {name.lower().encode(): content for name, content in headers}
    try:
        coding = coding_of(known)
        found = value if coding is None else unpack(value, coding, limit)
        if found is None:
            raise Unreadable(f"unpacks to more than {limit} bytes")
        form, attributes = _format(known, found), attributes_of(known, b"ce_")
        return read_body(found) if form is Format.JSON else read_format(form, attributes, found)
    except Malformed as error:
        raise Unreadable(f"not JSON: {error.detail}") from None
    except BadHeaders as error:
        raise Unreadable(f"header ce_{error.header}: {error.detail}") from None
    except (Unsupported, Corrupt) as error:
        raise Unreadable(error.detail) from None


def trace_of(items: Items) -> "Parts | None":
    """What knows the events the items came in; None if they came in none."""
    return items if isinstance(items, Parts) and items.traced else None


def _format(headers: dict[bytes, bytes], value: bytes) -> Format:
    if b"content-type" in headers:
        form = format_of(headers)
        return Format.BINARY if form is Format.JSON and b"ce_specversion" in headers else form
    if b"ce_specversion" in headers:
        return Format.BINARY
    return _sniffed(value) if b'"specversion"' in value else Format.JSON


def _sniffed(value: bytes) -> Format:
    try:
        if value.lstrip(b" \t\r\n")[:1] == b"[":
            probes = _all.decode(value)
            return Format.EVENTS if any(p.specversion is not None for p in probes) else Format.JSON
        return Format.EVENT if _one.decode(value).specversion is not None else Format.JSON
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Format.EVENTS if value.lstrip(b" \t\r\n")[:1] == b"[" else Format.EVENT
