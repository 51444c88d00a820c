"""Which format a post has, by its headers. Pure."""

from collections.abc import Mapping
from enum import Enum

JSON = b"application/json"
_ZIPPED = {b"gzip": "gzip", b"x-gzip": "gzip", b"zstd": "zstd"}
_BINARY = frozenset((b"ce-specversion", b"ce-id", b"ce-source", b"ce-type"))
_UTF8 = {b"utf-8", b"utf8", b"us-ascii"}


class Format(Enum):
    """What a body is, once it is unpacked; the value names it in problems and documents."""

    JSON = "application/json"
    LINES = "application/x-ndjson"
    EVENT = "application/cloudevents+json"
    EVENTS = "application/cloudevents-batch+json"
    BINARY = "application/json with ce-* headers"


ACCEPTED = ", ".join(form.value for form in Format if form is not Format.BINARY)
_FORMATS = {
    JSON: Format.JSON,
    b"application/x-ndjson": Format.LINES,
    b"application/ndjson": Format.LINES,
    b"application/jsonl": Format.LINES,
    b"application/cloudevents+json": Format.EVENT,
    b"application/cloudevents-batch+json": Format.EVENTS,
}


class Unsupported(Exception):
    """A type or coding that is not taken. `coding`: it is the coding."""

    def __init__(self, detail: str, coding: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.coding = coding


def is_plain(headers: Mapping[bytes, bytes]) -> bool:
    """True for the hot path: JSON as it is, without an `Idempotency-Key`."""
    return (
        headers.get(b"content-type") == JSON
        and b"content-encoding" not in headers
        and b"idempotency-key" not in headers
        and _BINARY.isdisjoint(headers)
    )


def is_stream(headers: Mapping[bytes, bytes]) -> bool:
    """True for lines, which may be any number."""
    kind = headers.get(b"content-type", b"")
    return kind != JSON and _FORMATS.get(kind.lower().split(b";")[0].strip()) is Format.LINES


def format_of(headers: Mapping[bytes, bytes]) -> Format:
    """The format of a body with these headers (lower-case names). Raises `Unsupported`."""
    kind, *parameters = headers.get(b"content-type", b"").lower().split(b";")
    found = _FORMATS.get(kind.strip())
    if found is None:
        raise Unsupported(f"Send readings as one of: {ACCEPTED}.")
    charsets = {p.split(b"=")[1].strip(b' "') for p in parameters if p.strip()[:8] == b"charset="}
    if charsets - _UTF8:
        raise Unsupported("Send readings in UTF-8.")
    if found is Format.JSON and not _BINARY.isdisjoint(headers):
        return Format.BINARY
    return found


def coding_of(headers: Mapping[bytes, bytes]) -> str | None:
    """ "gzip", "zstd", or None for a body that is sent as it is. Raises `Unsupported`."""
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding == b"identity":
        return None
    if coding not in _ZIPPED:
        raise Unsupported("A body may be packed with one of: gzip, zstd.", coding=True)
    return _ZIPPED[coding]


def attributes_of(headers: Mapping[bytes, bytes], prefix: bytes) -> dict[str, bytes]:
    """Attributes of an event in binary mode: the headers that begin with `prefix`, without it."""
    return {
        name[len(prefix) :].decode("latin-1"): value
        for name, value in headers.items()
        if name.startswith(prefix)
    }
