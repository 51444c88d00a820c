"""`scaling`: more partitions, replicas and sensors: what a further reading costs then.

Value: CPU µs per further reading, all processes and servers together (the client left out), of the
largest case with one copy; denominator: of the smallest. On two cores nothing gets faster by
replicas: what can be told is whether the work per reading stays when each partition has as many
sensors as before, so that throughput would follow the partitions where there are cores. Per further
reading: in two equal times each sensor says something once and `MORE` times a second; what was used
more, by the readings that were more. So what a process uses whatever comes (`idle`: cores by part)
is no work of a reading. `cases`: by part, replicas added up; `together`: the parts added up;
`readings_per_second`: sent as fast as they are taken, which warms up too. Each case has brokers of
its own; 500 readings a POST.
"""

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
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
IDLE_SECONDS = 10.0
REST_SECONDS = 5.0
STEP_SECONDS = 0.25
SENSORS, MORE = 250, 4  # of each partition; readings of each sensor in a second: one, and so many
WARM = 450_000  # readings before: brokers compile themselves meanwhile
WARM_SPAN = timedelta(minutes=1)
REGISTERED = 1_000  # sensors at once


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


SMALL, LARGE = Case(3, 1, 3, 1), Case(3, 1, 12, 4)
QUICK = (SMALL, Case(3, 1, 6, 2))
ALL = (SMALL, Case(3, 1, 6, 2), LARGE, Case(3, 3, 6, 2))


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
    """By part: CPU µs per further reading, cores when idle; and readings stored per second."""

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
    seconds = 10.0 if quick else 25.0
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        server = parts.start(Path(folder) / "parts", kafka=False)
        try:
            found = {
                case: _measure(case, seconds, Path(folder) / str(number), server.database_url)
                for number, case in enumerate(QUICK if quick else ALL)
            }
        finally:
            server.stop()
    most = [each for case, each in found.items() if case.copies == 1][-1]
    return report.line(
        "scaling", "µs of CPU per further reading", [most.together], [found[SMALL].together],
        limit_is=str(SMALL), bar=BAR, sensors_of_a_partition=SENSORS, often=[1, MORE],
        together={str(case): each.together for case, each in found.items()},
        cases={str(case): each.cost for case, each in found.items()},
        idle={str(case): each.idle for case, each in found.items()},
        readings_per_second={str(case): round(each.rate) for case, each in found.items()},
        **machine,
    )  # fmt: skip


def _measure(case: Case, seconds: float, folder: Path, server: str) -> Found:
    with cluster(folder, case.brokers) as (bootstrap, pids):
        asyncio.run(cities.make_readings(bootstrap, case.partitions, case.copies))
        name, url = scratch_database(server)
        try:
            with _replicated(case, folder / "data", url, bootstrap) as shape:
                found = _cost(shape, pids | cpu.postmaster(url), case, seconds)
                print(f"  {case}: {found.together} µs, {found.cost}", file=sys.stderr)
                return found
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


def _cost(shape: Replicated, servers: Mapping[str, int], case: Case, seconds: float) -> Found:
    roots = {name: process.pid for name, process in shape.running.items()} | dict(servers)
    key, sensors = str(shape.credentials["api_key"]), rows.names(SENSORS * case.partitions)
    for at in range(0, len(sensors), REGISTERED):
        rows.register(shape.url("gateway"), key, sensors[at : at + REGISTERED])
    times = WARM // len(sensors)
    warm = rows.Rows(sensors, times * len(sensors), rows.now() - WARM_SPAN, WARM_SPAN / times)
    took = _post(shape, key, warm, 0)
    _rest(REST_SECONDS)
    idle = cpu.idle(roots, IDLE_SECONDS)
    spent: dict[int, list[dict[str, float]]] = defaultdict(list)
    for often in (MORE, 1, 1, MORE):  # so that neither comes while servers are warmer
        count, step = len(sensors) * round(often * seconds), timedelta(seconds=1) / often
        data = rows.Rows(sensors, count, rows.now(), step)
        spent[often].append(_spent(shape, key, data, roots, seconds))
    little, much = (_sum(spent[often]) for often in (1, MORE))
    further = cpu.per_item(little, much, 2 * round((MORE - 1) * seconds) * len(sensors))
    return Found(_by_part(further, 1), _by_part(idle, 3), warm.count / took)


def _spent(
    shape: Replicated, key: str, data: rows.Rows, roots: Mapping[str, int], seconds: float
) -> dict[str, float]:
    """CPU seconds of each part, over a time that is the same whatever is sent."""
    before, began = cpu.seconds(roots), monotonic()
    _post(shape, key, data, seconds)
    _rest(seconds + REST_SECONDS - (monotonic() - began))
    return {name: now - before[name] for name, now in cpu.seconds(roots).items()}


def _sum(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in rounds) for name in rounds[0]}


def _rest(seconds: float) -> None:
    assert seconds > 0, "the parts did not keep up: nothing can be told of one reading"
    until(lambda: False, seconds)


def _post(shape: Replicated, key: str, data: rows.Rows, spread: float) -> float:
    """Spread over the gateways and over `spread` seconds; seconds until all is stored."""
    messages = [load.request("/v1/readings", key, body) for body in data.bodies()]
    ports = [port for name, port in shape.ports.items() if _part(name) == "gateway"]
    began = monotonic()
    asyncio.run(_send(messages, ports, spread))
    with psycopg.connect(shape.database_url, autocommit=True) as connection:
        assert until(rows.Watch(connection, data).complete, STORE_SECONDS), "not all was stored"
    return monotonic() - began


async def _send(messages: Sequence[bytes], ports: Sequence[int], spread: float) -> None:
    steps = max(1, round(spread / STEP_SECONDS))
    count, connections = len(messages), max(1, CONNECTIONS // len(ports))
    began = monotonic()
    for step in range(steps):
        now = messages[count * step // steps : count * (step + 1) // steps]
        await asyncio.gather(*(
            load.send_all(port, now[number :: len(ports)], connections)
            for number, port in enumerate(ports)
        ))  # fmt: skip
        await asyncio.sleep(max(0.0, began + (step + 1) * spread / steps - monotonic()))


def _part(name: str) -> str:
    return name.partition("-")[0]


def _by_part(values: Mapping[str, float], digits: int) -> dict[str, float]:
    """Replicas and brokers added up."""
    parts_of: dict[str, float] = defaultdict(float)
    for name, value in values.items():
        parts_of[_part(name)] += value
    return {name: round(value, digits) for name, value in parts_of.items()}
