"""What may be wrong with an installation: each look says what it found, and how to mend it.

A look changes nothing, waits a few seconds at most, and needs no part of the platform to run.
"""

import asyncio
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from alembic.config import Config
from alembic.script import ScriptDirectory

from deploy import migrations
from services.alerts.rules import files as rule_files
from services.ops_center.pages import DIST
from shared.clock import Clock
from shared.contracts.topics import TOPICS
from shared.errors import Misconfigured
from shared.eventlog.kafka_access import access_of
from shared.settings import Settings
from shared.store import embedded
from shared.store.engine import libpq_url
from shared.vitals import ends_at, nearest

SECONDS = 5.0
LITTLE, HARDLY_ANY = 0.10, 0.03  # of a disk
SKEW, GREAT_SKEW = timedelta(seconds=1), timedelta(seconds=30)
CERTIFICATE_DAYS = 14


class State(StrEnum):
    """`ok`; `doubt`: works, and should be looked at; `bad`: does not work."""

    OK = "ok"
    DOUBT = "doubt"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """`mend`: what to do, as one who has never been here can do it; "" where all is well."""

    what: str
    state: State
    said: str
    mend: str = ""


def disk(settings: Settings) -> Iterator[Finding]:
    """Room, and whether we may write."""
    folder = settings.data_dir.resolve()
    there = nearest(folder)
    usage = shutil.disk_usage(there)
    share, said = usage.free / usage.total, f"{usage.free / 1e9:.0f} GB free at {there}"
    mend = "make room, enlarge the disk, or set YIWANG_DATA_DIR to a folder on another one"
    state = State.BAD if share < HARDLY_ANY else State.DOUBT if share < LITTLE else State.OK
    yield Finding("disk", state, said, mend if state is not State.OK else "")
    if not os.access(there, os.W_OK):
        said = f"{there} cannot be written by user {os.getuid()}"
        mend = f"chown {os.getuid()} {there}, or set YIWANG_DATA_DIR"
        yield Finding("data directory", State.BAD, said, mend)


def credentials(settings: Settings) -> Iterator[Finding]:
    """Who may read the first ones."""
    path = settings.credentials_path
    if not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        said = f"{path} can be read by others (mode {mode:o})"
        yield Finding("credentials", State.DOUBT, said, f"chmod 600 {path}")
    else:
        yield Finding("credentials", State.OK, str(path))


def port(settings: Settings) -> Iterator[Finding]:
    """Ours, free, or somebody else's."""
    where = f"{settings.host}:{settings.port}"
    if _answers_as_ours(settings):
        yield Finding("port", State.OK, f"Yiwang answers at {where}")
        return
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            mend = (
                f"see who it is (`ss -ltnp 'sport = :{settings.port}'`) and end that, or set"
                " YIWANG_PORT; an address of another machine: set YIWANG_HOST"
            )
            yield Finding("port", State.BAD, f"{where}: {error.strerror}", mend)
            return
    yield Finding("port", State.OK, f"{where} is free")


def certificate(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Of the front door, if it serves HTTPS."""
    path = settings.tls_cert_file
    if path is None:
        return
    try:
        left = datetime.fromtimestamp(ends_at(path), UTC) - clock()
    except (OSError, ValueError) as error:
        mend = "YIWANG_TLS_CERT_FILE must name a readable PEM file, its own certificate first"
        yield Finding("certificate", State.BAD, f"{path}: {error}", mend)
        return
    said = f"{path} ends in {left.days} days"
    state = State.BAD if left.days < 0 else State.DOUBT
    if left.days >= CERTIFICATE_DAYS:
        yield Finding("certificate", State.OK, said)
    else:
        yield Finding("certificate", state, said, f"put a new one at {path}, then restart")


def rules(settings: Settings) -> Iterator[Finding]:
    """Files of rules that cannot be read."""
    if not settings.rules_dir.is_dir():
        said = f"{settings.rules_dir.resolve()} is no folder"
        yield Finding("rules", State.BAD, said, "start where `rules/` is, or set YIWANG_RULES_DIR")
        return
    found, errors = rule_files.load(settings.rules_dir)
    for error in errors:
        mend = f"mend the file; `python -m services.alerts test {settings.rules_dir}` tries it"
        yield Finding("rules", State.BAD, str(error), mend)
    if not errors:
        yield Finding("rules", State.OK, f"{len(found)} rules in {settings.rules_dir}")


def wall(dist: Path = DIST) -> Iterator[Finding]:
    """Whether the pages are built."""
    if (dist / "index.html").exists():
        yield Finding("wall", State.OK, "built")
    else:
        yield Finding("wall", State.BAD, "the wall's pages are not built", "make wall")


def database(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Whether it answers, its clock, its schema, its backups."""
    url = settings.database_url or embedded.address(settings.data_dir / "postgres")
    if url is None:
        yield Finding("database", State.OK, "the embedded one does not run: `make run` starts it")
        return
    try:
        with psycopg.connect(libpq_url(url), connect_timeout=int(SECONDS)) as connection:
            yield Finding("database", State.OK, f"PostgreSQL {_version(connection)} answers")
            yield _skew(connection, clock)
            yield _schema(connection)
            yield from _backups(connection)
    except psycopg.Error as error:
        mend = (
            "start it, or correct YIWANG_DATABASE_URL (host, port, user, password; with TLS:"
            " sslmode, sslrootcert). `psql` with the same address says more"
        )
        yield Finding("database", State.BAD, str(error).strip().partition("\n")[0], mend)


def event_log(settings: Settings) -> Iterator[Finding]:
    """Kafka, where it is the log."""
    if not settings.kafka_bootstrap:
        yield Finding("event log", State.OK, "in the database: no Kafka is named")
        return
    try:
        missing = asyncio.run(_missing_topics(settings.kafka_bootstrap, access_of(settings)))
    except Misconfigured as error:
        yield Finding("Kafka", State.BAD, str(error), "correct the setting that it names")
    except (KafkaError, OSError, TimeoutError) as error:
        said = f"{settings.kafka_bootstrap}: {error or type(error).__name__}"
        mend = (
            "start the broker, or correct YIWANG_KAFKA_BOOTSTRAP, YIWANG_KAFKA_SECURITY. A broker"
            " that answers and then is not found advertises another address than you reach it at"
            " (`advertised.listeners`)"
        )
        yield Finding("Kafka", State.BAD, said, mend)
    else:
        said = f"{settings.kafka_bootstrap} answers" + (
            f"; no {', '.join(missing)}" * bool(missing)
        )
        mend = "any process of the platform makes them at its start; it needs the right to CREATE"
        state = State.DOUBT if missing else State.OK
        yield Finding("Kafka", state, said, mend if missing else "")


def _answers_as_ours(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    if settings.scheme == "https":
        with socket.socket() as probe:
            probe.settimeout(SECONDS)
            return probe.connect_ex((host, settings.port)) == 0
    try:
        with urlopen(f"http://{host}:{settings.port}/livez", timeout=SECONDS) as answer:
            return bytes(answer.read(64)) == b'{"status":"ok"}'
    except (HTTPError, URLError, OSError):
        return False


def _version(connection: "psycopg.Connection[Any]") -> str:
    return f"{connection.info.server_version // 10_000}"


def _skew(connection: "psycopg.Connection[Any]", clock: Clock) -> Finding:
    before = clock()
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    away = abs((row[0] if row else before) - (before + (clock() - before) / 2))
    said = f"{away.total_seconds():.1f} s away from the database's"
    if away < SKEW:
        return Finding("clock", State.OK, said)
    mend = (
        "let NTP set both clocks (`timedatectl set-ntp true`): event time decides everything here"
    )
    return Finding("clock", State.BAD if away > GREAT_SKEW else State.DOUBT, said, mend)


def _schema(connection: "psycopg.Connection[Any]") -> Finding:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    head = str(scripts.get_current_head())
    found = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    setup = "python -m services setup   (as the database's owner)"
    if found is None or not found[0]:
        return Finding("schema", State.BAD, "the database is empty", setup)
    row = connection.execute("SELECT version_num FROM schema_version").fetchone()
    have = str(row[0]) if row else "none"
    if have == head:
        return Finding("schema", State.OK, f"migration {head}")
    if have in {script.revision for script in scripts.walk_revisions()}:
        return Finding("schema", State.BAD, f"migration {have}; this version needs {head}", setup)
    said = f"migration {have} is of a newer version than this one ({head})"
    return Finding("schema", State.DOUBT, said, "finish the upgrade: start the newer version")


def _backups(connection: "psycopg.Connection[Any]") -> Iterator[Finding]:
    query = "SELECT slot_name, active FROM pg_replication_slots WHERE slot_name ~ '^yiwang_backup'"
    rows = connection.execute(query).fetchall()
    for name, active in rows:
        mend = f"begin a backup again, or SELECT pg_drop_replication_slot('{name}')"
        said = f"{name} is {'received' if active else 'not received any more: the log piles up'}"
        yield Finding("backup", State.OK if active else State.BAD, said, "" if active else mend)
    if not rows:
        mend = "docs/backup.md"
        yield Finding("backup", State.DOUBT, "no backup receives the database's log", mend)


async def _missing_topics(bootstrap: str, access: dict[str, Any]) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **access)
    try:
        async with asyncio.timeout(SECONDS):
            await admin.start()
            known = set(await admin.list_topics())
    finally:
        await admin.close()
    return [topic.name for topic in TOPICS if topic.name not in known]
