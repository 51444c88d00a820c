"""Production's shape on one machine: real parts, each service its own process, one origin."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx

from deploy.local import parts
from deploy.local.process import say, sole, tail
from deploy.local.supervisor import Supervisor
from shared.clock import monotonic
from shared.errors import Misconfigured, Unavailable
from shared.pause import until
from shared.settings import Settings
from shared.store.embedded import free_port

ROOT = Path(__file__).parents[2]
CADDYFILE = Path(__file__).parent / "Caddyfile"
READY_SECONDS = 90.0
WATCH_SECONDS = 0.5
STOP_SECONDS = 14.0  # all of it: the services may take half, the parts the rest
FRONT_DOOR = "front door"

SERVICES: dict[str, tuple[str, ...]] = {
    "gateway": ("services.ingest", "gateway"),
    "normaliser": ("services.ingest", "normaliser"),
    "writer": ("services.ingest", "writer"),
    "alerts": ("services.alerts",),
    "ops_center": ("services.ops_center",),
}
# Only the front door speaks to the world.
OF_THE_FRONT_DOOR = (
    "YIWANG_TLS_CERT_FILE", "YIWANG_TLS_KEY_FILE", "YIWANG_DATABASE_URL",
    "YIWANG_DATABASE_URL_FILE", "YIWANG_DATABASE_ROLES_DIR",
)  # fmt: skip
# Only where the settings name a broker.
SUBSCRIBER: dict[str, tuple[str, ...]] = {"mqtt": ("services.ingest", "mqtt")}
PROCESSES = SERVICES | SUBSCRIBER


@dataclass
class City:
    """The processes of one city; `ports`: name → loopback port."""

    settings: Settings
    folder: Path
    supervisor: Supervisor
    kafka_bootstrap: str
    database_url: str
    ports: dict[str, int] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """Base address of one service, or of the front door."""
        if name == FRONT_DOOR:
            return f"{self.settings.scheme}://{_reachable(self.settings.host)}:{self.settings.port}"
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
        """Start one service."""
        command = [sys.executable, "-m", *PROCESSES[name]]
        self.supervisor.start(name, command, ROOT, self._environment(name))

    def start_front_door(self) -> None:
        """The reverse proxy before the services."""
        caddy = Path(sys.executable).parent / "caddy"
        if not caddy.exists():
            raise Misconfigured("the reverse proxy is not installed: run `make city`")
        front = {
            "FRONT_HOST": self.settings.host,
            "FRONT_PORT": str(self.settings.port),
            "FRONT_TLS": self._certificate(),
            "GATEWAY": f"127.0.0.1:{self.ports['gateway']}",
            "ALERTS": f"127.0.0.1:{self.ports['alerts']}",
            "OPS_CENTER": f"127.0.0.1:{self.ports['ops_center']}",
        }
        variables = {f"YIWANG_{name}": value for name, value in front.items()}
        command = [str(caddy), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        home = {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        self.supervisor.start(FRONT_DOOR, command, ROOT, os.environ | variables | home)
        self.wait_ready(FRONT_DOOR)

    def _certificate(self) -> str:
        """As Caddy's file says it; "": HTTP."""
        certificate, key = self.settings.tls_cert_file, self.settings.tls_key_file or ""
        return "" if certificate is None else f"tls {certificate.resolve()} {Path(key).resolve()}"

    def start_simulator(self) -> None:
        """The simulated city, producing to Kafka."""
        command = [
            sys.executable, "-m", "services.simulator", "city", "--via", "kafka",
            "--kafka", self.kafka_bootstrap, "--url", self.url("gateway"),
        ]  # fmt: skip
        self.supervisor.start("simulator", command, ROOT, self._environment("simulator"))

    def start_watch(self) -> None:
        """The platform's readings about itself."""
        processes = [f"{name}={self.url(name)}" for name in self.ports if name in PROCESSES]
        command = [
            sys.executable, "-m", "services.watch", "--url", self.url("gateway"), *processes,
        ]  # fmt: skip
        self.supervisor.start("watch", command, ROOT, self._environment("watch"))

    def wait_ready(self, name: str) -> None:
        """Until it is ready. Raises `Unavailable` with the end of its log."""
        until(lambda: self._ready(name) or not self.supervisor.runs(name), READY_SECONDS)
        if not (self.supervisor.runs(name) and self._ready(name)):
            raise Unavailable(f"{name} is not ready:\n{tail(self.supervisor.log(name))}")

    def _environment(self, name: str) -> dict[str, str]:
        self.ports.setdefault(name, free_port())
        own = {
            "DATA_DIR": str(self.settings.data_dir.resolve()),
            "KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "HOST": "127.0.0.1",
            "PORT": str(self.ports[name]),
            "PUBLIC_URL": self.settings.public_url or self.url(FRONT_DOOR),
            **self._database(name),
        }
        given = {key: value for key, value in os.environ.items() if key not in OF_THE_FRONT_DOOR}
        return given | {f"YIWANG_{key}": value for key, value in own.items()}

    def _database(self, name: str) -> dict[str, str]:
        """Each service has a role of its own; only setup is the database's owner."""
        if self.roles is None:
            return {"DATABASE_URL": self.database_url}
        if name == "setup":
            return {"DATABASE_URL": self.database_url, "DATABASE_ROLES_DIR": str(self.roles)}
        module = PROCESSES.get(name, ("",))[0]
        service = module.removeprefix("services.")
        return {"DATABASE_URL_FILE": str(self.roles / service)} if service else {}

    @property
    def roles(self) -> Path | None:
        """Where the services' own addresses are kept; None where the database is somebody else's,
        who has not said so."""
        own = self.folder / "roles" if self.settings.database_url is None else None
        return self.settings.database_roles_dir or own

    def _ready(self, name: str) -> bool:
        try:
            # What is asked is whether it answers; its certificate names another address.
            answer = httpx.get(f"{self.url(name)}/readyz", timeout=2, verify=False)
            return answer.status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[City]:
    """Parts, services and front door, all ready; all ended afterwards.

    Servers that the settings name are used, and left alone.
    """
    supervisor = Supervisor(folder)
    with sole(folder / "city.lock", f"a city already runs on {folder}"):
        supervisor.end_orphans()
        if free_port(settings.port) != settings.port:
            raise Misconfigured(f"port {settings.port} is in use: set YIWANG_PORT to another one")
        try:
            kafka, database = _addresses(settings, folder)
            city = City(settings, folder, supervisor, kafka, database)
            _start_all(city)
            yield city
        finally:
            say("stopping")
            deadline = monotonic() + STOP_SECONDS
            supervisor.stop(STOP_SECONDS / 2)
            parts.stop(folder, deadline - monotonic(), **_own(settings))


def run(settings: Settings, folder: Path) -> int:
    """`make city`: until Ctrl-C, SIGTERM or the terminal's end. Returns the exit code."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():  # while it stops, further signals change nothing
            stop.set()
            raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    try:
        with running(settings, folder) as city:
            if settings.simulator == "on":
                city.start_simulator()
            if settings.watch == "on":
                city.start_watch()
            _announce(city)
            _watch(city, stop)
    except KeyboardInterrupt:
        say("stopped")
    return 0


def _own(settings: Settings) -> dict[str, bool]:
    """The parts that are ours to start and stop: those for which no server is named."""
    return {"kafka": settings.kafka_bootstrap is None, "database": settings.database_url is None}


def _addresses(settings: Settings, folder: Path) -> tuple[str, str]:
    own = parts.start(folder, **_own(settings))
    return (
        settings.kafka_bootstrap or own.kafka_bootstrap,
        settings.database_url or own.database_url,
    )


def _start_all(city: City) -> None:
    say("setting up")
    city.prepare()
    say("starting the services")
    names = [*SERVICES, *(SUBSCRIBER if city.settings.mqtt_url else ())]
    for name in names:
        city.start(name)
    for name in names:
        city.wait_ready(name)
    city.start_front_door()


def _watch(city: City, stop: threading.Event) -> None:
    while not stop.wait(WATCH_SECONDS):
        city.supervisor.mend(monotonic())
        _mend_parts(city)


def _mend_parts(city: City) -> None:
    """A part that died comes back at its old address, so that nobody need be told."""
    own = _own(city.settings)
    if {name for name, ours in own.items() if ours} <= set(parts.status(city.folder)):
        return
    say("a part has ended; starting it again")
    try:
        again = parts.start(city.folder, **own)
    except Unavailable as error:
        say(f"{error}; trying again")
        return
    if {again.kafka_bootstrap, again.database_url} - {"", city.kafka_bootstrap, city.database_url}:
        raise Unavailable("a part's port was taken while it was down: start the city again")


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host


def _announce(city: City) -> None:
    settings, base = city.settings, city.url(FRONT_DOOR)
    credentials = json.loads(settings.credentials_path.read_text())
    token = f"?token={credentials.get('screen_token', '')}" if sys.stdout.isatty() else ""
    print(
        f"\n  wall       {base}/{token}"
        f"\n  console    {base}/console"
        f"\n  keys       {settings.credentials_path}"
        f"\n  Kafka      {city.kafka_bootstrap}"
        f"\n  logs       {city.folder}/*.log"
        "\n  Ctrl-C stops everything; the data stays.\n",
        flush=True,
    )
