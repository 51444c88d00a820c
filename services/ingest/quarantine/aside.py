"""What is set aside instead of stored, and why. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from shared.contracts.reading import ItemCode

WHOLE_RECORD = -1  # the index of a record that could not be split into items


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row of the quarantine. `item`: JSON, as it came, in the format of the door `format`;
    `reading`: what the door has made of it, None where `item` itself is one."""

    topic: str
    partition: int
    offset: int
    index: int
    source: str
    code: ItemCode
    detail: str
    item: Any
    format: str = "reading"
    reading: dict[str, Any] | None = None


def as_json(raw: bytes) -> Any:
    """Bytes as what the quarantine can keep: JSON if they are, else the text as a string."""
    try:
        return keepable(json.loads(raw.decode("utf-8")))
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def keepable(value: Any) -> Any:
    """`value` as the database's JSON can hold it. Raises ValueError for what it cannot: NaN,
    infinity, half a surrogate pair."""
    made = _without_nul(value)
    json.dumps(made, ensure_ascii=False, allow_nan=False).encode()
    return made


def readable(text: str) -> str:
    """A text as the database can hold it: no NUL character, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _without_nul(value: Any) -> Any:
    """The database's JSON has no NUL character."""
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case list():
            return [_without_nul(part) for part in value]
        case dict():
            return {_without_nul(name): _without_nul(part) for name, part in value.items()}
        case _:
            return value
