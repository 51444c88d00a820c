"""What the catalogue is made of, and how good the data was, hour by hour."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.catalogue.entries import READINGS, Metric, Quality, Said
from shared.clock import Clock
from shared.store.audit import Action, By, record_change
from shared.store.tables import areas, dataset_entries, dataset_quality, ops_audit

KEPT = timedelta(days=400)
TREND = timedelta(days=7)
FIRST = timedelta(hours=24)  # how far back is measured when nothing has been measured yet
HOUR = timedelta(hours=1)

_METRICS = text(
    """
    SELECT m.metric, m.domain, m.unit, m.name_zh, m.name_en, m.interval_seconds,
           count(s.sensor_id) AS sensors
    FROM ingest.metrics AS m
    LEFT JOIN ingest.sensors AS s ON m.metric = ANY (s.metrics) AND NOT s.retired
    GROUP BY m.metric ORDER BY m.metric
    """
)
_NEWEST = text(
    """
    SELECT metric, max(last_at) AS newest FROM ingest.rollups_1m
    WHERE bucket >= (SELECT closed_to FROM ingest.rollup_watermark) - interval '15 minutes'
    GROUP BY metric
    """
)
_CHANGED = text(
    """
    SELECT 'sensors' AS dataset, max(updated_at) AS newest FROM ingest.sensors
    UNION ALL SELECT 'incidents', max(updated_at) FROM alerts.incidents
    UNION ALL SELECT 'areas', max(updated_at) FROM ingest.areas
    UNION ALL SELECT 'warnings', max(sent_at) FROM alerts.cap_messages
    """
)
_LATEST = """
SELECT DISTINCT ON (dataset) dataset, at, completeness, timeliness, validity, newest_at
FROM ops.dataset_quality WHERE at >= :since ORDER BY dataset, at DESC
"""
# One probe per series of the hour's rollup. A series of longer intervals than an hour is complete
# with its share of a reading.
_MEASURE = text(
    """
    INSERT INTO ops.dataset_quality
        (dataset, at, series, readings, completeness, timeliness, validity, newest_at)
    SELECT :prefix || m.metric, :hour, count(*), coalesce(sum(r.count), 0),
           avg(least(1, coalesce(r.count, 0) * m.interval_seconds / 3600.0)),
           avg(coalesce(r.last_at >= CAST(:end AS timestamptz)
                        - make_interval(secs => 3 * m.interval_seconds), false)::int),
           1 - sum(r.bad) / nullif(sum(r.count), 0)::float, max(r.last_at)
    FROM ingest.sensors AS s
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(s.metrics) AS metric) AS u
    JOIN ingest.metrics AS m ON m.metric = u.metric
    LEFT JOIN ingest.rollups_1h AS r
        ON r.sensor_id = s.sensor_id AND r.metric = m.metric AND r.bucket = :hour
    WHERE NOT s.retired GROUP BY m.metric ON CONFLICT DO NOTHING
    """
)
_DUE = text(
    "SELECT (SELECT max(at) FROM ops.dataset_quality),"
    " (SELECT rolled_to FROM ingest.rollup_state WHERE width_seconds = 3600)"
)


class Shelf:
    """Reads what others write; writes what is said of datasets, and their quality."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def metrics(self) -> list[Metric]:
        """All that are registered."""
        async with self._engine.connect() as connection:
            return [Metric(*row) for row in await connection.execute(_METRICS)]

    async def city(self, adcode: int) -> tuple[str, str]:
        """Its name, zh and en; its code where it has none."""
        query = select(areas.c.name_zh, areas.c.name_en).where(areas.c.area_id == str(adcode))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return (str(adcode), str(adcode)) if row is None else (row[0], row[1])

    async def said(self) -> Mapping[str, Said]:
        """By dataset."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(dataset_entries))).mappings().all()
        return {row["dataset"]: _said(row) for row in rows}

    async def newest(self) -> Mapping[str, datetime]:
        """By dataset, its newest observation or change."""
        async with self._engine.connect() as connection:
            found = {f"{READINGS}{r[0]}": r[1] for r in await connection.execute(_NEWEST)}
            found |= {row[0]: row[1] for row in await connection.execute(_CHANGED) if row[1]}
        return found

    async def quality(self) -> Mapping[str, Quality]:
        """By dataset, of the last hour that was measured."""
        since = {"since": self._clock() - TREND}
        async with self._engine.connect() as connection:
            rows = await connection.execute(text(_LATEST), since)
            return {row[0]: Quality(*row[1:]) for row in rows}

    async def trend(self, dataset: str) -> tuple[Quality, ...]:
        """The last days, hour by hour; an hour that was not measured is not there."""
        table = dataset_quality
        query = select(
            table.c.at, table.c.completeness, table.c.timeliness, table.c.validity,
            table.c.newest_at,
        ).where(table.c.dataset == dataset, table.c.at >= self._clock() - TREND)  # fmt: skip
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(table.c.at))
            return tuple(Quality(*row) for row in rows)

    async def measure(self) -> int:
        """Every hour that is rolled up and not measured yet; how many. Several replicas measure
        the same: the first one counts."""
        now, measured = self._clock(), 0
        async with self._engine.begin() as connection:
            last, rolled_to = (await connection.execute(_DUE)).one()
            hour = max(last + HOUR if last else now - FIRST, now - TREND)
            hour = hour.replace(minute=0, second=0, microsecond=0)
            while rolled_to is not None and hour + HOUR <= rolled_to:
                await _measured(connection, hour)
                measured, hour = measured + 1, hour + HOUR
            old = dataset_quality.c.at < now - KEPT
            await connection.execute(delete(dataset_quality).where(old))
        return measured

    async def say(self, dataset: str, said: Mapping[str, Any], by: By) -> None:
        """Of a dataset, from now on. Audited."""
        async with self._engine.begin() as connection:
            query = select(dataset_entries).where(dataset_entries.c.dataset == dataset)
            row = (await connection.execute(query.with_for_update())).mappings().first()
            before = None if row is None else {name: row[name] for name in said}
            change = insert(dataset_entries).values(dataset=dataset, **said)
            change = change.on_conflict_do_update(index_elements=["dataset"], set_=dict(said))
            await connection.execute(change)
            action = Action("dataset.described", dataset, self._clock(), before, dict(said))
            await record_change(connection, ops_audit, by, action)


async def _measured(connection: AsyncConnection, hour: datetime) -> None:
    values = {"prefix": READINGS, "hour": hour, "end": hour + HOUR}
    await connection.execute(_MEASURE, values)


def _said(row: RowMapping) -> Said:
    return Said(**{name: row[name] for name in Said.__slots__})
