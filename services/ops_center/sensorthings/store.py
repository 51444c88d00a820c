"""What SensorThings reads from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.history import scope
from services.ops_center.history.question import Selection
from services.ops_center.history.table import QUALITIES
from services.ops_center.sensorthings.entities import Stream
from services.ops_center.sensorthings.odata import Condition, Options, wrong

_COLUMNS = ("sensor_id", "name", "area_id", "lon", "lat", "metric", "unit", "name_zh", "name_en")
_STREAMS = text(
    """
    SELECT s.sensor_id, s.name, s.area_id, s.lon, s.lat, m.metric, m.unit, m.name_zh, m.name_en
    FROM ingest.sensors AS s
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(s.metrics) AS metric) AS u
    JOIN ingest.metrics AS m ON m.metric = u.metric
    WHERE s.sensor_id = ANY (:sensor_ids) AND NOT s.retired ORDER BY s.sensor_id, m.metric
    """
)
_OBSERVATIONS = """
SELECT observed_at, value, quality FROM ingest.readings
WHERE sensor_id = :sensor_id AND metric = :metric
  AND observed_at >= :since AND observed_at < :until {conditions}
ORDER BY {order} LIMIT :top OFFSET :skip
"""
_COUNT = """
SELECT count(*) FROM ingest.readings
WHERE sensor_id = :sensor_id AND metric = :metric
  AND observed_at >= :since AND observed_at < :until {conditions}
"""
_NAMES = {"phenomenonTime": "observed_at", "resultTime": "observed_at", "result": "value"}
_OPS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
EVER = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Found:
    """Observations, and how many there are in all (None: not asked for)."""

    rows: Sequence[Any]
    count: int | None


class Store:
    """Reads only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def streams(self, within: tuple[str, ...]) -> list[dict[str, Any]]:
        """Of sensors in some areas (none: in all)."""
        async with self._engine.connect() as connection:
            ids = await scope.sensors_of(connection, Selection(within=within))
            rows = await connection.execute(_STREAMS, {"sensor_ids": ids})
            return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]

    async def observations(
        self, stream: Stream, asked: Options, span: tuple[datetime, datetime]
    ) -> Found:
        """Of a Datastream, within a span. `Problem` 400 for a property that they do not have."""
        values: dict[str, Any] = {"sensor_id": stream.sensor_id, "metric": stream.metric}
        values |= {"since": span[0], "until": span[1], "top": asked.top + 1, "skip": asked.skip}
        conditions = _conditions(asked.conditions, values)
        query = _OBSERVATIONS.format(conditions=conditions, order=_order(asked.order))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(text(query), values)).all()
            count = None
            if asked.count:
                query = _COUNT.format(conditions=conditions)
                count = await connection.scalar(text(query), values)
        return Found(rows, count)


def observation(row: Any) -> dict[str, Any]:
    """The properties of one."""
    moment = row.observed_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    quality = QUALITIES[row.quality]
    return {
        "phenomenonTime": moment, "resultTime": moment, "result": row.value,
        "resultQuality": quality,
    }  # fmt: skip


def _conditions(conditions: Sequence[Condition], values: dict[str, Any]) -> str:
    made = ""
    for number, one in enumerate(conditions):
        column, op = _NAMES.get(one.name), _OPS.get(one.op)
        kind = float if column == "value" else datetime
        if column is None or op is None or not isinstance(one.value, kind):
            raise wrong(f"$filter: Observations have phenomenonTime and result, not '{one.name}'")
        made += f" AND {column} {op} :value_{number}"
        values[f"value_{number}"] = one.value
    return made


def _order(order: Sequence[tuple[str, bool]]) -> str:
    for name, _ in order:
        if name not in _NAMES:
            raise wrong(f"$orderby: Observations have phenomenonTime and result, not '{name}'")
    parts = [f"{_NAMES[name]}{' DESC' if down else ''}" for name, down in order]
    return ", ".join(parts or ["observed_at"])
