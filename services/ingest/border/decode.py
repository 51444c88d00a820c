"""Bytes of a body → items, each read on its own merits. Pure.

The fast decoder is strict; whatever it refuses is put to the contract itself (`ReadingIn`), which
either takes it or says what is wrong. So both accept exactly the same items; the one thing the
fast decoder leaves open, the spelling of `sensor_id` and `metric`, is decided by the registry.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec
from pydantic import ValidationError

from shared.contracts.reading import ItemCode, ReadingIn


class Wire(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`ReadingIn`, for the fast decoder."""

    sensor_id: str
    metric: str
    observed_at: Annotated[datetime, msgspec.Meta(tz=True)]
    value: float
    quality: Literal["good", "suspect", "bad"] = "good"
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item is refused. `field`: JSON pointer inside the item, "" for all of it."""

    field: str
    code: ItemCode
    detail: str


class Malformed(Exception):
    """The body is not JSON at all. `position`: byte at which that shows, None if unknown."""

    def __init__(self, detail: str, position: int | None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class Items(Protocol):
    """What a door makes of whatever came in: items to be judged one by one."""

    def __len__(self) -> int: ...

    def items(self, start: int, stop: int) -> Iterator[Wire | Refusal]:
        """Items `start` … `stop`, read."""
        ...

    def raw(self, index: int) -> bytes:
        """The item as it came, JSON if it was."""
        ...

    def pointer(self, index: int, field: str) -> str:
        """JSON pointer into what came in, to the member `field` ("" for all) of an item."""
        ...


class Body:
    """A decoded body: either `wires` (every item read) or `raws` (each to be read alone). Items can
    be had once, in order: thousands wait for the log at a time, and what is let go at once stays
    in the cache."""

    def __init__(self, body: bytes, is_array: bool, wires: list[Wire] | None) -> None:
        self.is_array = is_array
        self._body = body
        self._wires = wires
        self._raws = [] if wires is not None else split_items(body, is_array)
        self._count = len(self._raws if wires is None else wires)

    def __len__(self) -> int:
        return self._count

    def raw(self, index: int) -> bytes:
        """The item as it came."""
        if not self._raws:
            self._raws = split_items(self._body, self.is_array)
        return self._raws[index]

    def pointer(self, index: int, field: str) -> str:
        """Where the item, or a member of it, lies in the body."""
        return f"/{index}{field}" if self.is_array else field

    def items(self, start: int, stop: int) -> Iterator[Wire | Refusal]:
        """Items `start` … `stop`, read."""
        if self._wires is not None:
            given = self._count - len(self._wires)
            some = self._wires[start - given : stop - given]
            del self._wires[: stop - given]
            return iter(some)
        return (read_item(raw) for raw in self._raws[start:stop])


_encoder = msgspec.json.Encoder()
_one = msgspec.json.Decoder(Wire)
_all = msgspec.json.Decoder(list[Wire])
_split = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder(msgspec.Raw)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_POSITION = re.compile(r"\(byte (\d+)\)")
_WHITE = b" \t\r\n"
_CODES = {
    "json_invalid": ItemCode.MALFORMED,
    "missing": ItemCode.MALFORMED,
    "model_type": ItemCode.INVALID_TYPE,
    "extra_forbidden": ItemCode.UNKNOWN_FIELD,
    "finite_number": ItemCode.INVALID_VALUE,
    "datetime_type": ItemCode.INVALID_TYPE,
    "string_type": ItemCode.INVALID_TYPE,
    "float_type": ItemCode.INVALID_TYPE,
    "bool_type": ItemCode.INVALID_TYPE,
    "enum": ItemCode.INVALID_VALUE,
}


def read_body(body: bytes) -> Body:
    """One object or an array of them. Raises `Malformed`."""
    is_array = body.lstrip(_WHITE)[:1] == b"["
    try:
        if is_array:
            return Body(body, True, _all.decode(body))
        return Body(body, False, [_one.decode(body)])
    except _UNREADABLE:
        return Body(body, is_array, None)


def read_one(raw: bytes) -> Wire | None:
    """One item, if the fast decoder takes it; None: `read_item` says what it is."""
    try:
        return _one.decode(raw)
    except _UNREADABLE:
        return None


def read_item(raw: bytes) -> Wire | Refusal:
    """One item: read, or refused with a reason."""
    wire = read_one(raw)
    if wire is not None:
        return wire
    try:
        item = ReadingIn.model_validate_json(raw)
    except ValidationError as error:
        return _refusal(error)
    return Wire(
        item.sensor_id, item.metric, item.observed_at, item.value, item.quality.value, item.replace
    )


def spelling(wire: Wire) -> Refusal | None:
    """What the contract says against an item that the fast decoder has taken."""
    try:
        ReadingIn.model_validate_json(_encoder.encode(wire))
    except ValidationError as error:
        return _refusal(error)
    return None


def split_array(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each as it came. Raises `Malformed`, also for no array."""
    if body.lstrip(_WHITE)[:1] != b"[":
        split_items(body, False)
        raise Malformed("an array was expected at byte 0", 0)
    return split_items(body, True)


def split_items(body: bytes, is_array: bool) -> list[bytes]:
    """The items of a body, each as it came. Raises `Malformed`."""
    try:
        if is_array:
            return [bytes(raw) for raw in _split.decode(body)]
        _any.decode(body)
    except RecursionError:
        raise Malformed("nested too deeply", None) from None
    except msgspec.DecodeError as error:
        return _split_leniently(body, _malformed(error, body))
    return [body]


def _split_leniently(body: bytes, malformed: Malformed) -> list[bytes]:
    """NaN, Infinity and lone surrogates are no JSON, yet spoil only the item they stand in."""
    try:
        value = json.loads(body.decode("utf-8"), parse_int=float)
        items = value if isinstance(value, list) else [value]
        return [json.dumps(item).encode() for item in items]
    except (ValueError, RecursionError):
        raise malformed from None


def _malformed(error: msgspec.DecodeError, body: bytes) -> Malformed:
    found = _POSITION.search(str(error))
    position = int(found.group(1)) if found else len(body)
    reason = _POSITION.sub("", str(error)).removeprefix("JSON is malformed: ").strip()
    return Malformed(f"{reason} at byte {position}", position)


def _refusal(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = "".join(f"/{_escape(str(part))}" for part in first["loc"][:1])
    code = _CODES.get(first["type"], ItemCode.INVALID_VALUE)
    if code is ItemCode.UNKNOWN_FIELD:
        return Refusal(field, code, "this field is not part of a reading")
    detail = first["msg"].removeprefix("Value error, ")
    return Refusal(field, code, detail[:300])


def _escape(part: str) -> str:
    clean = part[:64].encode("utf-8", "replace").decode()
    return clean.replace("~", "~0").replace("/", "~1")
