"""What is set aside instead of stored, and why. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from shared.contracts.reading import ItemCode

WHOLE_RECORD = -1  # the index of a record that could not be split into items


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row of the quarantine. `item`: JSON, as it came."""

    topic: str
    partition: int
    offset: int
    index: int
    source: str
    code: ItemCode
    detail: str
    item: Any


def as_json(raw: bytes) -> Any:
    """Bytes as what the quarantine can keep: JSON if they are, else the text as a string."""
    try:
        value = _without_nul(json.loads(raw.decode("utf-8")))
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return value


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
