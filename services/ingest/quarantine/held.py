"""An item of the quarantine as work on it sees it. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["mended", "restored", "replayed", "refused", "discarded"]


@dataclass(frozen=True, slots=True)
class Held:
    """See the table. `mended` None: nobody has mended it."""

    id: int
    version: int
    source: str
    state: str
    code: str
    detail: str
    format: str
    item: Any
    reading: dict[str, Any] | None
    mended: Any
    receipt: str | None

    @property
    def as_reading(self) -> Any:
        """What a rule mends: the item as a reading; None if its door could make none of it."""
        if self.mended is not None:
            return self.mended
        return self.item if self.format == "reading" else self.reading


@dataclass(frozen=True, slots=True)
class Change:
    """`held` as it is to be (of the version it was read in), and what its history will say."""

    held: Held
    action: Action
    note: str = ""
