"""NDJSON: one reading a line, in a stream of any length. Pure.

Lines are numbered from 0, blank ones not counted, and a pointer reads as if they were the elements
of an array: `/17/value` is the member `value` of item 17.
"""

from collections.abc import Iterator

from services.ingest.border.decode import Refusal
from services.ingest.border.formats.parts import Part
from shared.contracts.reading import ItemCode

MAX_LINE_BYTES = 64 * 1024
_WHITE = b" \t\r"
_TOO_LONG = Refusal("", ItemCode.TOO_LARGE, f"a line has at most {MAX_LINE_BYTES} bytes")
_KEPT_OF_LONG = 200


class Lines:
    """Cuts a stream into numbered items."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._too_long = False
        self._count = 0

    def feed(self, data: bytes) -> Iterator[Part]:
        """The items that end in `data`."""
        *whole, last = data.split(b"\n")
        for line in whole:
            yield from self._end(line)
        self._grow(last)

    def end(self) -> Iterator[Part]:
        """The last item, where no line break follows it."""
        yield from self._end(b"")

    def _grow(self, data: bytes) -> None:
        if not self._too_long:
            self._begun += data
        if len(self._begun) > MAX_LINE_BYTES:
            del self._begun[_KEPT_OF_LONG:]
            self._too_long = True

    def _end(self, rest: bytes) -> Iterator[Part]:
        self._grow(rest)
        line, flaw = bytes(self._begun).strip(_WHITE), _TOO_LONG if self._too_long else None
        self._begun.clear()
        self._too_long = False
        if line or flaw is not None:
            yield Part(line, f"/{self._count}", flaw)
            self._count += 1


def read_lines(body: bytes) -> list[Part]:
    """Every item of a body that is held as a whole."""
    lines = Lines()
    return [*lines.feed(body), *lines.end()]
