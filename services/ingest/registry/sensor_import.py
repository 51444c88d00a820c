"""An import of sensors: rows → what becomes of each, and what is to be registered. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from services.ingest.registry.coordinates import Crs
from services.ingest.registry.sensor import Sensor, SensorIn, in_wgs84, kept
from services.ingest.registry.sheets import Row

VerdictKind = Literal["create", "update", "unchanged", "refused"]
UnknownMetrics = Callable[[Sequence[str]], list[tuple[int, str]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one row; `column` and `reason` of a refused one."""

    row: int
    sensor_id: str | None
    verdict: VerdictKind
    column: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class Plan:
    """Every row's verdict in the file's order; `wanted`: to be made or replaced."""

    verdicts: list[Verdict] = field(default_factory=list)
    wanted: list[SensorIn] = field(default_factory=list)

    def count(self, kind: VerdictKind) -> int:
        """How many rows have this verdict."""
        return sum(verdict.verdict == kind for verdict in self.verdicts)


def plan(
    rows: Sequence[Row], known: Mapping[str, Sensor], unknown_metrics: UnknownMetrics, crs: Crs
) -> Plan:
    """A row replaces what it has columns for; what it has none for stays as it is."""
    made = Plan()
    seen: dict[str, int] = {}
    for row in rows:
        said = row.fields.get("sensor_id")
        sensor_id = said if isinstance(said, str) else None
        wanted = _read(row, known.get(sensor_id or ""), unknown_metrics, crs)
        if isinstance(wanted, SensorIn) and wanted.sensor_id in seen:
            wanted = ("sensor_id", f"occurs twice, first in row {seen[wanted.sensor_id]}")
        if not isinstance(wanted, SensorIn):
            made.verdicts.append(Verdict(row.number, sensor_id, "refused", *wanted))
            continue
        seen[wanted.sensor_id] = row.number
        before = known.get(wanted.sensor_id)
        if before is not None and kept(before) == dict(wanted):
            made.verdicts.append(Verdict(row.number, sensor_id, "unchanged"))
            continue
        kind: VerdictKind = "create" if before is None else "update"
        made.verdicts.append(Verdict(row.number, sensor_id, kind))
        made.wanted.append(wanted)
    return made


def _read(
    row: Row, before: Sensor | None, unknown_metrics: UnknownMetrics, crs: Crs
) -> SensorIn | tuple[str | None, str]:
    """The sensor, or the column and what is wrong with it."""
    if row.wrong is not None:
        return (row.column, row.wrong)
    base: dict[str, Any] = {} if before is None else kept(before)
    try:
        wanted = SensorIn.model_validate(base | row.fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        names = [str(part) for part in first["loc"] if isinstance(part, str)]
        return (names[-1][:64] if names else None, first["msg"].removeprefix("Value error, "))
    if unknown := unknown_metrics(wanted.metrics):
        return ("metrics", f"no metric '{unknown[0][1]}'")
    if "location" in row.fields and wanted.location is not None:
        return wanted.model_copy(update={"location": in_wgs84(wanted.location, crs)})
    return wanted
