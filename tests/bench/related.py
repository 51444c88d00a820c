"""`related`: what moved with an incident, asked in a city of 5,000 sensors.

A minute each in rollups for nine hours of today and of yesterday, 20,000 past incidents, 40
dependencies. Client and service are one process, without a socket. Value: p95 in ms over incidents
of random sensors; its bar is `bar_p95_ms`. Limit (`limit_is`): the rows of as many series by one
hand-written statement through psycopg, in turns. The first `COLD` answers are told apart.
"""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psycopg

from deploy.migrations.upgrade import upgrade
from services.alerts.related.relations import Relations
from services.alerts.related.routes import related_router
from services.ops_center.accounts import ensure_screen_token
from shared.clock import monotonic, system_clock
from shared.eventlog.postgres import PostgresLog
from shared.runtime import Context, Service, make_app
from shared.settings import Settings
from shared.store.engine import libpq_url, make_engine
from shared.store.rollups import floor_to
from tests.bench import report, rows
from tests.bench.history import server
from tests.conftest import drop_database, scratch_database

COLD = 5
BAR_MS = 1_000
PAST_INCIDENTS = 20_000
LIMIT_IS = "the rows of as many series by hand-written SQL through psycopg, in turns"
KINDS = ("water.level", "weather.rain", "traffic.speed", "drain.level", "power.load", "noise.level")
_FILL = """
INSERT INTO ingest.metrics (metric, domain, unit, name_zh, name_en, interval_seconds)
SELECT unnest(%(kinds)s::text[]), 'environment', '', '', '', 60;
INSERT INTO ingest.sensors (sensor_id, name, metrics, lon, lat, area_id)
SELECT 's' || n, 's' || n, ARRAY[(%(kinds)s::text[])[1 + n / 8 %% 6]], 112 + random(),
       23 + random(), (441200 + n %% 8)::text FROM generate_series(1, %(sensors)s) AS n;
INSERT INTO ingest.rollups_1m
SELECT sensor_id, metrics[1], at, 1, 1, 0, value, value, value, value, at
FROM ingest.sensors, unnest(ARRAY[%(today)s, %(today)s - interval '1 day']) AS begin,
     generate_series(begin, begin + interval '9 hours', '1 minute') AS at,
     LATERAL (SELECT sin(extract(epoch FROM at)::float8 / 9000) + random()
       + 5 / (1 + exp(-extract(epoch FROM at - %(today)s - interval '6 hours')::float8 / 600)))
       AS v (value);
INSERT INTO ingest.rollup_state SELECT unnest(ARRAY[60, 900]), %(today)s + interval '9 hours';
INSERT INTO alerts.dependencies (upstream, downstream, created_by)
SELECT 's' || n, 's' || n + 100, 'bench' FROM generate_series(1, 40) AS n;
INSERT INTO alerts.incidents (id, title, state, alert_state, grade, priority, area_id, subjects,
       rule_id, metric, opened_at, updated_at, observed_at, version, category)
SELECT gen_random_uuid(), '', 'closed', 'cleared', 3, 3, (441200 + n %% 8)::text,
       ARRAY['s' || 1 + n %% %(sensors)s], 'rule-' || n %% 30, (%(kinds)s::text[])[1 + n %% 6],
       at, at, at, 1, 'kind-' || n %% 10
FROM generate_series(1, %(incidents)s) AS n,
     LATERAL (SELECT %(today)s + interval '6 hours' - n * interval '1 hour') AS a (at);
"""
_ANALYSE = "ANALYZE ingest.rollups_1m, ingest.sensors, alerts.incidents"
_OPEN = """
INSERT INTO alerts.incidents (id, title, state, alert_state, grade, priority, area_id, subjects,
       rule_id, metric, opened_at, updated_at, observed_at, version, category)
SELECT gen_random_uuid(), '', 'open', 'active', 3, 3, area_id, ARRAY[sensor_id], 'rule-1',
       metrics[1], at, at, at, 1, 'kind-1'
FROM ingest.sensors, LATERAL (SELECT %(today)s::timestamptz + interval '6 hours') AS a (at)
WHERE sensor_id = ANY (%(sensors)s) RETURNING id
"""
_LIMIT = """
SELECT r.sensor_id, r.bucket, r.mean
FROM unnest(%(sensors)s::text[]) AS s CROSS JOIN LATERAL (
  SELECT sensor_id, bucket, mean FROM ingest.rollups_1m
  WHERE sensor_id = s AND metric = %(metric)s
    AND ((bucket >= %(today)s AND bucket < %(today)s + interval '8 hours')
      OR (bucket >= %(today)s - interval '1 day' AND bucket < %(today)s - interval '16 hours'))
  OFFSET 0) AS r
"""


def run(quick: bool) -> str:
    """Fill, ask, and drop the database again."""
    machine = report.machine()
    sensors, count = (1_500, 15) if quick else (5_000, 100)
    with server() as found:
        name, url = scratch_database(found)
        try:
            upgrade(url)
            today = floor_to(system_clock(), 900) - timedelta(hours=9)
            ours, limits = asyncio.run(_measure(url, today, sensors, count))
            kind = rows.kind(url)
        finally:
            drop_database(found, name)
    cold, warm = ours[:COLD], ours[COLD:]
    line: dict[str, Any] = {"bench": "related", **report.latencies_ms(warm)}
    line |= {"value": line["p95_ms"], "unit": "ms", "bar_p95_ms": BAR_MS}
    middle = report.percentile(warm, 0.95), report.percentile(limits, 0.95)
    line |= {"limit": round(middle[1] * 1000, 1), "ratio": round(middle[0] / middle[1], 3)}
    line |= {"cold_worst_ms": round(max(cold) * 1000, 1), "spread": report.spread(warm)}
    line |= {"sensors": sensors, "incidents": PAST_INCIDENTS, "asked": count}
    return json.dumps(line | {"limit_is": LIMIT_IS, "table": kind, **machine}, ensure_ascii=False)


async def _measure(
    url: str, today: datetime, sensors: int, count: int
) -> tuple[list[float], list[float]]:
    """Seconds of each answer, and of each statement."""
    random = Random(441200)
    named = [f"s{number}" for number in random.sample(range(1, sensors + 1), count + COLD)]
    engine = make_engine(url)
    token = await ensure_screen_token(engine)
    log = await PostgresLog(url).open()
    context = Context(Settings(data_dir=Path()), url, engine, log)
    service = Service("alerts", routers=[related_router(Relations(engine, system_clock))])
    transport = httpx.ASGITransport(make_app(context, [service]))
    headers = {"Authorization": f"Bearer {token}"}
    ours, limits = [], []
    client = httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers)
    with psycopg.connect(libpq_url(url), autocommit=True) as database:
        filled = {"kinds": list(KINDS), "sensors": sensors, "today": today}
        _fill(database, filled | {"incidents": PAST_INCIDENTS})
        found = database.execute(_OPEN.encode(), {"today": today, "sensors": named}).fetchall()
        async with client:
            for (incident,) in found:
                begun = monotonic()
                answer = await client.get(f"/v1/incidents/{incident}/related")
                ours.append(monotonic() - begun)
                assert answer.status_code == 200 and answer.json()["compared"] >= 20, answer.text
                limits.append(_read(database, random, sensors, today))
    await log.close()
    await engine.dispose()
    return ours, limits


def _fill(database: "psycopg.Connection[Any]", values: dict[str, Any]) -> None:
    for statement in filter(str.strip, _FILL.split(";")):
        database.execute(statement.encode(), values)
    database.execute(_ANALYSE.encode())


def _read(
    database: "psycopg.Connection[Any]", random: Random, sensors: int, today: datetime
) -> float:
    """Of as many series as an answer looks at."""
    kind = random.randrange(6)
    some = [f"s{number}" for number in range(1, sensors) if number // 8 % 6 == kind]
    values = {"sensors": random.sample(some, 24), "metric": KINDS[kind], "today": today}
    begun = monotonic()
    read = database.execute(_LIMIT.encode(), values).fetchall()
    seconds = monotonic() - begun
    assert len(read) > 20_000, len(read)
    return seconds
