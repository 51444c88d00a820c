"""A receipt: an opaque, URL-safe token of where in the log a request's readings lie. Pure."""

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

_HEAD = struct.Struct(">B8s")  # version, digest of the log's incarnation
_SPAN = struct.Struct(">II")  # since version 2: index of the request's first item, how many it has
_PLACE = struct.Struct(">HQ")  # partition, offset
_SHORT = struct.Struct(">B8sIIHQ")  # head, span and one place
_SUM = struct.Struct(">I")
_ALONE, _SHARED = 1, 2  # versions: records of its own, or records that other requests are in too
MAX_LENGTH = 4096
EVERY = 1 << 31


class Garbage(ValueError):
    """This is no receipt of ours."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`life`: digest of the incarnation the positions belong to; `places`: (partition, offset).

    The request's items are those of index `first` … `first + count - 1` there.
    """

    life: bytes
    places: tuple[tuple[int, int], ...]
    first: int = 0
    count: int = EVERY

    def own(self, index: int) -> int | None:
        """The request's own number of an item of these records; None if it is another's.
        What is negative stands for a record as a whole."""
        if index < 0:
            return index
        return index - self.first if 0 <= index - self.first < self.count else None


@lru_cache(maxsize=8)
def digest(incarnation: str) -> bytes:
    """What a receipt keeps of an incarnation."""
    return hashlib.sha256(incarnation.encode()).digest()[:8]


def encode(
    incarnation: str, places: Iterable[tuple[int, int]], first: int = 0, count: int = EVERY
) -> str:
    """(partition, offset) of each record, and which of their items are the request's → token."""
    body = b"".join([_PLACE.pack(*place) for place in places])
    if first == 0 and count == EVERY:
        body = _HEAD.pack(_ALONE, digest(incarnation)) + body
    else:
        body = _HEAD.pack(_SHARED, digest(incarnation)) + _SPAN.pack(first, count) + body
    return _seal(body)


def encode_one(incarnation: str, partition: int, offset: int, first: int, count: int) -> str:
    """The same for a single record that is shared: nearly every small request's."""
    return _seal(_SHORT.pack(_SHARED, digest(incarnation), first, count, partition, offset))


def _seal(body: bytes) -> str:
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
    if len(body) < _HEAD.size + _PLACE.size or checksum != _SUM.pack(crc32(body)):
        raise Garbage("wrong checksum")
    version, life = _HEAD.unpack_from(body)
    if version == _ALONE:
        return Receipt(life, _places(body[_HEAD.size :]))
    if version != _SHARED:
        raise Garbage("of another version")
    first, count = _SPAN.unpack_from(body, _HEAD.size)
    return Receipt(life, _places(body[_HEAD.size + _SPAN.size :]), first, count)


def _places(packed: bytes) -> tuple[tuple[int, int], ...]:
    if not packed or len(packed) % _PLACE.size:
        raise Garbage("impossible length")
    found = tuple(_PLACE.iter_unpack(packed))
    if any(offset >= 1 << 63 for _, offset in found):
        raise Garbage("impossible position")
    return found
