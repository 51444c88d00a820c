"""What the catalogue answers."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.ops_center.catalogue.entries import Entry, Licence, Quality

_TEXT = r"^[^\x00-\x1f]*$"


class FieldOut(BaseModel):
    """A column. `level`: from which it is told; below, it is missing or coarse."""

    name: str
    type: str
    unit: str | None
    level: str


class QualityOut(BaseModel):
    """Of the hour that began at `at`, shares in 0–1. `completeness`: of the readings that were to
    be expected; `timeliness`: of the series whose newest reading was at most three intervals old
    at its end; `validity`: of the readings that are not bad. null: there was nothing to judge."""

    at: datetime
    completeness: float | None
    timeliness: float | None
    validity: float | None


class DatasetOut(BaseModel):
    """One dataset. `newest_at`: of its newest observation or change; `open`: everybody may fetch
    it at `/v1/catalogue/{dataset}/data`."""

    dataset: str
    title_zh: str
    title_en: str
    description_zh: str
    description_en: str
    owner_zh: str
    owner_en: str
    licence: str
    level: str
    level_zh: str
    level_en: str
    domain: str
    interval_seconds: int | None
    sensors: int | None
    newest_at: datetime | None
    open: bool
    quality: QualityOut | None


class CatalogueOut(BaseModel):
    """Those that whoever asks may know of, by id."""

    items: list[DatasetOut]
    next: None = None


class DatasetDetail(DatasetOut):
    """With its columns, and how good it was hour by hour over seven days."""

    fields: list[FieldOut] = Field(serialization_alias="schema")
    trend: list[QualityOut]


class DatasetIn(BaseModel):
    """What is said of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner_zh: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    owner_en: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    description_zh: str = Field(min_length=1, max_length=2_000, pattern=_TEXT)
    description_en: str = Field(min_length=1, max_length=2_000, pattern=_TEXT)
    licence: Licence


def quality_out(quality: Quality) -> QualityOut:
    """As it is answered."""
    return QualityOut(**{name: getattr(quality, name) for name in QualityOut.model_fields})


def dataset_out(entry: Entry, level: tuple[str, str], *, is_open: bool) -> DatasetOut:
    """As it is listed. `level`: its name zh, en."""
    return DatasetOut(**_common(entry, level, is_open))


def detail_out(entry: Entry, level: tuple[str, str], *, is_open: bool) -> DatasetDetail:
    """As it is shown alone."""
    fields = [FieldOut(name=f.name, type=f.type, unit=f.unit, level=f.level) for f in entry.fields]
    trend = [quality_out(one) for one in entry.trend]
    return DatasetDetail(**_common(entry, level, is_open), fields=fields, trend=trend)


def _common(entry: Entry, level: tuple[str, str], is_open: bool) -> dict[str, Any]:
    own = {"level", "level_zh", "level_en", "open", "quality"}
    quality = None if entry.quality is None else quality_out(entry.quality)
    told: dict[str, Any] = {
        name: getattr(entry, name) for name in DatasetOut.model_fields if name not in own
    }
    told |= {"level": entry.level.code, "level_zh": level[0], "level_en": level[1]}
    return told | {"open": is_open, "quality": quality}
