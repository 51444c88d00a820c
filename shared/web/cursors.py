"""Cursors of lists: opaque to clients, the key of the last item to us. Pure."""

import base64
import binascii

from shared.web.problems import Problem


def to_cursor(key: str) -> str:
    """Key → cursor."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def from_cursor(cursor: str | None) -> str | None:
    """Cursor → key. `Problem` 422 for what is no cursor of ours."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = raw.decode()
    except (binascii.Error, ValueError):
        raise wrong_cursor() from None
    if not key or "\0" in key:
        raise wrong_cursor()
    return key


def number_of(cursor: str | None) -> int | None:
    """A cursor whose key is a number."""
    key = from_cursor(cursor)
    if key is None:
        return None
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise wrong_cursor()
    return int(key)


def wrong_cursor() -> Problem:
    """422: a cursor that this list has not made."""
    return Problem(422, "Invalid request", "/cursor: not a cursor of this list", code="cursor")
