"""Which columns of which dataset an export shows to a clearance. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.ops_center.exchange.order import Dataset
from services.ops_center.history import exports
from services.ops_center.history.table import Column, Kind, Row
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.disclosure.disclose import AS_IT_IS, Columns, columns

COLUMNS: Mapping[Dataset, tuple[Column, ...]] = {
    "readings": exports.COLUMNS,
    "sensors": (
        Column("sensor_id", "text"),
        Column("name", "text"),
        Column("metrics", "text"),
        Column("lon", "number"),
        Column("lat", "number"),
        Column("area_id", "text"),
        Column("retired", "text"),
        Column("updated_at", "instant"),
    ),
    "incidents": (
        Column("id", "text"),
        Column("title", "text"),
        Column("kind", "text"),
        Column("state", "text"),
        Column("grade", "count"),
        Column("priority", "count"),
        Column("category", "text"),
        Column("area_id", "text"),
        Column("rule_id", "text"),
        Column("metric", "text"),
        Column("value", "number"),
        Column("department", "text"),
        Column("opened_at", "instant"),
        Column("observed_at", "instant"),
        Column("updated_at", "instant"),
    ),
}
OF_ROWS = ("observed_at", "value", "quality")  # of readings: the others are the same in a series
_STEPS_US = {"hour": 3_600_000_000, "day": 86_400_000_000}


@dataclass(frozen=True)
class Shape:
    """`plan`: what becomes of each column."""

    dataset: Dataset
    plan: Columns

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Those that are shown."""
        return tuple(one for one in COLUMNS[self.dataset] if one.name in self.plan.kept)

    @property
    def names(self) -> list[str]:
        """Of the columns that are shown."""
        return [column.name for column in self.columns]

    @property
    def step_us(self) -> int | None:
        """To what readings' times are rounded down; None: they are exact."""
        return _STEPS_US.get(self.plan.treatments.get("observed_at", AS_IT_IS))

    def kind(self, name: str) -> Kind:
        """Of a column."""
        return next(one.kind for one in self.columns if one.name == name)

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """Full rows → what is told of them."""
        if self.plan.open or not rows:
            return list(rows)
        names = [column.name for column in COLUMNS[self.dataset]]
        told = self.plan.batch(dict(zip(names, zip(*rows, strict=True), strict=True)))
        return list(zip(*(told[name] for name in self.names), strict=True))


def shape_of(declaration: Declaration, dataset: Dataset, clearance: Clearance) -> Shape:
    """What somebody with a clearance is shown."""
    names = [column.name for column in COLUMNS[dataset]]
    found = columns(declaration, declaration.datasets[dataset], names, clearance)
    return Shape(dataset, found)
