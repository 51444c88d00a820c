"""Starts, finds again and ends the real parts of one data directory."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import kafka as broker
from deploy.local import timescale
from deploy.local.process import Handle, end, handle, is_alive, keep, say, sole
from shared.errors import Misconfigured
from shared.store import embedded

STOP_SECONDS = 15.0
_FIRST = {"kafka": signal.SIGTERM, "database": signal.SIGINT}  # PostgreSQL: a fast shutdown
_NAMES = {"kafka": "Kafka", "database": "PostgreSQL with TimescaleDB"}


@dataclass(frozen=True)
class Parts:
    """What runs. An address is "" for a part that was not asked for."""

    folder: Path
    kafka_bootstrap: str
    database_url: str

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End exactly what was started; by force after `seconds`."""
        stop(self.folder, seconds)


def available() -> dict[str, str | None]:
    """Part → None when it can be had on this machine, else what is missing and how to get it."""
    return {"kafka": broker.reason_it_cannot_run(), "database": timescale.reason_it_cannot_run()}


def start(
    folder: Path,
    doors: Mapping[int, int] | None = None,
    /,
    *,
    kafka: bool = True,
    database: bool = True,
) -> Parts:
    """Start what does not run yet. `doors` of Kafka: see `kafka.start`.

    Raises `Misconfigured` or `Unavailable`: then whatever this call began is ended, and what ran
    before it still runs.
    """
    asked = _asked(kafka, database)
    with sole(folder / "parts.lock"):
        known = _load(folder)
        _refuse_impossible([name for name in asked if not _runs(known, name)])
        before = {name for name in known if _runs(known, name)}
        try:
            for name in asked:
                if name == "kafka":
                    _start_kafka(folder, known, doors)
                else:
                    _start_database(folder, known)
        except BaseException:
            _end(known, set(known) - before, STOP_SECONDS)
            raise
    addresses = {name: str(known[name]["address"]) for name in asked}
    return Parts(folder, addresses.get("kafka", ""), addresses.get("database", ""))


def stop(
    folder: Path, seconds: float = STOP_SECONDS, *, kafka: bool = True, database: bool = True
) -> None:
    """End what runs of these; both at once, by force after `seconds`."""
    if not folder.exists():
        return
    with sole(folder / "parts.lock"):
        known = _load(folder)
        names = set(known) & set(_asked(kafka, database))
        _end(known, names, seconds)
        keep(_file(folder), {name: part for name, part in known.items() if name not in names})


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


def _asked(kafka: bool, database: bool) -> list[str]:
    return [name for name, wanted in (("kafka", kafka), ("database", database)) if wanted]


def _start_kafka(folder: Path, known: dict[str, Any], doors: Mapping[int, int] | None) -> None:
    if not _runs(known, "kafka"):
        process, address = broker.start(folder / "kafka", doors)
        # Kept before it is ready: whoever is killed while waiting leaves no unknown process.
        _know(folder, known, "kafka", process, address)
    broker.wait_ready(_handle(known["kafka"]), folder / "kafka")


def _start_database(folder: Path, known: dict[str, Any]) -> None:
    if _runs(known, "database"):
        return
    programs = timescale.programs()
    say("starting PostgreSQL with TimescaleDB")
    server = embedded.start(folder / "timescale", programs)
    _know(folder, known, "database", handle(server.pid), server.url)


def _refuse_impossible(names: list[str]) -> None:
    reasons = available() if names else {}
    missing = [reason for name in names if (reason := reasons[name]) is not None]
    if missing:
        raise Misconfigured("; ".join(missing))


def _end(known: dict[str, Any], names: set[str], seconds: float) -> None:
    running = [name for name in sorted(names) if _runs(known, name)]
    for name in running:
        say(f"stopping {_NAMES[name]}")
    end({_handle(known[name]): _FIRST[name] for name in running}, seconds)


def _know(folder: Path, known: dict[str, Any], name: str, process: Handle, address: str) -> None:
    known[name] = {"pid": process.pid, "ticks": process.ticks, "address": address}
    keep(_file(folder), known)


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
