"""What datasets there are, and what the catalogue says of each. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Literal

from services.ops_center.exchange.shape import COLUMNS
from services.ops_center.history.table import Column
from shared.disclosure.declaration import Dataset, Declaration
from shared.disclosure.level import Level

READINGS = "readings."
Licence = Literal["CC-BY-4.0", "CC0-1.0", "ODbL-1.0", "internal-use"]
LICENCES: Mapping[str, str] = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
}
_OWNERS = {
    "traffic": ("交通运输局", "Transport bureau"),
    "environment": ("生态环境局", "Ecology and environment bureau"),
    "utilities": ("水务与公用事业局", "Water and utilities bureau"),
    "city": ("城市运行管理中心", "City operations centre"),
}


@dataclass(frozen=True, slots=True)
class Metric:
    """As the registry has it, and how many sensors measure it."""

    metric: str
    domain: str
    unit: str
    name_zh: str
    name_en: str
    interval_seconds: int
    sensors: int


@dataclass(frozen=True, slots=True)
class Said:
    """What an administrator has said of a dataset, instead of what is said by default."""

    owner_zh: str
    owner_en: str
    description_zh: str
    description_en: str
    licence: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A column, and the level from which it is told."""

    name: str
    type: str
    unit: str | None
    level: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares in 0–1 over the hour that began at `at`; None: nothing was to be expected."""

    at: datetime
    completeness: float | None
    timeliness: float | None
    validity: float | None
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A dataset. `interval_seconds`: how often it is added to; None: as things happen."""

    dataset: str
    title_zh: str
    title_en: str
    description_zh: str
    description_en: str
    owner_zh: str
    owner_en: str
    licence: str
    level: Level
    domain: str
    fields: tuple[Shown, ...]
    interval_seconds: int | None = None
    sensors: int | None = None
    newest_at: datetime | None = None
    quality: Quality | None = None
    trend: tuple[Quality, ...] = field(default=())


def entries(
    declaration: Declaration, metrics: Iterable[Metric], said: Mapping[str, Said]
) -> list[Entry]:
    """Of everything, by id; what is not measured yet has no quality."""
    found = [_of_metric(declaration, one) for one in metrics]
    found += [
        _of_few(declaration.datasets[name], columns, zh, en)
        for name, (columns, zh, en) in _OTHERS.items()
    ]
    return sorted((_with(one, said.get(one.dataset)) for one in found), key=lambda e: e.dataset)


def matching(found: Sequence[Entry], text: str | None, domain: str | None) -> list[Entry]:
    """Those in which every word of the text occurs somewhere."""
    words = (text or "").casefold().split()
    return [
        one
        for one in found
        if (domain is None or one.domain == domain)
        and all(word in _searched(one) for word in words)
    ]


def metric_of(dataset: str) -> str | None:
    """The metric whose readings a dataset is; None: it is another."""
    return dataset.removeprefix(READINGS) if dataset.startswith(READINGS) else None


def _of_metric(declaration: Declaration, metric: Metric) -> Entry:
    dataset, level = declaration.datasets["readings"], declaration.metric_level(metric.metric)
    owner = _OWNERS.get(metric.domain, _OWNERS["city"])
    columns = [
        Column(c.name, c.kind, metric.unit if c.name == "value" else c.unit)
        for c in COLUMNS["readings"]
    ]
    return Entry(
        f"{READINGS}{metric.metric}",
        metric.name_zh,
        metric.name_en,
        f"{metric.name_zh}的全部读数，单位 {metric.unit}，约每 {metric.interval_seconds} 秒一次。",
        f"Every reading of {_lower(metric.name_en)} in {metric.unit}, about one every"
        f" {metric.interval_seconds} s from each sensor.",
        *owner,
        "CC-BY-4.0" if level is Level.PUBLIC else "internal-use",
        level,
        metric.domain,
        _fields(dataset, columns, least=level),
        metric.interval_seconds,
        metric.sensors,
    )


def _of_few(dataset: Dataset, columns: Sequence[Column], zh: str, en: str) -> Entry:
    level = dataset.ceiling
    licence = "CC-BY-4.0" if level is Level.PUBLIC else "internal-use"
    texts = (dataset.zh, dataset.en, zh, en, *_OWNERS["city"])
    return Entry(dataset.name, *texts, licence, level, "city", _fields(dataset, columns))


def _fields(
    dataset: Dataset, columns: Sequence[Column], least: Level = Level.PUBLIC
) -> tuple[Shown, ...]:
    return tuple(
        Shown(c.name, c.kind, c.unit, max(dataset.field(c.name).level, least).code) for c in columns
    )


def _with(entry: Entry, said: Said | None) -> Entry:
    if said is None:
        return entry
    return replace(entry, **asdict(said))


def _searched(entry: Entry) -> str:
    names = [column.name for column in entry.fields]
    texts = [entry.dataset, entry.title_zh, entry.title_en, entry.description_zh]
    texts += [entry.description_en, entry.owner_zh, entry.owner_en, entry.domain, *names]
    return "\n".join(texts).casefold()


def _lower(name: str) -> str:
    """A name within a sentence: `Wind speed` → `wind speed`, but `PM2.5` stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


_OTHERS: Mapping[str, tuple[Sequence[Column], str, str]] = {
    "sensors": (
        COLUMNS["sensors"], "登记的传感器：位置、区划、所测指标。",
        "Registered sensors: where they are, what they measure.",
    ),
    "incidents": (
        COLUMNS["incidents"], "城市事件及其处置状态。",
        "Incidents of the city and how far they have been dealt with.",
    ),
    "areas": (
        (Column("area_id", "text"), Column("name_zh", "text"), Column("name_en", "text"),
         Column("level", "text"), Column("parent_id", "text"), Column("polygon", "text")),
        "城市、区县与乡镇的边界。", "The city, its districts and towns, with their boundaries.",
    ),
    "warnings": (
        (Column("identifier", "text"), Column("sender", "text"), Column("sent", "moment"),
         Column("status", "text"), Column("msgType", "text"), Column("info", "text")),
        "面向公众发布的预警（CAP 1.2）。", "Warnings to the public (CAP 1.2).",
    ),
}  # fmt: skip
