"""What a door finds in a payload: items for the intake. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.ingest.border.decode import Refusal, Wire, read_item
from shared.clock import from_micros
from shared.contracts.reading import ItemCode, parse_moment


@dataclass(frozen=True, slots=True)
class Found:
    """One item. `raw`: the part of the payload that stands for it, readable by the same door on
    its own; `pointer`: where it lies; `places`: member of a reading → pointer to what it was read
    from; `reading`: as far as it could be made; `refusal`: why no further."""

    raw: Any
    pointer: str
    reading: dict[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None
    places: Mapping[str, str] = field(default_factory=dict)


class Adapted:
    """`Items` of another format. `ignored`: pointers to what is no reading."""

    def __init__(self, found: Sequence[Found], ignored: Sequence[str] = ()) -> None:
        self.found = found
        self.ignored = ignored

    def __len__(self) -> int:
        return len(self.found)

    def items(self, start: int, stop: int) -> Iterator[Wire | Refusal]:
        """Items `start` … `stop`, read as strictly as everybody's."""
        return (one.refusal or read_item(_encode(one.reading)) for one in self.found[start:stop])

    def raw(self, index: int) -> bytes:
        """What stands for the item."""
        return _encode(self.found[index].raw)

    def reading(self, index: int) -> bytes:
        """The item as a reading, as far as it could be made one."""
        return _encode(self.found[index].reading)

    def pointer(self, index: int, field: str) -> str:
        """Where in the payload the item, or a member of it, was read from."""
        one = self.found[index]
        return one.places.get(field, one.pointer)


def wrong(code: ItemCode, detail: str, field: str = "") -> Refusal:
    """A refusal of a door's own."""
    return Refusal(field, code, detail[:300])


def part(name: object) -> str:
    """A member's name as a part of a JSON pointer."""
    return "/" + str(name)[:200].replace("~", "~0").replace("/", "~1")


def moment(text: object, utc_offset: str | None) -> object:
    """A time as a reading has it: the end of an interval; with `utc_offset` where it has none.
    What is no time is returned as it is, for the reading's own rules to refuse."""
    if not isinstance(text, str):
        return text
    end = text.rpartition("/")[2].strip()
    if utc_offset is None or _is_aware(end):
        return end
    return end + utc_offset


def written(micros: int) -> str:
    """A time of our own as a reading has it."""
    made: datetime = from_micros(micros)
    return made.isoformat()


def number(value: object) -> object:
    """A number that came as a text is a number, as IoT agents send it; all else stays."""
    if isinstance(value, str):
        try:
            made = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return made if isinstance(made, int | float) and not isinstance(made, bool) else value
    return value


def _is_aware(text: str) -> bool:
    try:
        parse_moment(text)
    except ValueError:
        return False
    return True


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
