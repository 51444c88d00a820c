"""Items that were found one by one, each at its own place in what came in. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.ingest.border.decode import Refusal, Wire, read_item
from shared.contracts.reading import Reading


@dataclass(frozen=True, slots=True)
class Part:
    """An item. `pointer`: where it lies; `flaw`: why it cannot be read; `trace`: see `Batch`."""

    raw: bytes
    pointer: str
    flaw: Refusal | None = None
    trace: str = ""


class Parts:
    """`decode.Items` of such parts."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    def items(self, start: int, stop: int) -> Iterator[Wire | Refusal]:
        """Items `start` … `stop`, read."""
        return (part.flaw or read_item(part.raw) for part in self._parts[start:stop])

    def raw(self, index: int) -> bytes:
        """The item as it came."""
        return self._parts[index].raw

    def pointer(self, index: int, field: str) -> str:
        """Where the item, or a member of it, lies in the body."""
        return self._parts[index].pointer + field

    @property
    def traced(self) -> bool:
        """True if any item came in an event."""
        return any(part.trace for part in self._parts)

    def trace(self, readings: Sequence[Reading]) -> str:
        """Which events the readings came in, a line each: the index of its first reading here,
        its source, its id. "" if they came in none."""
        found: dict[str, int] = {}
        for reading in readings:
            found.setdefault(self._parts[reading.index].trace, reading.index)
        return "\n".join(f"{index} {trace}" for trace, index in found.items() if trace)
