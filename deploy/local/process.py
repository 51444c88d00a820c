"""Processes that outlive their starter: found again by pid and start time, ended for sure."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.pause import until
from shared.store.embedded import alive

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yiwang"


@dataclass(frozen=True)
class Handle:
    """A pid, and when (clock ticks since boot) it started: pids are used again, pairs are not."""

    pid: int
    ticks: int


def handle(pid: int) -> Handle:
    """The handle of a live process."""
    return Handle(pid, _ticks(pid))


def is_alive(process: Handle) -> bool:
    """True while this very process runs."""
    return alive(process.pid) and _ticks(process.pid) == process.ticks


def launch(
    command: Sequence[str],
    log: Path,
    folder: Path = Path("/"),
    environment: Mapping[str, str] | None = None,
) -> Handle:
    """Start in `folder` and a session of its own (Ctrl-C is for us), output to `log`."""
    with log.open("ab") as sink:
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=folder,
            env=environment, start_new_session=True,
        )  # fmt: skip
    return handle(started.pid)


def end(process: Handle, first: signal.Signals = signal.SIGTERM, seconds: float = 10.0) -> None:
    """`first`, then SIGKILL when it has not ended in time."""
    for number in (first, signal.SIGKILL):
        if not is_alive(process):
            return
        os.kill(process.pid, number)
        if until(lambda: not is_alive(process), seconds):
            return


def say(line: str) -> None:
    """Progress, on standard error: standard output is for the two variables."""
    print(f"  {line}", file=sys.stderr, flush=True)


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _ticks(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return -1
