"""CloudEvents 1.0 → items. An event's `data` is one reading or an array of them. Pure.

An event that is wrong is one refused item; its neighbours in a batch are not touched. Attributes
that the specification does not name (extensions) are allowed and not kept.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from services.ingest.border.decode import Malformed, Refusal, split_array, split_items
from services.ingest.border.formats.parts import Part, Parts
from shared.contracts.reading import ItemCode

MAX_ATTRIBUTE = 256  # bytes of an id or a source, since both travel with the readings
_REQUIRED = ("specversion", "id", "source", "type")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_JSON = re.compile(r"^application/(.+\+)?json\s*(;|$)", re.IGNORECASE)


class Event(msgspec.Struct, gc=False):
    """The attributes that matter; whatever else an event has is skipped."""

    specversion: Any = None
    id: Any = None
    source: Any = None
    type: Any = None
    datacontenttype: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")
    data_base64: Any = None

    @property
    def trace(self) -> str:
        """What is kept of where it came from: `source`, a space, `id`."""
        return f"{self.source} {self.id}"


class BadHeaders(Exception):
    """The headers of an event in binary mode are wrong. `header`: the one at fault."""

    def __init__(self, header: str, detail: str) -> None:
        super().__init__(detail)
        self.header = header
        self.detail = detail


_event = msgspec.json.Decoder(Event)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_event(body: bytes) -> Parts:
    """An event in structured mode. Raises `Malformed`."""
    return Parts(_parts(body, "", alone=True))


def read_events(body: bytes) -> Parts:
    """A batch of events. Raises `Malformed`."""
    parts: list[Part] = []
    for index, raw in enumerate(split_array(body)):
        parts += _parts(raw, f"/{index}", alone=False)
    return Parts(parts)


def read_binary(headers: Mapping[str, bytes], body: bytes) -> Parts:
    """An event in binary mode: `headers` are its attributes by name, `body` is its data.

    Raises `BadHeaders` or `Malformed`.
    """
    attributes = {name: unquote(raw.decode("latin-1")) for name, raw in headers.items()}
    event = _event_of(attributes)
    flaw = _flaw(event)
    if flaw is not None:
        raise BadHeaders(flaw.field.removeprefix("/"), flaw.detail)
    return Parts(_data_parts(body, "", event.trace))


def _parts(raw: bytes, pointer: str, *, alone: bool) -> list[Part]:
    event = _decode(raw, alone=alone)
    flaw = event if isinstance(event, Refusal) else _flaw(event) or _data_flaw(event)
    if isinstance(event, Refusal) or flaw is not None:
        return [Part(raw, pointer, flaw)]
    if event.data_base64 is None:
        return _data_parts(bytes(event.data), f"{pointer}/data", event.trace)
    try:
        data = base64.b64decode(event.data_base64, validate=True)
        return _data_parts(data, f"{pointer}/data_base64", event.trace)
    except (binascii.Error, ValueError):
        flaw = Refusal("/data_base64", ItemCode.INVALID_VALUE, "this is not base64")
    except Malformed as error:
        flaw = Refusal("/data_base64", ItemCode.MALFORMED, f"not JSON: {error.detail}")
    return [Part(raw, pointer, flaw)]


def _decode(raw: bytes, *, alone: bool) -> Event | Refusal:
    try:
        return _event.decode(raw)
    except _UNREADABLE:
        pass
    # Not strictly JSON, such as NaN in a reading: that reading is refused, not the whole body.
    try:
        found = json.loads(raw.decode("utf-8"), parse_int=float)
    except RecursionError:
        return Refusal("", ItemCode.MALFORMED, "nested too deeply")
    except ValueError as error:
        position = getattr(error, "pos", getattr(error, "start", None))
        if alone:
            raise Malformed(f"{error}", position) from None
        return Refusal("", ItemCode.MALFORMED, f"not JSON: {error}"[:300])
    if not isinstance(found, dict):
        return Refusal("", ItemCode.INVALID_TYPE, "an event is a JSON object")
    event = _event_of(found)
    event.datacontenttype = found.get("datacontenttype")
    if "data" in found:
        event.data = msgspec.Raw(json.dumps(found["data"]).encode())
    event.data_base64 = found.get("data_base64")
    return event


def _event_of(attributes: Mapping[str, Any]) -> Event:
    event = Event()
    for name in _REQUIRED:
        setattr(event, name, attributes.get(name))
    return event


def _flaw(event: Event) -> Refusal | None:
    """What is wrong with the attributes."""
    for name in _REQUIRED:
        value = getattr(event, name)
        if value is None:
            return Refusal(f"/{name}", ItemCode.MALFORMED, "this attribute is required")
        if not isinstance(value, str):
            return Refusal(f"/{name}", ItemCode.INVALID_TYPE, "this attribute is a string")
        if _CONTROL.search(value) or not 0 < len(value.encode()) <= MAX_ATTRIBUTE:
            detail = f"1 to {MAX_ATTRIBUTE} bytes, none of them a control character"
            return Refusal(f"/{name}", ItemCode.INVALID_VALUE, detail)
    if event.specversion != "1.0":
        return Refusal("/specversion", ItemCode.INVALID_VALUE, "only CloudEvents 1.0 are taken")
    if " " in event.source:
        return Refusal("/source", ItemCode.INVALID_VALUE, "a source is a URI reference")
    return None


def _data_flaw(event: Event) -> Refusal | None:
    """What is wrong with what the event carries, as far as its envelope shows."""
    kind = event.datacontenttype
    if kind is not None and not (isinstance(kind, str) and _JSON.match(kind)):
        return Refusal("/datacontenttype", ItemCode.INVALID_VALUE, "data is application/json")
    if (event.data_base64 is None) == (not bytes(event.data)):
        detail = "an event has either `data` or `data_base64`"
        return Refusal("/data", ItemCode.MALFORMED, detail)
    if event.data_base64 is not None and not isinstance(event.data_base64, str):
        return Refusal("/data_base64", ItemCode.INVALID_TYPE, "this is a string")
    return None


def _data_parts(data: bytes, pointer: str, trace: str) -> list[Part]:
    """The items of an event's data. Raises `Malformed`."""
    if data.lstrip(b" \t\r\n")[:1] != b"[":
        return [Part(split_items(data, False)[0], pointer, None, trace)]
    items = split_items(data, True)
    if not items:
        return [Part(data, pointer, Refusal("", ItemCode.MALFORMED, "no reading"), trace)]
    return [Part(raw, f"{pointer}/{index}", None, trace) for index, raw in enumerate(items)]
