"""Real Kafka and TimescaleDB without Docker: started, found again, restarted, ended for sure."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import kafka, parts, process, timescale
from deploy.local.cache import building
from shared.errors import Misconfigured, Unavailable
from tests.waiting import until

MISSING = {name: reason for name, reason in parts.available().items() if reason}
ROOT = Path(__file__).parents[2]
TOPIC = "parts.proof"

needs_parts = pytest.mark.skipif(bool(MISSING), reason=f"NO REAL PARTS: {MISSING}")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[parts.Parts]:
    with parts.running(tmp_path_factory.mktemp("parts")) as running:
        yield running


def processes(folder: Path) -> list[str]:
    """Command lines of whatever runs on a data directory, by any of its names."""
    seen = str(timescale.Chrooted().seen((folder / "timescale").resolve()))
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in words or seen in words:
            found.append(words)
    return found


def kill(folder: Path) -> None:
    """`kill -9` of both, as a crash of the machine's owner would."""
    for part in parts._load(folder).values():
        os.kill(part["pid"], signal.SIGKILL)
    assert until(lambda: parts.status(folder) == {}, 10)


async def produce(bootstrap: str, value: bytes) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        return int((await producer.send_and_wait(TOPIC, value)).offset)
    finally:
        await producer.stop()


async def consume(bootstrap: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def make_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()


@needs_parts
async def test_killed_parts_come_back_where_they_were_with_all_they_acknowledged(
    started: parts.Parts,
) -> None:
    await make_topic(started.kafka_bootstrap)
    await produce(started.kafka_bootstrap, b"before")
    with psycopg.connect(started.database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
        connection.execute("CREATE TABLE proof (at timestamptz NOT NULL, value float8)")
        connection.execute("SELECT create_hypertable('proof', by_range('at'))")
        connection.execute("INSERT INTO proof VALUES (now(), 1), (now() - interval '30 days', 2)")
    kill(started.folder)
    again = parts.start(started.folder)
    assert again == started
    await produce(again.kafka_bootstrap, b"after")
    assert await consume(again.kafka_bootstrap, 2) == [b"before", b"after"]
    with psycopg.connect(again.database_url) as connection:
        assert connection.execute("SELECT sum(value) FROM proof").fetchone() == (3.0,)
        chunks = connection.execute("SELECT count(*) FROM show_chunks('proof')").fetchone()
        assert chunks == (2,)


@needs_parts
def test_starting_twice_changes_nothing_and_says_the_two_variables(started: parts.Parts) -> None:
    before = parts._load(started.folder)
    command = [sys.executable, "-m", "deploy.local", "up", "--data-dir", str(started.folder)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        f"YIWANG_KAFKA_BOOTSTRAP={started.kafka_bootstrap}",
        f"YIWANG_DATABASE_URL={started.database_url}",
    ]
    assert parts._load(started.folder) == before


@needs_parts
def test_the_password_is_needed_and_kept_from_others(started: parts.Parts) -> None:
    wrong = started.database_url.replace("yiwang:", "yiwang:not-")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    assert (started.folder / "parts.json").stat().st_mode & 0o077 == 0


@needs_parts
def test_what_cannot_start_leaves_what_ran_before(
    started: parts.Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = parts.status(started.folder)
    os.kill(parts._load(started.folder)["database"]["pid"], signal.SIGKILL)
    assert until(lambda: "database" not in parts.status(started.folder), 10)
    monkeypatch.setattr(timescale, "programs", lambda: fail("no such program"))
    with pytest.raises(Unavailable, match="no such program"):
        parts.start(started.folder)
    assert parts.status(started.folder) == {"kafka": running["kafka"]}
    monkeypatch.undo()
    assert parts.start(started.folder) == started


def fail(why: str) -> None:
    raise Unavailable(why)


@needs_parts
def test_down_leaves_no_process_and_no_mount(tmp_path: Path) -> None:
    mounts = Path("/proc/self/mounts").read_text()
    started = parts.start(tmp_path)
    assert processes(tmp_path)
    started.stop()
    assert parts.status(tmp_path) == {}
    assert until(lambda: not processes(tmp_path), 10), processes(tmp_path)
    assert Path("/proc/self/mounts").read_text() == mounts


@needs_parts
def test_an_interrupted_start_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local", "up", "--data-dir", str(tmp_path)]
    up = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    assert until(lambda: bool(parts.status(tmp_path)), 60)
    up.terminate()
    assert up.wait(90) == 130
    assert until(lambda: not processes(tmp_path), 10), processes(tmp_path)


def test_without_java_or_maven_the_error_names_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "CACHE", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(Misconfigured, match="openjdk-17-jre-headless"):
        parts.start(tmp_path / "data", database=False)
    monkeypatch.setattr(kafka, "java_version", lambda: 17)
    with pytest.raises(Misconfigured, match="apt-get install maven"):
        parts.start(tmp_path / "data", database=False)


def test_without_root_the_error_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timescale, "_local_programs", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Misconfigured, match="postgresql-17-timescaledb"):
        parts.start(tmp_path, kafka=False)
    assert parts.status(tmp_path) == {}


def test_what_a_killed_builder_left_is_built_anew(tmp_path: Path) -> None:
    target = tmp_path / "root"
    (tmp_path / "root.partial").mkdir()
    (tmp_path / "root.partial" / "half").touch()
    with building(target) as place:
        assert place is not None
        assert not place.exists()
        place.mkdir()
    with building(target) as place:
        assert place is None
    assert list(target.iterdir()) == []


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "root"
    with pytest.raises(Unavailable), building(target) as place:
        assert place is not None
        place.mkdir()
        fail("the network is gone")
    assert not target.exists()
    assert not (tmp_path / "root.partial").exists()


def test_a_process_is_known_by_its_start_and_not_by_its_pid_alone() -> None:
    mine = process.handle(os.getpid())
    assert process.is_alive(mine)
    assert not process.is_alive(process.Handle(mine.pid, mine.ticks - 1))
