"""`history`: three questions about 50 M stored readings, over HTTP, at random times.

One sensor's 24 h; one metric by district over 1 h (60 points); the whole city at a past moment.
Client and server are processes of their own on one machine; the server is ops_center alone.
Value: p95 in ms of the worst question relative to its bar. Limit (`limit_is`): the same rows by a
hand-written statement through psycopg, same connection, same random parameters, in turns.
The first `COLD` answers of each question, on pages that nothing has touched, are told apart.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psycopg

from deploy.migrations.upgrade import upgrade
from services.ops_center.accounts import ensure_screen_token
from shared.clock import monotonic
from shared.pause import until
from shared.store import embedded
from shared.store.embedded import free_port
from shared.store.engine import libpq_url, make_engine
from tests.bench import archive, report, rows
from tests.conftest import drop_database, scratch_database

COLD = 5
BARS_MS = {"sensor_24h": 50, "districts_1h": 200, "city_at": 500}
LIMIT_IS = "the same rows by hand-written SQL through psycopg, in turns, without JSON and HTTP"

_SENSOR = """
SELECT date_bin('5 minutes', observed_at, '2000-01-01 00:00+08') AS at, avg(value), min(value),
       max(value), count(*) FROM ingest.readings
WHERE sensor_id = %(sensor)s AND metric = 'traffic.speed'
  AND observed_at >= %(at)s - interval '1 day' AND observed_at < %(at)s GROUP BY at ORDER BY at
"""
_DISTRICTS = """
SELECT s.area_id, date_bin('2 minutes', r.observed_at, '2000-01-01 00:00+08') AS at,
       avg(r.value), min(r.value), max(r.value), count(*)
FROM ingest.sensors AS s CROSS JOIN LATERAL (
  SELECT observed_at, value FROM ingest.readings
  WHERE sensor_id = s.sensor_id AND metric = 'traffic.speed'
    AND observed_at >= %(at)s - interval '1 hour' AND observed_at < %(at)s OFFSET 0
) AS r WHERE 'traffic.speed' = ANY (s.metrics) GROUP BY 1, 2 ORDER BY 1, 2
"""
_CITY = """
SELECT s.sensor_id, m.metric, r.value, r.quality, r.observed_at
FROM ingest.sensors AS s CROSS JOIN LATERAL unnest(s.metrics) AS m (metric)
LEFT JOIN LATERAL (
  SELECT value, quality, observed_at FROM ingest.readings
  WHERE sensor_id = s.sensor_id AND metric = m.metric
    AND observed_at <= %(at)s AND observed_at > %(at)s - interval '1 day'
  ORDER BY observed_at DESC LIMIT 1
) AS r ON true
"""
STATEMENTS = {"sensor_24h": _SENSOR, "districts_1h": _DISTRICTS, "city_at": _CITY}


def run(quick: bool) -> str:
    """Fill, ask, and drop the database again."""
    machine = report.machine()
    with server() as where:
        name, url = scratch_database(where)
        try:
            upgrade(url)
            filled = archive.fill(url, 2_000_000 if quick else 50_000_000)
            found = measure(url, filled.start, filled.end, 10 if quick else 60)
            kind = rows.kind(url)
        finally:
            drop_database(where, name)
    worst = max(found, key=lambda name: found[name]["p95_ms"] / BARS_MS[name])
    line = {"bench": "history", "value": found[worst]["p95_ms"], "unit": "ms", "worst": worst}
    line |= {"limit": found[worst]["limit_p95_ms"], "ratio": found[worst]["ratio"]}
    line |= {"rows": filled.rows, "fill_seconds": round(filled.seconds), **found}
    return json.dumps(line | {"limit_is": LIMIT_IS, "table": kind, **machine}, ensure_ascii=False)


def measure(url: str, start: datetime, end: datetime, count: int) -> dict[str, dict[str, Any]]:
    """`count` questions of each kind after `COLD` cold ones, at random times of the archive."""
    random = Random(441200)
    with _serving(url) as (base, token), psycopg.connect(libpq_url(url), autocommit=True) as db:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=base, headers=headers, timeout=60) as http:
            asked = _Asked(db, http, random, start, end)
            return {name: asked.measured(name, count) for name in BARS_MS}


class _Asked:
    def __init__(
        self,
        db: "psycopg.Connection[Any]",
        http: httpx.Client,
        random: Random,
        start: datetime,
        end: datetime,
    ) -> None:
        query = "SELECT sensor_id FROM ingest.sensors WHERE 'traffic.speed' = ANY (metrics)"
        self._sensors = [row[0] for row in db.execute(query)]
        self._db, self._http, self._random = db, http, random
        self._first = start + min(timedelta(days=1), (end - start) / 2)
        self._end = end

    def measured(self, name: str, count: int) -> dict[str, Any]:
        cold = [self._ask(name, *self._where()) for _ in range(COLD)]
        ours, limits = [], []
        for _ in range(count):
            ours.append(self._ask(name, *self._where()))
            limits.append(self._limit(name, *self._where()))
        found: dict[str, Any] = report.latencies_ms(ours)
        found |= {f"limit_{key}": value for key, value in report.latencies_ms(limits).items()}
        middle = report.percentile(ours, 0.5), report.percentile(limits, 0.5)
        found |= {"ratio": round(middle[0] / middle[1], 3), "bar_p95_ms": BARS_MS[name]}
        return found | {"cold_worst_ms": round(max(cold) * 1000, 1), "spread": report.spread(ours)}

    def _where(self) -> tuple[str, datetime]:
        seconds = (self._end - self._first).total_seconds()
        at = self._first + timedelta(seconds=int(self._random.uniform(0, seconds)))
        return self._random.choice(self._sensors), at

    def _ask(self, name: str, sensor: str, at: datetime) -> float:
        params: dict[str, dict[str, Any]] = {
            "sensor_24h": {"sensor_id": sensor, "from": at - timedelta(days=1), "to": at},
            "districts_1h": {"group_by": "district", "from": at - timedelta(hours=1), "to": at},
            "city_at": {"at": at},
        }
        query = {
            k: v.isoformat() if isinstance(v, datetime) else v for k, v in params[name].items()
        }
        if name != "city_at":
            query |= {"metric": "traffic.speed", "points": 500 if name == "sensor_24h" else 60}
        return _timed(lambda: self._answered(query))

    def _answered(self, query: dict[str, Any]) -> None:
        answer = self._http.get("/v1/history", params=query)
        assert answer.status_code == 200, answer.text
        assert len(answer.content) > 1_000

    def _limit(self, name: str, sensor: str, at: datetime) -> float:
        values = {"sensor": sensor, "at": at}
        return _timed(lambda: self._db.execute(STATEMENTS[name].encode(), values).fetchall())


def _timed(do: Callable[[], Any]) -> float:
    begun = monotonic()
    do()
    return monotonic() - begun


@contextmanager
def server() -> Iterator[str]:
    """URL of a server for scratch databases: the one that is named, else an embedded one."""
    named = os.environ.get("YIWANG_TEST_DATABASE_URL")
    if named:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        started = embedded.start(Path(folder))
        try:
            yield started.url
        finally:
            embedded.stop(started)


@contextmanager
def _serving(url: str) -> Iterator[tuple[str, str]]:
    """ops_center as a process of its own: (its address, a screen's token)."""
    token, port = asyncio.run(_token(url)), free_port()
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        own = {
            "YIWANG_LOG_LEVEL": "WARNING",
            "YIWANG_DATABASE_URL": url,
            "YIWANG_PORT": str(port),
            "YIWANG_DATA_DIR": folder,
        }
        environment = {k: v for k, v in os.environ.items() if k != "YIWANG_KAFKA_BOOTSTRAP"}
        command = [sys.executable, "-m", "services.ops_center"]
        process = subprocess.Popen(command, env=environment | own)
        try:
            assert until(lambda: _ready(port), 60), "ops_center did not get ready"
            yield f"http://127.0.0.1:{port}", token
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


async def _token(url: str) -> str:
    engine = make_engine(url, 1)
    try:
        token = await ensure_screen_token(engine)
    finally:
        await engine.dispose()
    assert token is not None, "the database has a screen already"
    return token


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False
