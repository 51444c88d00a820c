"""Keeps processes running, and knows them again when it was killed itself."""

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import Handle, end, is_alive, keep, launch, say
from shared.clock import monotonic

BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_SECONDS = 60.0  # a process that ran this long has earned the shortest pause again


@dataclass
class Child:
    """One process. `due`: when (monotonic seconds) it is started again; None while it runs."""

    command: list[str]
    folder: Path
    environment: Mapping[str, str]
    process: Handle
    started: float
    failures: int = 0
    due: float | None = None


class Supervisor:
    """The children of one data directory; each prints to `<folder>/<name>.log`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "processes.json"
        self.children: dict[str, Child] = {}

    def end_orphans(self) -> None:
        """End what a supervisor that was killed left running."""
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        orphans = {name: Handle(*pair) for name, pair in known.items()}
        for name in [name for name, process in orphans.items() if is_alive(process)]:
            say(f"ending {name}, left over from last time")
        end(dict.fromkeys(orphans.values(), signal.SIGTERM), 8.0)

    def start(
        self, name: str, command: list[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        """Start a process in `folder`; `mend` keeps it running from now on."""
        process = launch(command, self.log(name), folder, environment)
        self.children[name] = Child(command, folder, environment, process, monotonic())
        self._keep()

    def mend(self, now: float) -> None:
        """Start again what has died, each after a growing pause of its own; `now`: monotonic."""
        for name, child in self.children.items():
            if is_alive(child.process):
                continue
            if child.due is None:
                child.due = now + _pause(child, now)
                say(f"{name} has ended; starting it again in {child.due - now:g} s")
            if now >= child.due:
                self._again(name, child, now)

    def stop(self, seconds: float) -> None:
        """End all at the same time, by force what has not drained in `seconds`."""
        processes = [child.process for child in self.children.values()]
        end(dict.fromkeys(processes, signal.SIGTERM), seconds)
        self._file.unlink(missing_ok=True)

    def runs(self, name: str) -> bool:
        """True while the process of this name runs."""
        return is_alive(self.children[name].process)

    def log(self, name: str) -> Path:
        """What a process prints."""
        return self._folder / f"{name.replace(' ', '-')}.log"

    def _again(self, name: str, child: Child, now: float) -> None:
        child.process = launch(child.command, self.log(name), child.folder, child.environment)
        child.started, child.due = now, None
        self._keep()

    def _keep(self) -> None:
        pairs = {name: (c.process.pid, c.process.ticks) for name, c in self.children.items()}
        keep(self._file, pairs)


def _pause(child: Child, now: float) -> float:
    child.failures = 0 if now - child.started > STEADY_SECONDS else child.failures + 1
    return BACKOFF_SECONDS[min(max(child.failures - 1, 0), len(BACKOFF_SECONDS) - 1)]
