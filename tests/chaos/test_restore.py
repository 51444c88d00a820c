"""The restore drill: the database is gone for good, and nothing that was acknowledged with it."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from deploy.local import backup, parts
from deploy.local.process import is_alive
from shared.errors import Misconfigured
from tests.chaos import evidence
from tests.chaos.checker import check_quarantine, check_readings, promised
from tests.chaos.evidence import load
from tests.chaos.journal import Journal, read
from tests.chaos.posting import Client, Poster
from tests.shape import Shape, production
from tests.waiting import until

MISSING = {name: reason for name, reason in parts.available().items() if reason}
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"NO REAL PARTS: {MISSING}")
SENSORS = [f"drill-{number}" for number in range(8)]


@pytest.fixture
def shape(tmp_path: Path) -> Iterator[Shape]:
    with parts.running(tmp_path / "parts") as running:
        yield from _production(tmp_path, running)


def _production(tmp_path: Path, running: parts.Parts) -> Iterator[Shape]:
    with production(tmp_path / "city", running.database_url, running.kafka_bootstrap) as started:
        yield started


@pytest.fixture
def poster(shape: Shape, tmp_path: Path) -> Iterator[Poster]:
    key = shape.credentials["api_key"]
    rows = [{"sensor_id": name, "metrics": ["gas.concentration"]} for name in SENSORS]
    answer = httpx.post(
        f"{shape.url('gateway')}/v1/sensors", json=rows, timeout=30,
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.is_success, answer.text
    journal = Journal(tmp_path / "posts.jsonl")
    running = Poster(Client([shape.url("gateway")], key, journal), SENSORS, 1, 0.1)
    running.start()
    yield running
    running.stop.set()
    running.join(60)
    journal.close()


def acknowledged(folder: Path) -> int:
    return sum(1 for _ in read(folder / "posts.jsonl"))


def stored(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM ingest.readings").fetchone()
        return row[0] if row else 0


def more(folder: Path, count: int) -> None:
    """Until so many further batches are acknowledged."""
    goal = acknowledged(folder) + count
    assert until(lambda: acknowledged(folder) >= goal, 120)


def lose_the_database(folder: Path) -> None:
    os.kill(parts._load(folder)["database"]["pid"], signal.SIGKILL)
    assert until(lambda: "database" not in parts.status(folder), 30)
    shutil.rmtree(folder / "timescale")


@pytest.mark.timeout(900)
def test_a_restored_database_has_all_that_was_acknowledged(
    shape: Shape, poster: Poster, tmp_path: Path
) -> None:
    home, into = tmp_path / "parts", tmp_path / "backup"
    more(tmp_path, 20)
    receiver = backup.begin(home, into)
    more(tmp_path, 20)
    # The place of the backups is lost before the database is: the last of the log is nowhere else.
    until(lambda: stored(shape.database_url) > 20 * len(SENSORS), 60)
    os.kill(receiver.pid, signal.SIGKILL)
    assert until(lambda: not is_alive(receiver), 10)
    more(tmp_path, 20)
    lose_the_database(home)
    restored = backup.restore(into, home)
    print(f"restored with {stored(restored.database_url)} readings")
    assert restored.database_url == shape.database_url  # its old address: nobody need be told
    more(tmp_path, 20)
    poster.stop.set()
    poster.join(60)
    assert not poster.failed, poster.client.tally
    journal = {"posts": list(read(tmp_path / "posts.jsonl"))}
    wanted = len(promised(evidence.Evidence(journals=journal))[0])
    assert until(lambda: stored(shape.database_url) >= wanted, 120), shape.log("writer")[-3000:]
    evidence.collect(shape.database_url, tmp_path)
    found = load(tmp_path)
    assert [*map(str, check_readings(found)), *map(str, check_quarantine(found))] == []


def test_a_backup_is_never_written_over_and_a_database_neither(tmp_path: Path) -> None:
    home, into = tmp_path / "parts", tmp_path / "backup"
    started = parts.start(home, kafka=False)
    try:
        backup.stop(backup.begin(home, into))
        with pytest.raises(Misconfigured, match="holds a backup already"):
            backup.begin(home, into)
        with pytest.raises(Misconfigured, match="move it away first"):
            backup.restore(into, home)
        with pytest.raises(Misconfigured, match="holds no backup"):
            backup.restore(tmp_path / "nothing", tmp_path / "new")
    finally:
        started.stop()
