"""What an export is asked to hold, and the cursor by which the next one goes on. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.ops_center.history.question import MAX_NAMES, Selection
from services.ops_center.history.span import FIRST_YEAR, LAST_YEAR, BadParameter
from shared.contracts.live import Domain
from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN
from shared.web.cursors import from_cursor, to_cursor, wrong_cursor

Dataset = Literal["readings", "sensors", "incidents"]
Format = Literal["parquet", "csv", "ndjson", "ngsi-ld"]

Names = Annotated[
    list[Annotated[str, Field(max_length=64, pattern=SENSOR_ID_PATTERN)]],
    Field(max_length=MAX_NAMES),
]
_FORMATS: dict[Dataset, tuple[Format, ...]] = {
    "readings": ("parquet", "csv", "ndjson"),
    "sensors": ("parquet", "csv", "ndjson", "ngsi-ld"),
    "incidents": ("parquet", "csv", "ndjson", "ngsi-ld"),
}


class ExportIn(BaseModel):
    """An export. Each list that is not empty narrows it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    dataset: Dataset
    format: Format = Field("parquet", description="NGSI-LD: sensors and incidents only")
    start: AwareDatetime | None = Field(
        None, alias="from", description="Inclusive; readings and incidents need it"
    )
    end: AwareDatetime | None = Field(None, alias="to", description="Exclusive; default: now")
    sensor_id: Names = []
    metric: Names = []
    area_id: Names = []
    domain: Annotated[list[Domain], Field(max_length=4)] = []
    since: str | None = Field(
        None, max_length=200,
        description="`next` of an earlier export of the same selection: only what is new or"
        " changed since then, instead of `from` and `to`",
    )  # fmt: skip

    @property
    def selection(self) -> Selection:
        """Without repeats."""
        lists = (self.sensor_id, self.metric, self.area_id, self.domain)
        return Selection(*(tuple(dict.fromkeys(names)) for names in lists))


@dataclass(frozen=True, slots=True)
class Cursor:
    """An export gave everything from `start` to `known_to` as it was at `seen`. `start`: None for
    what has no beginning (sensors)."""

    start: datetime | None
    known_to: datetime
    seen: datetime

    def written(self) -> str:
        """For clients."""
        moments = (self.start, self.known_to, self.seen)
        return to_cursor("|".join("" if m is None else m.isoformat() for m in moments))


def cursor_of(written: str) -> Cursor:
    """Raises `Problem` 422 for what is no cursor of ours."""
    parts = (from_cursor(written) or "").split("|")
    try:
        start, known_to, seen = (datetime.fromisoformat(p) if p else None for p in parts)
    except ValueError:
        raise wrong_cursor() from None
    if known_to is None or seen is None:
        raise wrong_cursor()
    if any(m is not None and m.tzinfo is None for m in (start, known_to, seen)):
        raise wrong_cursor()
    return Cursor(start, known_to, seen)


def check(asked: ExportIn) -> None:
    """Raises `BadParameter` for what is missing or does not belong together."""
    offered = _FORMATS[asked.dataset]
    if asked.format not in offered:
        raise BadParameter("format", f"{asked.dataset} can be had as {', '.join(offered)}")
    for name in asked.metric:
        if re.fullmatch(METRIC_PATTERN, name) is None:
            raise BadParameter("metric", f"should match {METRIC_PATTERN}")
    if asked.dataset == "incidents" and (asked.sensor_id or asked.metric or asked.domain):
        raise BadParameter("dataset", "incidents are narrowed by 'area_id' alone", "conflict")
    _check_span(asked)


def _check_span(asked: ExportIn) -> None:
    given = [("from", asked.start), ("to", asked.end)]
    for name, moment in given:
        if moment is None:
            continue
        if asked.since is not None:
            raise BadParameter(name, f"'{name}' has no meaning with 'since'", "conflict")
        if asked.dataset == "sensors":
            raise BadParameter(name, "sensors are exported as they are now", "conflict")
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise BadParameter(name, f"a time between the years {FIRST_YEAR} and {LAST_YEAR}")
    if asked.since is None and asked.start is None and asked.dataset != "sensors":
        raise BadParameter("from", f"an export of {asked.dataset} needs 'from'", "missing")
    if asked.start is not None and asked.end is not None and asked.start >= asked.end:
        raise BadParameter("from", "'from' must lie before 'to'")
