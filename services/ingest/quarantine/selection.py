"""Which items of the quarantine are meant. Pure."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, func
from sqlalchemy.dialects.postgresql import JSONB

from shared.store.tables import quarantine

State = Literal["waiting", "replayed", "discarded"]
Text = Annotated[str | None, Field(max_length=200, pattern="^[^\\x00]*$")]


class Count(NamedTuple):
    """How many items share a source, a reason and a state."""

    source: str
    code: str
    state: str
    items: int


Number = Annotated[int, Field(ge=0, lt=1 << 63)]


class Bound(BaseModel):
    """What is kept of each source."""

    model_config = ConfigDict(frozen=True)

    max_rows: int
    max_days: int


class Selection(BaseModel):
    """Items that meet every condition given. `since` (inclusive) and `until` (exclusive) are
    times of setting aside; `sensor_id` and `metric` are those of the item as last mended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: Annotated[list[Number] | None, Field(max_length=10_000)] = None
    code: Text = None
    source: Text = None
    sensor_id: Text = None
    metric: Text = None
    format: Text = None
    state: State | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @property
    def is_everything(self) -> bool:
        """True when no condition narrows it, whatever the state."""
        return not self.model_dump(exclude_none=True, exclude={"state"})


def conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """The selection as conditions on the table."""
    found: list[ColumnElement[bool]] = []
    for name in ("code", "source", "format", "state"):
        if (value := getattr(selection, name)) is not None:
            found.append(quarantine.c[name] == value)
    for name in ("sensor_id", "metric"):
        if (value := getattr(selection, name)) is not None:
            found.append(_member(name) == value)
    if selection.ids is not None:
        found.append(quarantine.c.id.in_(selection.ids))
    return found + _period(selection.since, selection.until)


def _member(name: str) -> ColumnElement[Any]:
    as_read = func.coalesce(
        quarantine.c.mended, quarantine.c.reading, quarantine.c.item, type_=JSONB
    )
    return as_read.op("->>")(name)


def _period(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(quarantine.c.quarantined_at >= since)
    if until is not None:
        found.append(quarantine.c.quarantined_at < until)
    return found
