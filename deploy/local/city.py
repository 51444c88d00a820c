"""Production's shape on one machine: real parts, each service its own process, one origin."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx

from deploy.local import parts
from deploy.local.process import Handle, end, is_alive, launch, say, tail
from shared.clock import monotonic
from shared.errors import Misconfigured, Unavailable
from shared.pause import until
from shared.settings import Settings
from shared.store.embedded import free_port

ROOT = Path(__file__).parents[2]
CADDYFILE = Path(__file__).parent / "Caddyfile"
READY_SECONDS = 90.0
WATCH_SECONDS = 0.5
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_SECONDS = 60.0  # a process that ran this long starts again without delay

SERVICES: Mapping[str, tuple[str, ...]] = {
    "gateway": ("services.ingest", "gateway"),
    "normaliser": ("services.ingest", "normaliser"),
    "writer": ("services.ingest", "writer"),
    "alerts": ("services.alerts",),
    "ops_center": ("services.ops_center",),
}


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: Handle | None = None
    started: float = 0.0
    failures: int = 0


@dataclass
class City:
    """The processes of one city; `ports`: name → loopback port."""

    settings: Settings
    folder: Path
    started: parts.Parts
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Base address of one service."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def prepare(self) -> None:
        """Migrate, seed, make the first credentials. Raises `Unavailable` with what it said."""
        command = [sys.executable, "-m", "services", "setup"]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment("setup"), stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise Unavailable(f"setting up failed:\n{done.stderr[-2000:]}")

    def start(self, name: str) -> None:
        """Start one service, or start it again."""
        command = [sys.executable, "-m", *SERVICES[name]]
        self.launch(Child(name, command, self._environment(name)))

    def start_front_door(self) -> None:
        """The reverse proxy before the services."""
        caddy = Path(sys.executable).parent / "caddy"
        if not caddy.exists():
            raise Misconfigured("the reverse proxy is not installed: run `make city`")
        front = {
            "FRONT_HOST": self.settings.host,
            "FRONT_PORT": str(self.settings.port),
            "GATEWAY": f"127.0.0.1:{self.ports['gateway']}",
            "ALERTS": f"127.0.0.1:{self.ports['alerts']}",
            "OPS_CENTER": f"127.0.0.1:{self.ports['ops_center']}",
        }
        variables = {f"YIWANG_{name}": value for name, value in front.items()}
        command = [str(caddy), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        self.launch(Child("front door", command, os.environ | variables | home))

    def start_simulator(self) -> None:
        """The simulated city, producing to Kafka."""
        command = [
            sys.executable, "-m", "services.simulator", "city", "--via", "kafka",
            "--kafka", self.started.kafka_bootstrap, "--url", self.url("gateway"),
        ]  # fmt: skip
        self.launch(Child("simulator", command, self._environment("simulator")))

    def launch(self, child: Child) -> None:
        """Start a process; `watch` keeps it running."""
        child.started = monotonic()
        child.process = launch(child.command, self.log(child.name), ROOT, child.environment)
        self.children[child.name] = child

    def wait_ready(self) -> None:
        """Until every service is ready. Raises `Unavailable` with the end of a log."""
        for name in SERVICES:
            if not until(lambda name=name: self._ready(name), READY_SECONDS):  # type: ignore[misc]
                raise Unavailable(f"{name} is not ready:\n{tail(self.log(name))}")

    def watch(self, stop: threading.Event) -> None:
        """Start again what dies, with a growing pause, until `stop`."""
        while not stop.wait(WATCH_SECONDS):
            for child in list(self.children.values()):
                if child.process is not None and is_alive(child.process):
                    continue
                lived = monotonic() - child.started
                child.failures = 0 if lived > STEADY_SECONDS else child.failures + 1
                pause = BACKOFF_SECONDS[min(child.failures, len(BACKOFF_SECONDS) - 1)]
                say(f"{child.name} has ended; starting it again in {pause} s")
                if stop.wait(pause):
                    return
                self.launch(child)

    def stop(self) -> None:
        """End every process, sources first; all of them drain at the same time."""
        running = [child.process for child in self.children.values() if child.process]
        for process in running:
            if is_alive(process):
                os.kill(process.pid, signal.SIGTERM)
        for process in running:
            end(process)

    def log(self, name: str) -> Path:
        """What a process prints."""
        return self.folder / f"{name.replace(' ', '-')}.log"

    def _environment(self, name: str) -> dict[str, str]:
        self.ports.setdefault(name, free_port())
        own = {
            "DATA_DIR": str(self.settings.data_dir.resolve()),
            "DATABASE_URL": self.started.database_url,
            "KAFKA_BOOTSTRAP": self.started.kafka_bootstrap,
            "HOST": "127.0.0.1",
            "PORT": str(self.ports[name]),
        }
        return os.environ | {f"YIWANG_{key}": value for key, value in own.items()}

    def _ready(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.url(name)}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def running(settings: Settings, started: parts.Parts) -> Iterator[City]:
    """Every service set up, started and ready; all ended afterwards."""
    started.folder.mkdir(parents=True, exist_ok=True)
    city = City(settings, started.folder, started)
    try:
        say("setting up")
        city.prepare()
        say("starting the services")
        for name in SERVICES:
            city.start(name)
        city.wait_ready()
        yield city
    finally:
        city.stop()


def run(settings: Settings, folder: Path) -> int:
    """`make city`: until Ctrl-C or SIGTERM. Returns the exit code."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            return
        stop.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    started = parts.Parts(folder, "", "")
    try:
        started = parts.start(folder)
        with running(settings, started) as city:
            city.start_front_door()
            if settings.simulator == "on":
                city.start_simulator()
            _announce(settings, city)
            city.watch(stop)
    except KeyboardInterrupt:
        say("stopping")
    finally:
        started.stop()
    return 0


def _announce(settings: Settings, city: City) -> None:
    known = json.loads(settings.credentials_path.read_text())
    base = f"http://{settings.host}:{settings.port}"
    print(
        f"\n  wall       {base}/?token={known.get('screen_token', '')}"
        f"\n  console    {base}/console"
        f"\n  keys       {settings.credentials_path}"
        f"\n  Kafka      {city.started.kafka_bootstrap}"
        f"\n  logs       {city.folder}/*.log"
        "\n  Ctrl-C stops everything; the data stays.\n",
        flush=True,
    )
