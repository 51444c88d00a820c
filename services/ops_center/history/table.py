"""An answer before it has a format: columns, and pages of rows. Pure."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "number", "count", "moment", "instant"]
Row = Sequence[Any]
Pages = AsyncGenerator[Sequence[Row], None]

QUALITIES = ("good", "suspect", "bad")  # by the number that the database keeps


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: `moment` is written with milliseconds, `instant` with all its microseconds."""

    name: str
    kind: Kind
    unit: str | None = None

    @property
    def header(self) -> str:
        """The name with the unit, for tables that people open."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """`meta`: what holds for the whole answer. `constants`: columns that have one value in all
    rows: forms without a head repeat them in every row. `place`: WGS 84 of all rows, unless the
    rows have columns `lon` and `lat`."""

    meta: Mapping[str, Any]
    columns: Sequence[Column]
    pages: Pages
    constants: Mapping[str, str] = field(default_factory=dict)
    place: tuple[float, float] | None = None
    geographic: bool = True

    @property
    def flat_columns(self) -> list[Column]:
        """Constants first."""
        return [*(Column(name, "text") for name in self.constants), *self.columns]
