"""What is answered about an export: its manifest."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.ops_center.exchange.order import Dataset, Format
from services.ops_center.exchange.slices import Kind


class Shown(BaseModel):
    """A column. `unit`: of its values; null: none, or each row has its own (column `unit`)."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: Literal["text", "number", "count", "moment", "instant"]
    unit: str | None = None


class Part(BaseModel):
    """`rows`, `bytes` and `sha256` are those of the last time it was made; null before the
    first. `revision` rises when it comes out otherwise than the last time."""

    model_config = ConfigDict(frozen=True)

    number: int
    kind: Kind
    start: datetime | None = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    url: str
    rows: int | None
    bytes: int | None
    sha256: str | None
    made_at: datetime | None
    revision: int


class Manifest(BaseModel):
    """`as_of`: nothing before it was still to come when the export was planned; `rows`, once all
    parts have been made, their sum; `next`: the cursor for `since`."""

    model_config = ConfigDict(frozen=True)

    export_id: UUID
    dataset: Dataset
    format: Format
    selection: dict[str, list[str]]
    start: datetime | None = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    as_of: datetime
    created_at: datetime
    expires_at: datetime
    made_by: str
    fields: list[Shown] = Field(serialization_alias="schema")
    rows: int | None
    complete: bool
    parts: list[Part]
    next: str


class ExportList(BaseModel):
    """A page, newest first."""

    items: list["Summary"]
    next: str | None


class Summary(BaseModel):
    """An export without its parts."""

    model_config = ConfigDict(frozen=True)

    export_id: UUID
    dataset: Dataset
    format: Format
    start: datetime | None = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    created_at: datetime
    expires_at: datetime
    made_by: str
    parts: int
    made: int
