"""gzip and zstd, unpacked piece by piece, so that no body grows beyond what its reader allows."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

_PIECE = 64 * 1024
# zstd has no bound on what one call puts out. A block needs four bytes and unpacks to 128 KiB at
# most, so this many bytes are 8 MiB at the very worst.
_ZSTD_FEED = 256
_ZSTD_WINDOW = 8 * 1024 * 1024  # what `zstd` uses up to level 19, and what RFC 9659 allows


class Corrupt(Exception):
    """This is not what the coding promised. `position`: packed bytes read when it showed."""

    def __init__(self, detail: str, position: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class Unpacker(Protocol):
    """Takes packed bytes in, in any portions."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` unpacks to, in bounded pieces. Raises `Corrupt`."""
        ...

    def end(self) -> None:
        """Nothing more comes. Raises `Corrupt` when something is missing."""
        ...


def unpacker(coding: str | None) -> Unpacker:
    """For "gzip" or "zstd"; None: bytes pass as they are."""
    match coding:
        case "gzip":
            return _Gzip()
        case "zstd":
            return _Zstd()
        case _:
            return _Plain()


def unpack(data: bytes, coding: str, limit: int) -> bytes | None:
    """All at once; None when it is more than `limit` bytes. Raises `Corrupt`."""
    source, found = unpacker(coding), bytearray()
    for piece in source.feed(data):
        if len(found) + len(piece) > limit:
            return None
        found += piece
    source.end()
    return bytes(found)


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def end(self) -> None:
        return


class _Gzip:
    """One or more members, one after the other."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._position = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            try:
                piece = self._member.decompress(data, _PIECE)
            except zlib.error as error:
                raise Corrupt(f"not gzip ({error})", self._position) from None
            rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._position += len(data) - len(rest)
            data = rest
            yield piece

    def end(self) -> None:
        if not self._member.eof:
            raise Corrupt("the gzip data breaks off", self._position)


class _Zstd:
    """One or more frames, one after the other."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._context.decompressobj()
        self._position = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_FEED):
            some = data[start : start + _ZSTD_FEED]
            while some:
                if self._frame.eof:
                    self._frame = self._context.decompressobj()
                try:
                    piece = self._frame.decompress(some)
                except zstandard.ZstdError as error:
                    raise Corrupt(f"not zstd ({error})", self._position) from None
                rest = self._frame.unused_data if self._frame.eof else b""
                self._position += len(some) - len(rest)
                some = rest
                yield piece

    def end(self) -> None:
        if not self._frame.eof:
            raise Corrupt("the zstd data breaks off", self._position)
