"""Production's shape on this machine: each service its own process, on Kafka and TimescaleDB."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.city import SERVICES
from shared.store.embedded import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[1]
# One for all: a client of its own for every look costs more than the look.
_http = httpx.Client(timeout=2)


@dataclass
class Shape:
    """Ports and processes by name. `root`: of the code that they run."""

    data_dir: Path
    database_url: str
    kafka_bootstrap: str
    ports: dict[str, int] = field(default_factory=dict)
    root: Path = ROOT
    running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Base address of one process."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def environment(self, name: str) -> dict[str, str]:
        """The settings of one process."""
        self.ports.setdefault(name, free_port())
        own = {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self._database(name),
            "DATABASE_ROLES_DIR": str(self.data_dir / "roles"),
            "KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "PORT": str(self.ports[name]),
            "WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
        }
        return os.environ | {f"YIWANG_{key}": value for key, value in own.items()}

    def command(self, name: str) -> list[str]:
        """The words that start one process."""
        return [sys.executable, "-m", *SERVICES[name]]

    def _database(self, name: str) -> str:
        """A service's own role; setup is the owner."""
        if name not in SERVICES:
            return self.database_url
        service = SERVICES[name][0].removeprefix("services.")
        return (self.data_dir / "roles" / service).read_text().strip()

    def start(self, name: str) -> None:
        """Start one process; it may not be ready yet."""
        environment = self.environment(name)
        with (self.data_dir / f"{name}.log").open("ab") as sink:
            self.running[name] = subprocess.Popen(
                self.command(name),
                cwd=self.root, env=environment, stdout=sink, stderr=sink, start_new_session=True,
            )  # fmt: skip

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Until every process is ready; AssertionError with the logs otherwise."""
        ready = until(lambda: all(self._ready(name) for name in self.running), seconds)
        assert ready, {name: self.log(name)[-1500:] for name in self.running}

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Signal one process and wait for its end."""
        process = self.running.pop(name)
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        """What a process printed."""
        return (self.data_dir / f"{name}.log").read_text(errors="replace")

    @property
    def credentials(self) -> dict[str, Any]:
        """What the first start kept."""
        known: dict[str, Any] = json.loads((self.data_dir / "credentials.json").read_text())
        return known

    def _ready(self, name: str) -> bool:
        try:
            return _http.get(f"{self.url(name)}/readyz").status_code == 200
        except httpx.HTTPError:
            return False


def set_up(shape: Shape) -> None:
    """Migrate, make roles, key and login."""
    command = [sys.executable, "-m", "services", "setup"]
    with (shape.data_dir / "setup.log").open("ab") as sink:  # it shows passwords
        subprocess.run(command, cwd=ROOT, env=shape.environment("setup"), check=True, stdout=sink)


@contextmanager
def production(folder: Path, database_url: str, kafka_bootstrap: str) -> Iterator[Shape]:
    """Every process, set up and ready; all ended afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = Shape(folder, database_url, kafka_bootstrap)
    set_up(shape)
    try:
        for name in SERVICES:
            shape.start(name)
        shape.wait_ready()
        yield shape
    finally:
        for name in list(shape.running):
            shape.end(name)
