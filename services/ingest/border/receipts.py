"""A receipt: an opaque, URL-safe token of the log positions that hold a batch. Pure."""

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from shared.eventlog.log import Position

_HEAD = struct.Struct(">B8s")  # version, digest of the log's incarnation
_PLACE = struct.Struct(">HQ")  # partition, offset
_SUM = struct.Struct(">I")
_VERSION = 1
MAX_LENGTH = 4096


class Garbage(ValueError):
    """This is no receipt of ours."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`life`: digest of the incarnation the positions belong to; `places`: (partition, offset)."""

    life: bytes
    places: tuple[tuple[int, int], ...]


def digest(incarnation: str) -> bytes:
    """What a receipt keeps of an incarnation."""
    return hashlib.sha256(incarnation.encode()).digest()[:8]


def encode(incarnation: str, positions: Sequence[Position]) -> str:
    """Positions → token."""
    body = _HEAD.pack(_VERSION, digest(incarnation)) + b"".join(
        _PLACE.pack(position.partition, position.offset) for position in positions
    )
    return base64.urlsafe_b64encode(body + _SUM.pack(crc32(body))).rstrip(b"=").decode()


def decode(token: str) -> Receipt:
    """Token → positions. Raises `Garbage`."""
    if len(token) > MAX_LENGTH:
        raise Garbage("too long")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Garbage("not base64") from error
    body, checksum = raw[: -_SUM.size], raw[-_SUM.size :]
    places = len(body) - _HEAD.size
    if places <= 0 or places % _PLACE.size or checksum != _SUM.pack(crc32(body)):
        raise Garbage("wrong checksum")
    version, life = _HEAD.unpack_from(body)
    if version != _VERSION:
        raise Garbage("of another version")
    found = tuple(_PLACE.iter_unpack(body[_HEAD.size :]))
    if any(offset >= 1 << 63 for _, offset in found):
        raise Garbage("impossible position")
    return Receipt(life, found)
