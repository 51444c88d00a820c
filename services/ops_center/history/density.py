"""How many readings a span has, told by a few rows of the widest rollups in it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ops_center.history.sources import widest
from services.ops_center.history.span import Span
from shared.store.rollups import relation

MOST_SENSORS = 8

_COUNTED = """
SELECT sum(count)::bigint, max(count) FROM {relation}
WHERE sensor_id = ANY (:sensor_ids) AND metric = :metric AND bucket >= :start AND bucket < :end
"""


@dataclass(frozen=True, slots=True)
class Density:
    """`readings`: at least so many are there of the sensors that were looked at; `per_second`: of
    one of them where they are densest; infinite where nothing is known."""

    readings: int = 0
    per_second: float = math.inf


UNKNOWN = Density()


async def density(
    connection: AsyncConnection,
    metric: str,
    sensor_ids: Sequence[str],
    span: Span,
    rolled_to: Mapping[int, datetime],
) -> Density:
    """Of at most `MOST_SENSORS` of the sensors, evenly taken."""
    segment = widest(span, rolled_to)
    if segment is None or not sensor_ids:
        return UNKNOWN
    some = sensor_ids[:: -(-len(sensor_ids) // MOST_SENSORS)]
    values = {"sensor_ids": list(some), "metric": metric}
    between = {"start": segment.start, "end": segment.end}
    query = text(_COUNTED.format(relation=relation(segment.source)))
    readings, most = (await connection.execute(query, {**values, **between})).one()
    return UNKNOWN if most is None else Density(readings, most / segment.source)
