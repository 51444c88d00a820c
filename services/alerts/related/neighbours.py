"""The series that may have moved with an incident's: what depends on its sensor or is depended on,
and what lies near it. Bounded, and of every kind a few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents.dependencies import Edge, Edges
from services.alerts.incidents.loading import like
from services.alerts.means import Series
from shared.store.tables import dependencies

MOST = 40  # series
PER_METRIC = 4  # of the area, the nearest first
MOST_DEPENDENT = 20

Tie = Literal["upstream", "downstream", "same_sensor", "area"]

_DEPENDENT = text(
    """
    SELECT s.sensor_id, s.name, m.metric FROM ingest.sensors AS s
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(s.metrics) AS metric) AS m
    WHERE s.sensor_id LIKE ANY (:patterns) AND s.sensor_id <> :sensor_id AND NOT s.retired
    ORDER BY s.sensor_id, m.metric LIMIT :most
    """
)
_NEAR = text(
    """
    WITH own AS (SELECT area_id, lon, lat FROM ingest.sensors WHERE sensor_id = :sensor_id)
    SELECT sensor_id, name, metric FROM (
        SELECT s.sensor_id, s.name, m.metric, away, row_number()
               OVER (PARTITION BY m.metric ORDER BY away NULLS LAST, s.sensor_id) AS place
        FROM own JOIN ingest.sensors AS s ON s.area_id = own.area_id
        CROSS JOIN LATERAL (
            SELECT power((s.lon - own.lon) * cos(radians(own.lat)), 2)
                 + power(s.lat - own.lat, 2) AS away) AS d
        CROSS JOIN LATERAL (SELECT DISTINCT unnest(s.metrics) AS metric) AS m
        WHERE NOT s.retired
    ) AS ranked
    WHERE place <= :per_metric ORDER BY place, away, sensor_id, metric LIMIT :most
    """
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A series, and how it is tied to the incident's."""

    series: Series
    name: str
    tie: Tie


async def neighbours(connection: AsyncConnection, own: Series) -> list[Neighbour]:
    """At most `MOST`, dependencies first; none of them is `own`."""
    rows = await connection.execute(select(dependencies.c.upstream, dependencies.c.downstream))
    edges = Edges(Edge(row.upstream, row.downstream) for row in rows)
    ties: Sequence[tuple[Tie, frozenset[str]]] = (
        ("upstream", edges.above(own[0])), ("downstream", edges.below(own[0])),
    )  # fmt: skip
    found: dict[Series, Neighbour] = {}
    for tie, patterns in ties:
        if patterns:
            values = {"patterns": [like(one) for one in sorted(patterns)], "sensor_id": own[0]}
            tied = await connection.execute(_DEPENDENT, values | {"most": MOST_DEPENDENT})
            _add(found, tied, tie)
    near = {"sensor_id": own[0], "per_metric": PER_METRIC, "most": MOST}
    _add(found, await connection.execute(_NEAR, near), "area", own[0])
    found.pop(own, None)
    return list(found.values())[:MOST]


def _add(
    found: dict[Series, Neighbour],
    rows: Iterable[Row[tuple[str, str, str]]],
    tie: Tie,
    own: str = "",
) -> None:
    for row in rows:
        tied: Tie = "same_sensor" if row.sensor_id == own else tie
        series = (row.sensor_id, row.metric)
        found.setdefault(series, Neighbour(series, row.name, tied))
