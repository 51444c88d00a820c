"""`scaling`: more brokers, copies, partitions and replicas: what a reading costs then.

Value: CPU µs per reading, all processes and servers together (the client left out), of the largest
case; denominator: of the smallest, one of everything. On two cores nothing gets faster by replicas:
what can be told is whether the work per reading stays, so that throughput would follow the cores.
`cases`: by part, µs per reading, replicas added up; `together`: the parts added up; `idle`: cores
that each part uses when nothing arrives. That is not taken off, since who is busy waits less: on a
machine that others slow down read it as part of the numbers, idle ÷ readings a second. Each case
has brokers of its own; 500 readings a POST, after as many readings that warm up.
"""

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.local import parts
from deploy.local.city import SERVICES
from shared.clock import monotonic
from shared.pause import until
from tests.bench import cities, cpu, load, report, rows
from tests.brokers import cluster
from tests.conftest import drop_database, scratch_database
from tests.shape import Shape, set_up

BAR = 1.15
CONNECTIONS = 8
STORE_SECONDS = 180.0
IDLE_SECONDS = 4.0


@dataclass(frozen=True)
class Case:
    """`replicas`: of gateway, writer and alerts each."""

    brokers: int
    copies: int
    partitions: int
    replicas: int

    def __str__(self) -> str:
        return (
            f"{self.brokers} brokers, {self.copies} copies, {self.partitions} partitions,"
            f" {self.replicas} replicas"
        )


ONE = Case(1, 1, 1, 1)
QUICK = (ONE, Case(3, 1, 6, 2), Case(3, 3, 6, 2))
ALL = (ONE, Case(3, 1, 3, 2), Case(3, 1, 6, 3), Case(3, 1, 12, 4), Case(3, 3, 12, 4))


@dataclass
class Replicated(Shape):
    """Processes named `writer`, `writer-2`…"""

    def command(self, name: str) -> list[str]:
        """See `Shape.command`."""
        return [sys.executable, "-m", *SERVICES[_part(name)]]

    def _database(self, name: str) -> str:
        return super()._database(_part(name))


@dataclass(frozen=True)
class Found:
    """By part: CPU µs per reading, cores when idle; and readings stored per second."""

    cost: Mapping[str, float]
    idle: Mapping[str, float]
    rate: float

    @property
    def together(self) -> float:
        """µs per reading."""
        return round(sum(self.cost.values()), 1)


def run(quick: bool) -> str:
    """See above."""
    machine = report.machine()
    count = 100_000 if quick else 500_000
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        server = parts.start(Path(folder) / "parts", kafka=False)
        try:
            found = {
                case: _measure(case, count, Path(folder) / str(number), server.database_url)
                for number, case in enumerate(QUICK if quick else ALL)
            }
        finally:
            server.stop()
    last, one = list(found.values())[-1], found[ONE]
    return report.line(
        "scaling", "µs of CPU per reading", [last.together], [one.together],
        limit_is=str(ONE), bar=BAR, readings=count,
        together={str(case): each.together for case, each in found.items()},
        cases={str(case): each.cost for case, each in found.items()},
        idle={str(case): each.idle for case, each in found.items()},
        readings_per_second={str(case): round(each.rate) for case, each in found.items()},
        **machine,
    )  # fmt: skip


def _measure(case: Case, count: int, folder: Path, server: str) -> Found:
    with cluster(folder, case.brokers) as (bootstrap, pids):
        asyncio.run(cities.make_readings(bootstrap, case.partitions, case.copies))
        name, url = scratch_database(server)
        try:
            with _replicated(case, folder / "data", url, bootstrap) as shape:
                return _cost(shape, pids | cpu.postmaster(url), count)
        finally:
            drop_database(server, name)


@contextmanager
def _replicated(case: Case, folder: Path, url: str, bootstrap: str) -> Iterator[Replicated]:
    folder.mkdir(parents=True)
    shape = Replicated(folder, url, bootstrap)
    set_up(shape)
    try:
        for name in SERVICES:
            shape.start(name)
        for number in range(2, case.replicas + 1):
            for part in ("gateway", "writer", "alerts"):
                shape.start(f"{part}-{number}")
        shape.wait_ready(120)
        yield shape
    finally:
        for name in list(shape.running):
            shape.end(name)


def _cost(shape: Replicated, servers: Mapping[str, int], count: int) -> Found:
    roots = {name: process.pid for name, process in shape.running.items()} | dict(servers)
    warm, data = rows.rounds(count, 2)
    key = str(shape.credentials["api_key"])
    rows.register(shape.url("gateway"), key, data.sensors)
    _post(shape, key, warm)
    cpu.settle(roots)
    idle = cpu.idle(roots, IDLE_SECONDS)
    before = cpu.seconds(roots)
    stored = _post(shape, key, data)
    cpu.settle(roots)
    each = cpu.per_item(before, cpu.seconds(roots), count)
    return Found(_by_part(each, 1), _by_part(idle, 3), count / stored)


def _post(shape: Replicated, key: str, data: rows.Rows) -> float:
    """Spread over the gateways; seconds until all is stored."""
    messages = [load.request("/v1/readings", key, body) for body in data.bodies()]
    ports = [port for name, port in shape.ports.items() if _part(name) == "gateway"]

    async def send() -> None:
        each = max(1, CONNECTIONS // len(ports))
        await asyncio.gather(*(
            load.send_all(port, messages[number :: len(ports)], each)
            for number, port in enumerate(ports)
        ))  # fmt: skip

    began = monotonic()
    asyncio.run(send())
    with psycopg.connect(shape.database_url, autocommit=True) as connection:
        assert until(rows.Watch(connection, data).complete, STORE_SECONDS), "not all was stored"
    return monotonic() - began


def _part(name: str) -> str:
    return name.partition("-")[0]


def _by_part(values: Mapping[str, float], digits: int) -> dict[str, float]:
    """Replicas and brokers added up."""
    parts_of: dict[str, float] = defaultdict(float)
    for name, value in values.items():
        parts_of[_part(name)] += value
    return {name: round(value, digits) for name, value in parts_of.items()}
