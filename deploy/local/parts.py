"""Starts, finds again and ends the real parts of one data directory."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import kafka, timescale
from deploy.local.process import Handle, end, handle, is_alive, say
from shared.errors import Unavailable
from shared.store import embedded

STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Parts:
    """What runs. An address is "" for a part that was not asked for."""

    folder: Path
    kafka_bootstrap: str
    database_url: str

    def stop(self) -> None:
        """End exactly what was started."""
        stop(self.folder)


def available() -> dict[str, str | None]:
    """Part → None when it can be had on this machine, else what is missing and how to get it."""
    return {"kafka": kafka.reason_it_cannot_run(), "database": timescale.reason_it_cannot_run()}


def start(folder: Path, *, kafka: bool = True, database: bool = True) -> Parts:
    """Start what does not run yet. Raises `Misconfigured` or `Unavailable`, leaving nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _load(folder)
    try:
        if kafka and not _runs(known, "kafka"):
            known["kafka"] = _start_kafka(folder)
            _keep(folder, known)
        if database and not _runs(known, "database"):
            known["database"] = _start_database(folder)
            _keep(folder, known)
    except (Unavailable, KeyboardInterrupt):
        stop(folder)
        raise
    return Parts(
        folder,
        known["kafka"]["address"] if kafka else "",
        known["database"]["address"] if database else "",
    )


def stop(folder: Path) -> None:
    """End what runs. The database first: it is quick, and nothing in it needs Kafka."""
    known = _load(folder)
    if _runs(known, "database"):
        say("stopping PostgreSQL")
        end(_handle(known["database"]), signal.SIGINT, STOP_SECONDS)
    if _runs(known, "kafka"):
        say("stopping Kafka")
        end(_handle(known["kafka"]), signal.SIGTERM, STOP_SECONDS)
    _file(folder).unlink(missing_ok=True)


def status(folder: Path) -> dict[str, str]:
    """Part → address for what runs now."""
    known = _load(folder)
    return {name: known[name]["address"] for name in known if _runs(known, name)}


@contextmanager
def running(folder: Path) -> Iterator[Parts]:
    """Both parts for the time of a block."""
    parts = start(folder)
    try:
        yield parts
    finally:
        parts.stop()


def _start_kafka(folder: Path) -> dict[str, Any]:
    process, address = kafka.start(folder / "kafka")
    return {"pid": process.pid, "ticks": process.ticks, "address": address}


def _start_database(folder: Path) -> dict[str, Any]:
    programs = timescale.programs()
    say("starting PostgreSQL with TimescaleDB")
    server = embedded.start(folder / "timescale", programs)
    process = handle(server.pid)
    return {"pid": process.pid, "ticks": process.ticks, "address": server.url}


def _runs(known: dict[str, Any], name: str) -> bool:
    return name in known and is_alive(_handle(known[name]))


def _handle(part: dict[str, Any]) -> Handle:
    return Handle(part["pid"], part["ticks"])


def _file(folder: Path) -> Path:
    return folder / "parts.json"


def _load(folder: Path) -> dict[str, Any]:
    file = _file(folder)
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return known


def _keep(folder: Path, known: dict[str, Any]) -> None:
    file = _file(folder)
    file.touch(mode=0o600)  # it holds the database's password
    file.write_text(json.dumps(known))
