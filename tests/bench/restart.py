"""`rule_restart`: `kill -9` of the alerts process that tracks 20,000 subjects, and its restart.

Value: seconds from the start of the process until a reading that was posted while it was dead has
raised its alert. Checked: no alert doubled, none lost, no storm. Denominator: a process that
imports the same code, reads the same snapshots and the same records, and does nothing with them.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from deploy.migrations.upgrade import upgrade
from shared.clock import monotonic, to_micros
from shared.contracts.reading import Reading
from shared.contracts.topics import READINGS, partition_of
from shared.eventlog.log import Outgoing
from shared.eventlog.postgres import PostgresLog
from shared.pause import until
from shared.store import embedded
from tests.bench import report
from tests.integration.story import PARTITIONS, record

ROOT = Path(__file__).parents[2]
SUBJECTS = 20_000
ACTIVE = 200  # of them with an alert, each an incident of its own
RECORD_ITEMS = 125
METRIC = "gas.concentration"
LIMIT_SECONDS = 5.0
RULES = """
- {id: pending, title: {zh: 慢, en: slow}, metric: gas.concentration, above: 20, for: 6h, grade: 4, priority: 4}
- {id: alone, title: {zh: 急, en: at once}, metric: gas.concentration, above: 90, grade: 1, priority: 1}
"""  # noqa: E501
READ_ONLY = """
import sys, psycopg
import services.alerts.app
with psycopg.connect(sys.argv[1]) as connection:
    kept = connection.execute("SELECT partition, next_offset, kept FROM alerts.snapshots "
                              "WHERE topic = 'city.readings'").fetchall()
    for partition, first, _ in kept:
        connection.execute('SELECT value FROM eventlog.records WHERE topic = %s AND partition = %s '
                           'AND "offset" >= %s', ("city.readings", partition, first)).fetchall()
"""
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)


def run(quick: bool) -> str:
    """See above."""
    machine = report.machine()
    ours: list[float] = []
    limits: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        server = embedded.start(Path(folder) / "postgres")
        try:
            upgrade(server.url)
            asyncio.run(_fill(server.url, Path(folder)))
            for number in range(1 if quick else 3):
                limits.append(_read_only(server.url))
                ours.append(_restart(server.url, Path(folder), number))
        finally:
            embedded.stop(server)
    more = {"subjects": SUBJECTS, "alerts": ACTIVE, "bar_seconds": LIMIT_SECONDS}
    return report.line("rule_restart", "s", ours, limits, **more, **machine)


async def _fill(url: str, folder: Path) -> None:
    """20,000 subjects over the limit of one rule, some over that of the other; then kill -9."""
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES)
    log = await PostgresLog(url).open()
    process = _start(url, folder)
    try:
        for second in (0, 60):  # the second one is newer than the first snapshots
            for some in _records(START + timedelta(seconds=second)):
                await log.publish(some)
            goal = sum((await log.ends(READINGS)).values())
            assert until(lambda goal=goal: _written(url) >= goal, 120), "not judged in time"  # type: ignore[misc]
    finally:
        _kill(process)
        await log.close()
    assert _one(url, "SELECT count(*) FROM alerts.alerts") == ACTIVE


def _records(now: datetime) -> Iterator[Sequence[Outgoing]]:
    dealt: dict[int, list[Reading]] = {number: [] for number in range(PARTITIONS)}
    for number in range(SUBJECTS):
        sensor = f"s{number}"
        value = 95.0 if number < ACTIVE else 30.0
        dealt[partition_of(sensor, PARTITIONS)].append(
            Reading(sensor, METRIC, to_micros(now), value)
        )
    for readings in dealt.values():
        yield [
            record(readings[first : first + RECORD_ITEMS], to_micros(now))
            for first in range(0, len(readings), RECORD_ITEMS)
        ]


def _restart(url: str, folder: Path, number: int) -> float:
    """Seconds until a reading of meanwhile has raised its alert."""
    before = _one(url, "SELECT count(*) FROM alerts.timeline")
    asyncio.run(_publish(url, f"marker{number}"))
    began = monotonic()
    process = _start(url, folder)
    try:
        query = f"SELECT count(*) FROM alerts.alerts WHERE subject = 'marker{number}'"
        assert until(lambda: _one(url, query) == 1, 60), "not evaluating again"
        took = monotonic() - began
        goal = _one(url, "SELECT sum(next_offset) FROM eventlog.partitions"
                         " WHERE topic = 'city.readings'")  # fmt: skip
        assert until(lambda: _written(url) >= goal, 60), "not all judged"
    finally:
        _kill(process)
    assert _one(url, "SELECT count(*) FROM alerts.timeline") == before + 1, "doubled, or a storm"
    assert _one(url, "SELECT count(*) FROM alerts.alerts WHERE state = 'active'") == (
        ACTIVE + number + 1
    ), "an alert is lost"
    return took


async def _publish(url: str, sensor: str) -> None:
    log = await PostgresLog(url).open()
    now = START + timedelta(minutes=5)
    await log.publish([record([Reading(sensor, METRIC, to_micros(now), 95.0)], to_micros(now))])
    await log.close()


def _read_only(url: str) -> float:
    began = monotonic()
    subprocess.run([sys.executable, "-c", READ_ONLY, url], cwd=ROOT, check=True)
    return monotonic() - began


def _start(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    own = {"DATABASE_URL": url, "RULES_DIR": str(folder / "rules"), "DATA_DIR": str(folder),
           "PORT": str(embedded.free_port())}  # fmt: skip
    with (folder / "alerts.log").open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "services.alerts"], cwd=ROOT, stdout=sink, stderr=sink,
            env=os.environ | {f"YIWANG_{name}": value for name, value in own.items()},
        )  # fmt: skip


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def _written(url: str) -> int:
    return _one(url, "SELECT coalesce(sum(next_offset), 0) FROM alerts.progress"
                     " WHERE topic = 'city.readings'")  # fmt: skip


def _one(url: str, query: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row is not None else 0
