"""The city under fire: every service twice, each process with relays of its own to both parts."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from deploy.local import parts
from deploy.local.city import SERVICES
from deploy.local.process import Handle, is_alive
from shared.pause import until
from shared.store.embedded import free_port
from tests.chaos.background import Background
from tests.chaos.disk import Disk
from tests.chaos.namespace import Namespace
from tests.chaos.relay import Relay
from tests.chaos.schedule import PARTS, processes
from tests.chaos.skewed import move
from tests.shape import ROOT, Shape

READY_SECONDS = 120.0
RULES = """
- {id: gas, title: {zh: 燃气, en: gas}, metric: gas.concentration, above: 20, deadband: 5,
   grade: 2, priority: 1, flapping: {raises: 100}}
"""
SETTINGS = {"OPERATORS_ON_DUTY": "100000", "TICK_SECONDS": "2", "LOG_LEVEL": "INFO"}


@dataclass
class Fleet(Shape):
    """`relays`: (process, part) → its way there. `doors`: the broker's port → the relay's."""

    parts_dir: Path = Path()
    relays: dict[tuple[str, str], Relay] = field(default_factory=dict)
    doors: dict[int, int] = field(default_factory=dict)
    disks: dict[str, Disk] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)  # of processes, if any
    died: list[str] = field(default_factory=list)  # processes that ended by themselves

    def command(self, name: str) -> list[str]:
        """See `Shape.command`: the same, with a clock that can be moved."""
        module, *arguments = SERVICES[name.rpartition("-")[0]]
        clock, inside = str(self.clock(name)), self.namespaces.get(name)
        prefix = inside.prefix if inside is not None else ()
        return [*prefix, sys.executable, "-m", "tests.chaos.skewed", clock, module, *arguments]

    def clock(self, name: str) -> Path:
        """Where it is written how far the process's clock is ahead."""
        return self.data_dir / f"{name}.clock"

    def environment(self, name: str) -> dict[str, str]:
        """See `Shape.environment`: the parts are where the process's relays are."""
        own = {f"YIWANG_{key}": value for key, value in SETTINGS.items()}
        own["YIWANG_RULES_DIR"] = str(self.data_dir / "rules")
        if (name, "kafka") in self.relays:
            own["YIWANG_KAFKA_BOOTSTRAP"] = f"127.0.0.1:{self.relays[name, 'kafka'].port}"
            address = make_url(self.database_url).set(port=self.relays[name, "database"].port)
            own["YIWANG_DATABASE_URL"] = address.render_as_string(hide_password=False)
        return super().environment(name) | own

    def start(self, name: str) -> None:
        """See `Shape.start`."""
        move(self.clock(name), 0.0)
        super().start(name)

    def is_ready(self, name: str) -> bool:
        """Whether one process says so."""
        return self._ready(name)

    def start_and_wait(self, name: str) -> None:
        """Until it is ready."""
        self.start(name)
        assert until(lambda: self.is_ready(name), READY_SECONDS), self.log(name)[-3000:]

    def replicas(self, service: str) -> list[str]:
        """The processes of one service."""
        return [name for name in self.ports if name.rpartition("-")[0] == service]

    def addresses(self, service: str) -> list[str]:
        """Of all its replicas."""
        return [self.url(name) for name in self.replicas(service)]

    def raise_the_dead(self) -> None:
        """What ended by itself is noted and started again, as a supervisor would."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.died.append(f"{name} ({process.returncode})")
                self.start(name)

    def ask_what_it_waits_for(self) -> None:
        """Every process says in its log what its tasks wait for."""
        for process in self.running.values():
            process.send_signal(signal.SIGUSR1)

    def signal(self, name: str, number: signal.Signals) -> None:
        """To a process, or to a part with all that it has started."""
        if name not in PARTS:
            self.running[name].send_signal(number)
            return
        for pid in [*_children(self._pid(name)), self._pid(name)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill_part(self, name: str) -> None:
        """`kill -9`, and wait for its end."""
        os.kill(self._pid(name), signal.SIGKILL)
        handle = self._handle(name)
        assert until(lambda: not is_alive(handle), 30), name

    def stop_part(self, name: str) -> None:
        """As its operator would."""
        parts.stop(self.parts_dir, kafka=name == "kafka", database=name == "database")

    def start_part(self, name: str) -> None:
        """At its old address; returns when it answers."""
        parts.start(self.parts_dir, self.doors, kafka=name == "kafka", database=name == "database")

    def part_runs(self, name: str) -> bool:
        """Whether its process is there."""
        return name in parts.status(self.parts_dir)

    def pids(self) -> dict[str, int]:
        """Of every process that runs, and of the parts."""
        own = {name: process.pid for name, process in self.running.items()}
        return own | {name: self._pid(name) for name in PARTS if self.part_runs(name)}

    def _pid(self, part: str) -> int:
        return self._handle(part).pid

    def _handle(self, part: str) -> Handle:
        return parts._handle(parts._load(self.parts_dir)[part])


@contextmanager
def fleet(folder: Path, loop: Background, receiver_port: int) -> Iterator[Fleet]:
    """Parts on small disks of their own, processes in namespaces of their own, where that is
    possible; relays; all replicas ready. `receiver_port`: where webhooks are to arrive."""
    parts_dir, data_dir = folder / "parts", folder / "city"
    (data_dir / "rules").mkdir(parents=True, exist_ok=True)
    (data_dir / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    ports = {(name, part): (free_port(), free_port()) for name in processes() for part in PARTS}
    doors = {ports[name, "kafka"][1]: ports[name, "kafka"][0] for name in processes()}
    disks = {part: Disk(parts_dir / sub) for part, sub in Disk.FOLDERS.items()}
    namespaces = _namespaces()
    things: list[Disk | Namespace] = [*disks.values(), *namespaces.values()]
    try:
        for thing in things:
            thing.make()
        started = parts.start(parts_dir, doors)
        running = Fleet(data_dir, started.database_url, started.kafka_bootstrap)
        running.parts_dir, running.doors = parts_dir, doors
        running.disks, running.namespaces = disks, namespaces
        loop.do(_connect(running, ports, receiver_port))
        try:
            _start_all(running, processes())
            yield running
        finally:
            _end_all(running)
    finally:
        parts.stop(parts_dir)
        for thing in things:
            thing.remove()


def _namespaces() -> dict[str, Namespace]:
    if Namespace.reason_it_cannot_be() is not None:
        return {}
    return {name: Namespace(f"yiwang-{os.getpid()}-{name}") for name in processes()}


async def _connect(
    running: Fleet, ports: dict[tuple[str, str], tuple[int, int]], receiver_port: int
) -> None:
    """Each process with each part; and, where it lies in a namespace, with all that it needs."""
    database = make_url(running.database_url).port or 0
    for (name, part), (own, broker) in ports.items():
        inside = running.namespaces.get(name)
        relay = Relay(own, broker if part == "kafka" else database, inside)
        await relay.open()
        running.relays[name, part] = relay
    for name, inside in running.namespaces.items():
        own = running.ports.setdefault(name, free_port())
        await Relay(own, own, dial_in=inside).open()
        await Relay(receiver_port, receiver_port, inside).open()


def _start_all(running: Fleet, names: Sequence[str]) -> None:
    setup = [sys.executable, "-m", "services", "setup"]
    with (running.data_dir / "setup.log").open("ab") as sink:
        environment = running.environment("setup")
        subprocess.run(setup, cwd=ROOT, env=environment, check=True, stdout=sink, stderr=sink)
    del running.ports["setup"]
    for name in names:
        running.start(name)
    running.wait_ready(READY_SECONDS)


def _end_all(running: Fleet) -> None:
    for process in running.running.values():
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
    for name in list(running.running):
        running.end(name)


def _children(pid: int) -> list[int]:
    """Processes that it has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found
