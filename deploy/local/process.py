"""Processes that outlive their starter: found again by pid and start time, ended for sure."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import Misconfigured
from shared.pause import until
from shared.store.embedded import alive

KILL_SECONDS = 5.0


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


def end(first: Mapping[Handle, signal.Signals], seconds: float) -> None:
    """Send each its signal, all at once; SIGKILL to what has not ended in `seconds`."""
    left = _signal(first, seconds)
    _signal(dict.fromkeys(left, signal.SIGKILL), KILL_SECONDS)


def _signal(numbers: Mapping[Handle, signal.Signals], seconds: float) -> list[Handle]:
    """Returns what still runs after `seconds`."""
    for process, number in numbers.items():
        if is_alive(process):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
    until(lambda: not any(is_alive(process) for process in numbers), seconds)
    return [process for process in numbers if is_alive(process)]


@contextmanager
def sole(lock: Path, busy: str | None = None) -> Iterator[None]:
    """Hold `lock`. When another process has it: wait, or raise `Misconfigured(busy)`."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise Misconfigured(busy) from None
        yield


def keep(file: Path, known: Any) -> None:
    """Write JSON, whole or not at all, for the owner's eyes only."""
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(known))
    partial.replace(file)


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
