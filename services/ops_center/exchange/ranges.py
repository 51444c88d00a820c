"""Which bytes of a part a request wants (RFC 9110, 14). Pure."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """From `first` to `last`, inclusive; `partial`: not all."""

    first: int
    last: int
    partial: bool


class NotSatisfiable(ValueError):
    """The range begins behind the end."""


def wanted(size: int, asked: str | None, condition: str | None, etag: str) -> Wanted:
    """`asked`: the header Range; `condition`: If-Range. What is no single range of bytes, or of
    another version, gives all."""
    whole = Wanted(0, size - 1, False)
    found = _ONE.match(asked or "")
    if found is None or found[0] == "bytes=-" or (condition is not None and condition != etag):
        return whole
    if not found[1]:
        return Wanted(max(0, size - int(found[2])), size - 1, True)
    first, last = int(found[1]), min(int(found[2] or size), size - 1)
    if first >= size:
        raise NotSatisfiable
    return Wanted(first, last, True) if first <= last else whole
